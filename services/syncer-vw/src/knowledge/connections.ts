import { type ClusterAccess, loadKubeconfig } from '@kcp-vw/shared/config/cluster-access.ts';
import { type FollowAccessOptions, followAccess } from '@kcp-vw/shared/config/follow-access.ts';
import type { Options } from '@kcp-vw/shared/config/options.ts';
import { shardTls } from '@kcp-vw/shared/config/shard-access.ts';
import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import { createUpstream, type ManagedUpstream, type UpstreamCredentials } from '@kcp-vw/shared/upstream/pool.ts';
import { statsOfAll } from '@kcp-vw/shared/upstream/stats.ts';
import type { Upstream, UpstreamStats } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Connections } from './knowledge.ts';
import { refuseMasters } from './own-identity.ts';
import { prefixedUpstream } from './prefixed-upstream.ts';

export type Purpose = 'callers' | 'control';

/** Connections with the credentials of one kubeconfig. */
export interface OwnConnections extends Connections {
  /** What the kubeconfig said at first. */
  readonly access: ClusterAccess;
  /** The server of the kubeconfig, with the path that it has there. */
  readonly server: URL;
  /** Closes what there is with other origins than those of `urls` and of the kubeconfig; what is in flight with them fails. */
  prune(urls: Iterable<string>): Promise<void>;
  /** Of all servers together. */
  stats(purpose: Purpose): UpstreamStats;
}

export type ConnectionOptions = Pick<Options, 'kubeconfig' | 'context' | 'limits'>;

/** Two pools each: the shards of a kcp, and its front proxy. */
const MOST_ORIGINS = 200;
/** Paths of one server. More are served as well, but are not remembered. */
const MOST_PATHS = 10_000;

interface Server {
  readonly url: URL;
  readonly pools: Readonly<Record<Purpose, ManagedUpstream>>;
  /** By purpose and path, the one asked for last at the end. */
  readonly paths: Map<string, Upstream>;
}

/** Rejects with one sentence when the kubeconfig cannot be used, or is that of masters. Its files are followed from then on. */
export async function createConnections(
  { kubeconfig, context, limits }: ConnectionOptions,
  following: FollowAccessOptions = {},
): Promise<OwnConnections> {
  const first = await loadKubeconfig(kubeconfig, { context });
  refuseMasters(first);
  const servers = new Map<string, Server>();
  let access = first;
  let isClosed = false;

  const stop = followAccess(
    first,
    next => {
      if (next.server.href !== first.server.href) {
        throw new Error(`kubeconfig ${first.file}: its server changed to ${next.server.href}, which takes effect with a restart`);
      }
      refuseMasters(next);
      access = next;
      for (const { url, pools } of servers.values()) {
        for (const pool of Object.values(pools)) pool.setCredentials(credentialsFor(next, url));
      }
    },
    following,
  );

  const serverAt = (url: URL): Server => {
    const known = servers.get(url.origin);
    if (known) return known;
    if (isClosed) throw serviceUnavailable('this process is stopping');
    if (servers.size >= MOST_ORIGINS) throw serviceUnavailable(`there are connections with ${MOST_ORIGINS} servers already`);
    const origin = new URL(url.origin);
    const pool = (name: string): ManagedUpstream => createUpstream({ name, origin, limits, ...credentialsFor(access, origin) });
    const pools = { callers: pool(url.origin), control: pool(`${url.origin} (control)`) };
    const server = { url: origin, pools, paths: new Map() };
    servers.set(url.origin, server);
    return server;
  };

  return {
    access: first,
    server: first.server,
    at(text, purpose) {
      const url = serverUrl(text, first.server);
      const { pools, paths } = serverAt(url);
      const prefix = url.pathname.replace(/\/+$/, '');
      const key = `${purpose} ${prefix}`;
      const upstream = paths.get(key) ?? prefixedUpstream(pools[purpose], prefix);
      paths.delete(key);
      paths.set(key, upstream);
      if (paths.size > MOST_PATHS) paths.delete(paths.keys().next().value ?? '');
      return upstream;
    },
    async prune(urls) {
      const used = new Set([first.server.origin, ...[...urls].map(url => serverUrl(url, first.server).origin)]);
      const unused = [...servers].filter(([origin]) => !used.has(origin));
      for (const [origin] of unused) servers.delete(origin);
      await Promise.all(unused.map(([, server]) => closePools(server)));
    },
    stats: purpose => statsOfAll([...servers.values()].map(({ pools }) => pools[purpose])),
    async close() {
      isClosed = true;
      stop();
      const all = [...servers.values()];
      servers.clear();
      await Promise.all(all.map(closePools));
    },
  };
}

async function closePools({ pools }: Server): Promise<void> {
  await Promise.all(Object.values(pools).map(pool => pool.close()));
}

/** Throws for a server that would be told the credentials in the clear, and for what would be dropped on the way. */
function serverUrl(text: string, own: URL): URL {
  const url = URL.parse(text);
  if (url === null) throw new Error(`${JSON.stringify(text)} is not a URL`);
  if (url.protocol !== 'https:' && url.origin !== own.origin) {
    throw new Error(`${url.origin} must be https, for credentials would travel in the clear`);
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new Error(`the URL of ${url.origin} may have a path, nothing else`);
  }
  return url;
}

/** Only the authority of the kubeconfig says which server is told its token: whoever may write a Shard names any address. */
const credentialsFor = (access: ClusterAccess, at: URL): UpstreamCredentials => ({
  tls: shardTls(access, at),
  ...(access.token && { authorization: () => access.token }),
});
