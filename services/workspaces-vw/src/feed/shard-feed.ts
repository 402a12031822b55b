import { createBackoff } from '@kcp-vw/shared/informer/backoff.ts';
import { type Clock, sleep, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { createInformer, type Informer, type InformerOptions } from '@kcp-vw/shared/informer/informer.ts';
import { tenancyIdentity } from '@kcp-vw/shared/informer/tenancy-identity.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { IndexWriter } from '../index/facts.ts';
import { type Kept, RESOURCES, type Resource, resourceFeeds } from './resource-feeds.ts';

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

export interface ShardFeedOptions extends Pick<InformerOptions<Kept>, 'clock' | 'backoff' | 'timing'> {
  /** Its name. */
  readonly shard: string;
  readonly upstream: Upstream;
  readonly index: IndexWriter;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** Between two questions for the identity. */
const IDENTITY_BACKOFF = { initial: 500, max: 10_000 };

export function startShardFeed(options: ShardFeedOptions): ShardFeed {
  const { shard, upstream, index, log, clock = systemClock } = options;
  const feeds = resourceFeeds(shard, index);
  const informers = new Map<Resource, Informer<Kept>>();
  const stopping = new AbortController();

  const follow = (resource: Resource, identity = ''): void => {
    const { path, keep, write } = feeds[resource];
    const name = `${resource} of shard ${shard}`;
    const { backoff, timing } = options;
    const informer = createInformer<Kept>({
      ...{ name, upstream, path: `${path}${identity}`, clock, project: keep, batch: work => index.batch(work) },
      ...{ ...(backoff && { backoff }), ...(timing && { timing }) },
      onError: (err, attempt) => log.warn({ err, shard, informer: resource, attempt }, 'list or watch failed; trying again'),
    });
    informers.set(resource, informer);
    informer.onEvent(event => write(event));
    informer.start();
  };

  for (const resource of RESOURCES) if (!feeds[resource].needsIdentity) follow(resource);
  const followWithIdentity = (identity: string | undefined): void => {
    if (identity === undefined) return;
    for (const resource of RESOURCES) if (feeds[resource].needsIdentity) follow(resource, `:${identity}`);
  };
  void untilIdentity(upstream, { shard, log, clock, signal: stopping.signal }).then(followWithIdentity);

  return {
    missing: () => RESOURCES.filter(resource => informers.get(resource)?.synced() !== true),
    connected: () => RESOURCES.every(resource => informers.get(resource)?.status.connected === true),
    observe(resource) {
      const informer = informers.get(resource);
      return { synced: informer?.synced() ?? false, relists: informer?.status.relists ?? 0 };
    },
    stop() {
      stopping.abort();
      for (const informer of informers.values()) informer.stop();
    },
  };
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
