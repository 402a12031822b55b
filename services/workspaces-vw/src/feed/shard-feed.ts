import { createBackoff } from '@kcp-vw/shared/informer/backoff.ts';
import { sleep, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { FollowersFailed } from '../index/followers.ts';
import { RESOURCES, type Resource } from './resource-feeds.ts';
import { type ShardReading, type ShardReadingOptions, startReading } from './shard-reading.ts';

/** What one shard has, written into the index from now on. */
export interface ShardFeed {
  /** Resources of which there is no complete list yet; none: the shard's facts are all in the index. */
  missing(): readonly Resource[];
  /** Changes of all resources are coming in at this moment. */
  connected(): boolean;
  /** For metrics; of a resource that cannot be asked for yet: not synced. */
  observe(resource: Resource): { readonly synced: boolean; readonly relists: number };
  /** What is in the index stays there. */
  stop(): void;
}

export type ShardFeedOptions = ShardReadingOptions;

/** Between two readings of all that a shard has. */
const REREAD_BACKOFF = { initial: 1000, max: 60_000 };

/** Reads a shard, and reads it anew when what was read could not be written: a revocation that is lost would never be made up for. */
export function startShardFeed(options: ShardFeedOptions): ShardFeed {
  const { shard, index, log, clock = systemClock } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const backoff = createBackoff(clock, REREAD_BACKOFF);
  /** Undefined: all of the shard is being forgotten. */
  let reading: ShardReading | undefined;
  let told = '';

  const begin = (): void => {
    reading = startReading(options, error => {
      // From here on nothing is answered about the shard, whose facts are not what it has.
      reading = undefined;
      if (error.message !== told) log.error({ err: error, shard }, 'what a shard has told cannot be used; it is read anew');
      told = error.message;
      void again();
    });
  };

  /** Not before the batch has ended in which it failed. */
  async function again(): Promise<void> {
    for (let isForgotten = false; !isForgotten; ) {
      await sleep(clock, backoff.next(), signal);
      if (signal.aborted) return;
      isForgotten = forget();
    }
    begin();
  }

  function forget(): boolean {
    try {
      index.forgetShard(shard);
      return true;
    } catch (err) {
      log.warn({ err, shard }, 'what is known of a shard cannot be forgotten; trying again');
      // Followers that fail keep nothing in the index.
      return err instanceof FollowersFailed;
    }
  }

  begin();
  return {
    missing: () => RESOURCES.filter(resource => reading?.informer(resource)?.synced() !== true),
    connected: () => RESOURCES.every(resource => reading?.informer(resource)?.status.connected === true),
    observe(resource) {
      const informer = reading?.informer(resource);
      return { synced: informer?.synced() ?? false, relists: informer?.status.relists ?? 0 };
    },
    stop() {
      stopping.abort();
      reading?.stop();
    },
  };
}
