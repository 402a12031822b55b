import type { InformerOptions } from '@kcp-vw/shared/informer/informer.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { ServiceContext } from '@kcp-vw/shared/view/service.ts';
import type { IndexWriter } from '../index/facts.ts';
import { createFreshness, type Freshness } from './freshness.ts';
import { type Kept, RESOURCES } from './resource-feeds.ts';
import { createShardConnections, type ShardConnection, type ShardConnections } from './shard-connections.ts';
import { type ShardFeed, startShardFeed } from './shard-feed.ts';
import { followShardList, type ShardAddresses } from './shard-list.ts';

/** All shards of a kcp, as they tell the index what they have. */
export interface Feed {
  readonly freshness: Freshness;
  /** For requests of callers, with the service's own credentials; the same value as long as the shard is known. Undefined: there is none. */
  upstreamOf(shard: string): Upstream | undefined;
  /** The same for what the service itself asks, about callers say. */
  controlOf(shard: string): Upstream | undefined;
  /** The name of the shard that has `root`; undefined: it is not known yet. */
  rootShard(): string | undefined;
  /** Undefined from when all shards have been read once; before, what is waited for. */
  ready(): string | undefined;
  /** Leaves nothing open. What is in the index stays there. */
  stop(): Promise<void>;
}

/** A cache server, and how the paths in it begin: those of all shards and logical clusters. */
export interface CacheServer {
  readonly upstream: Upstream;
  readonly path: (path: string) => string;
}

export type FeedContext = Pick<ServiceContext, 'options' | 'control' | 'connect' | 'run' | 'log' | 'metrics' | 'onStop'>;

export interface FeedOptions extends Pick<InformerOptions<Kept>, 'clock' | 'backoff' | 'timing'> {
  /** The cache server, where somebody is connected with it already. Default: as `--cache-kubeconfig` says. */
  readonly cache?: CacheServer;
  /** Milliseconds that a shard may be out of touch until no answers are made from what is known of it; default 10,000. */
  readonly staleAfter?: number;
  /** Default: with the certificate of `--kubeconfig`. */
  readonly connections?: ShardConnections;
}

/** Nothing is answered about a shard until it is followed again: it is tried sooner than others try. */
const BACKOFF = { max: 5_000 };

const CACHED = '/services/cache/shards/*/clusters/*';
const SHARDS_PATH = '/apis/core.kcp.io/v1alpha1/shards';

/** kcp's name for the shard that has the logical cluster `root`. */
const ROOT_SHARD = 'root';

interface Followed {
  readonly connection: ShardConnection;
  readonly feed: ShardFeed;
  address: URL;
}

/** Rejects when a kubeconfig cannot be used, or has no certificate that shards could know. Servers that are down are waited for. */
export async function startFeed(context: FeedContext, index: IndexWriter, options: FeedOptions = {}): Promise<Feed> {
  const { log } = context;
  const { staleAfter, clock, backoff = BACKOFF, timing } = options;
  const following = { ...(clock && { clock }), backoff, ...(timing && { timing }) };
  const cache = options.cache ?? (await cacheOf(context));
  const connections = options.connections ?? (await connectionsOf(context));
  const followed = new Map<string, Followed>();
  let wasReady = false;

  const unlisted = (): string | undefined =>
    list.addresses.size === 0 ? 'it is not known yet which shards there are' : undefined;
  const freshness = createFreshness({
    ...{ unlisted, ...(clock && { clock }), ...(staleAfter !== undefined && { staleAfter }) },
    onChange(shard, reason) {
      if (reason === undefined) log.info({ shard }, 'what is known of a shard is current');
      else log.warn({ shard, reason }, 'what is known of a shard is not current any more');
    },
    onError: err => log.error({ err }, 'an answer could not be ended whose shard is not current any more'),
  });

  const begin = (shard: string, address: URL): void => {
    const connection = connections.connect(shard, address);
    const upstream = connection.control;
    const feed = startShardFeed({ shard, upstream, index, log, ...following });
    followed.set(shard, { connection, feed, address });
    freshness.add(shard, { upstream, missing: feed.missing, connected: feed.connected });
    log.info({ shard, server: address.origin }, 'following a shard');
  };
  const close = async (shard: string, { connection, feed }: Followed): Promise<void> => {
    feed.stop();
    await connection.close().catch((err: unknown) => log.warn({ err, shard }, 'connections with a shard cannot be closed'));
  };
  const end = (shard: string, gone: Followed): void => {
    followed.delete(shard);
    void close(shard, gone);
    index.forgetShard(shard);
    log.info({ shard }, 'a shard is followed no more');
  };
  const move = (shard: string, moved: Followed, address: URL): void => {
    moved.address = address;
    moved.connection
      .moveTo(address)
      .catch((err: unknown) => log.warn({ err, shard }, 'connections with the old address of a shard cannot be closed'));
    log.info({ shard, server: address.origin }, 'a shard has another address');
  };

  const apply = (addresses: ShardAddresses): void => {
    for (const [shard, gone] of [...followed]) if (!addresses.get(shard)) end(shard, gone);
    for (const shard of listed) if (!addresses.has(shard)) freshness.remove(shard);
    for (const [shard, address] of addresses) {
      const known = followed.get(shard);
      if (address === undefined) freshness.add(shard);
      else if (known === undefined) begin(shard, address);
      else if (known.address.origin !== address.origin) move(shard, known, address);
    }
    listed = [...addresses.keys()];
  };
  let listed: readonly string[] = [];

  const list = followShardList({
    ...{ upstream: cache.upstream, path: cache.path(SHARDS_PATH), log, onChange: apply },
    ...following,
  });
  observe(context, connections, followed);
  context.run(list.informer);

  const stop = async (): Promise<void> => {
    list.informer.stop();
    freshness.stop();
    connections.stop();
    const open = [...followed];
    followed.clear();
    await Promise.all(open.map(([shard, one]) => close(shard, one)));
  };
  context.onStop(stop);

  return {
    freshness,
    controlOf: shard => followed.get(shard)?.connection.control,
    upstreamOf: shard => followed.get(shard)?.connection.callers,
    rootShard: () => (followed.has(ROOT_SHARD) ? ROOT_SHARD : undefined),
    ready() {
      if (wasReady) return undefined;
      const reason = unlisted() ?? whyUnread(list.addresses, followed);
      // A shard that joins, or is away, later: what is not about it is still answered.
      wasReady = reason === undefined;
      return reason;
    },
    stop,
  };
}

function whyUnread(addresses: ShardAddresses, followed: ReadonlyMap<string, Followed>): string | undefined {
  const unread = [...addresses.keys()].filter(shard => followed.get(shard)?.feed.missing().length !== 0);
  return unread.length === 0 ? undefined : `waiting for the shards ${unread.sort().join(', ')}`;
}

function connectionsOf({ options, log }: FeedContext): Promise<ShardConnections> {
  return createShardConnections(options, {
    onError: err =>
      log.warn({ err }, 'the credentials for shards have changed and cannot be used; the last good ones stay in force'),
  });
}

/** Without a cache server of its own the shard has one embedded, whatever path its kubeconfig has. */
async function cacheOf({ options, control, connect }: FeedContext): Promise<CacheServer> {
  const own = options.cacheKubeconfig ? await connect(options.cacheKubeconfig, 'cache') : undefined;
  return { upstream: own ?? control, path: path => `${own?.basePath ?? ''}${CACHED}${path}` };
}

/** By resource and purpose, for all shards together: shards come and go. */
function observe({ metrics }: FeedContext, connections: ShardConnections, followed: ReadonlyMap<string, Followed>): void {
  for (const resource of RESOURCES) {
    metrics.observeInformer(resource, () => {
      const all = [...followed.values()].map(({ feed }) => feed.observe(resource));
      return { synced: all.every(({ synced }) => synced), relists: all.reduce((sum, { relists }) => sum + relists, 0) };
    });
  }
  metrics.observeUpstream('shards', { stats: () => connections.stats('callers') });
  metrics.observeUpstream('shards control', { stats: () => connections.stats('control') });
}
