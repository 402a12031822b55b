import { type Clock, sleep, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { isWell } from './probe.ts';

/** Whether what is known of the shards is what they have now. A shard is current while its changes come in and it answers. */
export interface Freshness {
  /** Undefined: answers about these shards can be made now; else why not, a sentence. `all`: about whatever any shard may have. */
  whyNot(shards: ReadonlySet<string> | 'all'): string | undefined;
  /** Calls `listener` when a shard that was current is so no more, within a few seconds. Returns how to stop listening. */
  onStale(listener: (shard: string) => void): () => void;
}

/** A shard, as far as it tells whether it is current. */
export interface WatchedShard {
  /** That its changes come in by. */
  readonly upstream: Upstream;
  /** What has not been read yet; none: everything has. */
  missing(): readonly string[];
  /** Its changes are coming in at this moment. */
  connected(): boolean;
}

/** The shards that freshness is about. */
export interface FreshnessTracker extends Freshness {
  /** `watched` absent: it cannot be asked. What was known about a shard of this name is forgotten. */
  add(shard: string, watched?: WatchedShard): void;
  remove(shard: string): void;
  stop(): void;
}

export interface FreshnessOptions {
  /** Milliseconds that a shard may be out of touch; default 10,000. */
  readonly staleAfter?: number;
  /** Milliseconds between two questions whether it serves, and for the answer; default 2,000. */
  readonly probeEvery?: number;
  readonly probeTimeout?: number;
  /** Why it is not known which shards there are; undefined: it is. */
  readonly unlisted: () => string | undefined;
  /** Told when a shard becomes current, and why when it is so no more. */
  readonly onChange?: (shard: string, reason: string | undefined) => void;
  /** Told what a listener throws; the others are told all the same. */
  readonly onError: (error: unknown) => void;
  readonly clock?: Clock;
}

export function createFreshness(options: FreshnessOptions): FreshnessTracker {
  const { staleAfter = 10_000, probeEvery = 2_000, probeTimeout = 2_000, clock = systemClock } = options;
  const { unlisted, onChange, onError } = options;
  const shards = new Map<string, Tracked>();
  const listeners = new Set<(shard: string) => void>();

  function whyNotShard(name: string): string | undefined {
    const shard = shards.get(name);
    if (shard === undefined) return `shard ${name} is not known`;
    return shard.watched === undefined
      ? `shard ${name} has no address that can be used`
      : whyNotCurrent(name, shard, shard.watched);
  }

  function whyNotCurrent(name: string, shard: Tracked, watched: WatchedShard): string | undefined {
    const missing = watched.missing();
    if (missing.length > 0) return `shard ${name} has not been read yet: waiting for ${missing.join(', ')}`;
    const now = clock.now();
    if (watched.connected()) shard.connectedAt = now;
    if (now - shard.connectedAt >= staleAfter) return `shard ${name} has not told its changes for ${staleAfter / 1000} s`;
    if (now - shard.answeredAt >= staleAfter) return `shard ${name} has not said for ${staleAfter / 1000} s that it is well`;
    return undefined;
  }

  /** Tells when it is another than at the last look. Returns why it is not current. */
  function look(name: string): string | undefined {
    const reason = whyNotShard(name);
    const isCurrent = reason === undefined;
    const shard = shards.get(name);
    if (shard === undefined || isCurrent === shard.isCurrent) return reason;
    shard.isCurrent = isCurrent;
    onChange?.(name, reason);
    if (!isCurrent) for (const listener of [...listeners]) tell(listener, name);
    return reason;
  }

  function tell(listener: (shard: string) => void, name: string): void {
    try {
      listener(name);
    } catch (error) {
      onError(error);
    }
  }

  async function follow(name: string, shard: Tracked, watched: WatchedShard): Promise<void> {
    const { signal } = shard.stopping;
    while (!signal.aborted) {
      const askedAt = clock.now();
      // Of the moment it was asked: whatever it answered is at least as old.
      if (await isWell(watched.upstream, { timeout: probeTimeout, clock, signal })) shard.answeredAt = askedAt;
      if (!signal.aborted) look(name);
      await sleep(clock, Math.max(0, askedAt + probeEvery - clock.now()), signal);
    }
  }

  function remove(name: string): void {
    shards.get(name)?.stopping.abort();
    shards.delete(name);
  }

  return {
    whyNot(asked) {
      const reason = asked === 'all' ? unlisted() : undefined;
      if (reason !== undefined) return reason;
      for (const name of asked === 'all' ? shards.keys() : asked) {
        // Whoever is answered now, between two looks, is to be told when it is so no more.
        const why = look(name);
        if (why !== undefined) return why;
      }
      return undefined;
    },
    onStale(listener) {
      // A function of its own, so that the same listener may be registered twice and dropped once.
      const own = (shard: string): void => listener(shard);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    add(name, watched) {
      remove(name);
      const never = Number.NEGATIVE_INFINITY;
      const stopping = new AbortController();
      const shard: Tracked = { watched, stopping, connectedAt: never, answeredAt: never, isCurrent: false };
      shards.set(name, shard);
      if (watched) void follow(name, shard, watched);
    },
    remove,
    stop() {
      for (const name of [...shards.keys()]) remove(name);
    },
  };
}

interface Tracked {
  readonly watched: WatchedShard | undefined;
  readonly stopping: AbortController;
  /** When its changes were seen to come in last. */
  connectedAt: number;
  /** When the last question was asked that it answered. */
  answeredAt: number;
  /** At the last look. */
  isCurrent: boolean;
}
