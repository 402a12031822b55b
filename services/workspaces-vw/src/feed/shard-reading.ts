import { createBackoff } from '@kcp-vw/shared/informer/backoff.ts';
import { type Clock, sleep, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { createInformer, type Informer, type InformerOptions } from '@kcp-vw/shared/informer/informer.ts';
import { tenancyIdentity } from '@kcp-vw/shared/informer/tenancy-identity.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { IndexWriter } from '../index/facts.ts';
import { FollowersFailed } from '../index/followers.ts';
import { type Kept, RESOURCES, type Resource, resourceFeeds } from './resource-feeds.ts';

export interface ShardReadingOptions extends Pick<InformerOptions<Kept>, 'clock' | 'backoff' | 'timing'> {
  /** Its name. */
  readonly shard: string;
  readonly upstream: Upstream;
  readonly index: IndexWriter;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** What one shard has, from a first list on. */
export interface ShardReading {
  /** Undefined: it cannot be asked for yet. */
  informer(resource: Resource): Informer<Kept> | undefined;
  stop(): void;
}

/** Between two questions for the identity. */
const IDENTITY_BACKOFF = { initial: 500, max: 10_000 };

/** Failures in a row after which it is asked whether the identity is still the same. */
const DOUBTFUL_AFTER = 3;

/** Calls `onFailure` once when it cannot go on: what is in the index may not be what was read. */
export function startReading(options: ShardReadingOptions, onFailure: (error: Error) => void): ShardReading {
  const { shard, upstream, index, log, clock = systemClock } = options;
  const feeds = resourceFeeds(shard, index, cluster =>
    log.warn({ shard, cluster }, 'a logical cluster requires more groups than are looked at: only admins of kcp see it'),
  );
  const informers = new Map<Resource, Informer<Kept>>();
  const stopping = new AbortController();
  const { signal } = stopping;

  const stop = (): void => {
    stopping.abort();
    for (const informer of informers.values()) informer.stop();
  };
  const fail = (thrown: unknown): void => {
    if (signal.aborted) return;
    stop();
    onFailure(thrown instanceof Error ? thrown : new Error(String(thrown)));
  };
  /** Followers that fail are theirs to care for: what they were told of is written. */
  const written = (write: () => void): void => {
    try {
      write();
    } catch (error) {
      if (error instanceof FollowersFailed) throw error;
      fail(error);
    }
  };

  const follow = (resource: Resource, identity = ''): void => {
    const { path, keep, write, needsIdentity } = feeds[resource];
    const name = `${resource} of shard ${shard}`;
    const { backoff, timing } = options;
    const informer = createInformer<Kept>({
      ...{ name, upstream, path: `${path}${identity && `:${identity}`}`, clock, project: keep },
      ...{ ...(backoff && { backoff }), ...(timing && { timing }) },
      batch: work => written(() => index.batch(work)),
      onError(err, attempt) {
        log.warn({ err, shard, informer: resource, attempt }, 'list or watch failed; trying again');
        if (needsIdentity && attempt > 0 && attempt % DOUBTFUL_AFTER === 0) void doubt(identity);
      },
    });
    informers.set(resource, informer);
    informer.onEvent(event => written(() => write(event)));
    informer.start();
  };

  /** A kcp that was made anew at the same address has another identity. */
  async function doubt(identity: string): Promise<void> {
    // A shard that does not answer has nothing to say about it.
    const found = await tenancyIdentity(upstream, { signal }).catch(() => undefined);
    if (found !== undefined && found !== identity) fail(new Error('the shard has another identity of workspaces than before'));
  }

  async function followIdentified(): Promise<void> {
    const identity = await untilIdentity(upstream, { shard, log, clock, signal });
    if (identity === undefined || signal.aborted) return;
    for (const resource of RESOURCES) if (feeds[resource].needsIdentity) follow(resource, identity);
  }

  for (const resource of RESOURCES) if (!feeds[resource].needsIdentity) follow(resource);
  followIdentified().catch(fail);
  return { informer: resource => informers.get(resource), stop };
}

interface Asking {
  readonly shard: string;
  readonly log: Pick<Logger, 'info'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface Asked {
  readonly identity?: string;
  /** Why there is none. */
  readonly reason: string;
}

/** Asks until there is one, which a young shard does not have yet. Undefined: `signal` was aborted before. */
async function untilIdentity(upstream: Upstream, { shard, log, clock, signal }: Asking): Promise<string | undefined> {
  const backoff = createBackoff(clock, IDENTITY_BACKOFF);
  let told = '';
  while (!signal.aborted) {
    const { identity, reason }: Asked = await tenancyIdentity(upstream, { signal }).then(
      found => (found === undefined ? { reason: NOT_PUBLISHED } : { identity: found, reason: '' }),
      (error: Error) => ({ reason: error.message }),
    );
    if (signal.aborted) break;
    if (identity !== undefined) return identity;
    if (reason !== told) log.info({ shard, reason }, 'waiting for the shard');
    told = reason;
    await sleep(clock, backoff.next(), signal);
  }
  return undefined;
}

const NOT_PUBLISHED = 'it has not published the identity of the APIExport tenancy.kcp.io yet';
