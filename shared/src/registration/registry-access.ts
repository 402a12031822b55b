import { type ClusterAccess, loadKubeconfig } from '../config/cluster-access.ts';
import { followAccess } from '../config/follow-access.ts';
import { connectKubeconfig, upstreamFor } from '../config/kubeconfig.ts';
import type { Options } from '../config/options.ts';
import { shardTls, withCertificate } from '../config/shard-access.ts';
import { clusterOf, type KubeList, type KubeObject } from '../kube/objects.ts';
import type { Logger } from '../observe/log.ts';
import type { TlsMaterial } from '../upstream/endpoint.ts';
import { requestJson } from '../upstream/json.ts';
import { createUpstream, type ManagedUpstream } from '../upstream/pool.ts';

/** The workspace with the VirtualWorkspace objects, connected. `upstream.close()` ends all of it. */
export interface Registry {
  readonly upstream: ManagedUpstream;
  /** Before `/apis` in its paths: `/clusters/root`. */
  readonly basePath: string;
  /** For messages: its URL, and how it was found. */
  readonly description: string;
}

export type RegistryOptions = Pick<Options, 'registration' | 'kubeconfig' | 'context' | 'cacheKubeconfig' | 'limits'>;

export interface ConnectRegistryOptions {
  /** Milliseconds between two looks at files of credentials. */
  readonly intervalMs?: number;
}

/** The logical cluster with the objects, where nothing else is said, and the name of the shard that has it. */
const ROOT = 'root';
const ROOT_PATH = `/clusters/${ROOT}`;
/** Below the path of a cache server; its clients put the first part there themselves, as kcp's do. */
const SHARDS_PATH = '/services/cache/shards/*/clusters/*/apis/core.kcp.io/v1alpha1/shards';
const TIMEOUT_MS = 10_000;
const NEEDED = 'which the root shard could know: give --registration-kubeconfig';

export interface Shard extends KubeObject {
  readonly spec?: { readonly baseURL?: string };
}

/**
 * Connects with the workspace that `--registration-kubeconfig` names, else with `root` on the root shard, which the cache server knows. Nothing
 * is asked of that workspace yet. Rejects with one sentence that says what was tried; whoever calls tries again, since the root shard may come up later.
 */
export async function connectRegistry(
  options: RegistryOptions,
  log: Pick<Logger, 'warn'>,
  { intervalMs }: ConnectRegistryOptions = {},
): Promise<Registry> {
  const { registration, limits } = options;
  const following = {
    onError: (err: Error) =>
      log.warn({ err }, 'the credentials for the registry have changed and cannot be used; the last good ones stay in force'),
    ...(intervalMs !== undefined && { intervalMs }),
  };
  if (registration.kubeconfig !== undefined) {
    const access = await loadKubeconfig(registration.kubeconfig);
    const upstream = upstreamFor(access, limits, 'registry', following);
    return { upstream, basePath: upstream.basePath, description: access.server.href };
  }
  const access = await shardAccess(options);
  const server = await rootShard(options, access);
  const tls = (from: ClusterAccess): { readonly tls: TlsMaterial } => ({ tls: shardTls(from, server) });
  const upstream = createUpstream({ name: 'registry', origin: server, limits, ...tls(access) });
  const stop = followAccess(access, next => upstream.setCredentials(tls(withCertificate(next, NEEDED))), following);
  return {
    upstream: {
      ...upstream,
      async close() {
        stop();
        await upstream.close();
      },
    },
    basePath: upstream.basePath,
    description: `${server.href}, found by way of the cache server`,
  };
}

async function shardAccess({ kubeconfig, context }: RegistryOptions): Promise<ClusterAccess> {
  if (kubeconfig === '') {
    throw new Error('there is neither --registration-kubeconfig nor --kubeconfig, which the registry could be found with');
  }
  return withCertificate(await loadKubeconfig(kubeconfig, { context }), NEEDED);
}

/** The URL of the workspace `root`, as the cache server knows its shard. */
async function rootShard(options: RegistryOptions, access: ClusterAccess): Promise<URL> {
  const { cacheKubeconfig, limits } = options;
  // Without a cache server of its own the shard has one embedded, whatever path its kubeconfig has.
  const cache = cacheKubeconfig
    ? await connectKubeconfig(cacheKubeconfig, { role: 'cache', limits })
    : upstreamFor(access, limits, 'cache of the shard');
  try {
    const path = `${cacheKubeconfig ? cache.basePath : ''}${SHARDS_PATH}`;
    return await askForRoot(cache, path, `kubeconfig ${cacheKubeconfig ?? access.file}`);
  } finally {
    await cache.close();
  }
}

async function askForRoot(cache: ManagedUpstream, path: string, from: string): Promise<URL> {
  const tried = `the root shard was looked for in the cache server of ${from}`;
  const request = { method: 'GET', path, timeout: TIMEOUT_MS };
  const { status, body } = await requestJson<Partial<KubeList<Shard>> & { message?: string }>(cache, request).catch(cause => {
    throw new Error(`${tried}, which cannot be asked: ${(cause as Error).message}`, { cause });
  });
  if (status !== 200) throw new Error(`${tried}, which answered ${status}: ${body.message ?? 'without a reason'}`);
  // Another workspace may have a type of this name, and an object in it.
  const shard = body.items?.find(item => item.metadata?.name === ROOT && clusterOf(item) === ROOT);
  if (!shard) throw new Error(`${tried}, which has no Shard "${ROOT}"`);
  const url = URL.parse(shard.spec?.baseURL ?? '');
  if (url?.protocol !== 'https:') {
    throw new Error(`${tried}, where its spec.baseURL is not https: ${JSON.stringify(shard.spec?.baseURL)}`);
  }
  return new URL(`${url.origin}${url.pathname.replace(/\/+$/, '')}${ROOT_PATH}`);
}
