import type { Loopback } from './loopback.ts';

/** What the controllers of a shard have to do with the other shards. */
export interface OtherShards {
  /** The objects of a shard, this one included, as an administrator of logical clusters reaches them. Throws while it is away. */
  objectsOf(shard: string): Loopback;
  /** Has the workspace looked at again, on whichever shard it is: its logical cluster has changed. */
  tellOwner(cluster: string, workspace: string): void;
}
