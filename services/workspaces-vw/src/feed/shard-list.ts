import { isOrigin } from '@kcp-vw/shared/config/origin.ts';
import { createInformer, type Informer, type InformerOptions } from '@kcp-vw/shared/informer/informer.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Shard } from '@kcp-vw/shared/registration/registry-access.ts';

/** Where the shards are, by their names; undefined: at no address that can be used. */
export type ShardAddresses = ReadonlyMap<string, URL | undefined>;

export interface ShardList {
  readonly informer: Informer<ListedShard>;
  /** The last list that had a shard; empty: there was none yet. */
  readonly addresses: ShardAddresses;
}

/** What is kept of a Shard object. */
export interface ListedShard extends KubeObject {
  readonly cluster: string;
  readonly name: string;
  readonly baseURL: string;
}

export interface ShardListOptions
  extends Pick<InformerOptions<ListedShard>, 'upstream' | 'path' | 'clock' | 'backoff' | 'timing'> {
  readonly log: Pick<Logger, 'warn'>;
  /** Called with every list that differs from the one before. */
  readonly onChange: (addresses: ShardAddresses) => void;
}

/** The logical cluster with the Shard objects. Another workspace may have a type of this name, and objects in it. */
const ROOT = 'root';

/** Follows the Shard objects in a cache server. The informer is to be started. */
export function followShardList({ log, onChange, ...options }: ShardListOptions): ShardList {
  let addresses: ShardAddresses = new Map();
  const reported = new Map<string, string>();

  const look = (): void => {
    const shards = informer.list().filter(({ cluster }) => cluster === ROOT);
    if (shards.length === 0) {
      // Every kcp has a shard. This is a cache server that has lost what it had, or another one in its place.
      if (addresses.size > 0) log.warn('the cache server knows no shards any more; the last ones known are followed on');
      return;
    }
    for (const { name, baseURL } of shards) {
      if (isOrigin(baseURL)) reported.delete(name);
      else if (reported.get(name) !== baseURL) {
        reported.set(name, baseURL);
        log.warn({ shard: name, baseURL }, 'a shard cannot be read: its spec.baseURL is not https://host:port');
      }
    }
    const next = new Map(shards.map(({ name, baseURL }) => [name, isOrigin(baseURL) ? new URL(baseURL) : undefined]));
    for (const name of reported.keys()) if (!next.has(name)) reported.delete(name);
    if (isSame(next, addresses)) return;
    addresses = next;
    onChange(addresses);
  };

  const informer = createInformer<ListedShard>({
    ...options,
    name: 'shards',
    project: listedShard,
    onError: (err, attempt) => log.warn({ err, informer: 'shards', attempt }, 'list or watch failed; trying again'),
    // Once for all that a list has brought.
    batch(emit) {
      emit();
      look();
    },
  });
  return {
    informer,
    get addresses() {
      return addresses;
    },
  };
}

function listedShard(object: KubeObject): ListedShard {
  const { baseURL } = (object as Shard).spec ?? {};
  return {
    cluster: clusterOf(object),
    name: object.metadata?.name ?? '',
    baseURL: typeof baseURL === 'string' ? baseURL : '',
  };
}

const isSame = (a: ShardAddresses, b: ShardAddresses): boolean =>
  a.size === b.size && [...a].every(([name, address]) => b.has(name) && b.get(name)?.origin === address?.origin);
