import { type ClusterAccess, loadKubeconfig } from '../config/cluster-access.ts';
import { type FileWatch, watchFiles } from '../config/files.ts';
import type { Limits } from '../config/options.ts';
import { isOrigin } from '../config/origin.ts';
import { serviceUnavailable } from '../kube/errors.ts';
import { requestJson } from '../upstream/json.ts';
import { createUpstream, type ManagedUpstream, type UpstreamCredentials } from '../upstream/pool.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { isRecord, textOf } from './records.ts';

const SHARDS = '/clusters/root/apis/core.kcp.io/v1alpha1/shards';
const TIMEOUT_MS = 10_000;
/** Milliseconds that the list of shards is taken to be as it was; after a failure it is asked for sooner. */
const LIST_EVERY_MS = 30_000;
const LIST_AGAIN_MS = 2_000;
/** Before an exec plugin's credentials expire they are asked for again. */
const RENEW_BEFORE_MS = 60_000;

/** The shards of this kcp, each with connections of our own. */
export interface Shards {
  /** Throws a StatusError 503 as long as there has been no list. */
  all(): Promise<KnownShards>;
  close(): Promise<void>;
}

export interface KnownShards {
  /** By their names. */
  readonly known: ReadonlyMap<string, Upstream>;
  /** False: there is one whose address cannot be used. */
  readonly isComplete: boolean;
}

export interface ShardsOptions {
  /** A kubeconfig for the root shard, with credentials that all shards know. The path of its server does not count. */
  readonly kubeconfig: string;
  readonly limits: Pick<Limits, 'watchStreams'>;
  /** The list cannot be had, a shard's address or a changed file cannot be used; what was known stays. */
  readonly onError: (error: Error) => void;
  readonly clock?: () => number;
}

interface Connected {
  readonly server: string;
  readonly upstream: ManagedUpstream;
}

/**
 * Follows the Shard objects of the root shard, by asking for them when somebody needs them. Rejects when the kubeconfig cannot be used; shards
 * that are down keep nothing from starting.
 */
export async function connectShards({
  kubeconfig,
  limits,
  onError,
  clock = () => performance.now(),
}: ShardsOptions): Promise<Shards> {
  let access = await loadKubeconfig(kubeconfig);
  const connect = (name: string, server: string, credentials: UpstreamCredentials): ManagedUpstream =>
    createUpstream({ name, origin: new URL(server), limits, ...credentials });
  const root = connect('root shard', access.server.origin, credentialsOfRoot(access));
  const shards = new Map<string, Connected>();
  let known: KnownShards | undefined;
  let underWay: Promise<void> | undefined;
  let listAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  const reload = async (): Promise<void> => {
    const next = await loadKubeconfig(kubeconfig);
    if (next.server.origin !== access.server.origin) {
      throw new Error(`kubeconfig ${kubeconfig}: its server changed to ${next.server.href}, which takes effect with a restart`);
    }
    access = next;
    root.setCredentials(credentialsOfRoot(access));
    for (const { upstream } of shards.values()) upstream.setCredentials(credentialsOf(access));
  };
  const watch: FileWatch = watchFiles(access.files, reload, { onError });

  /** Connections follow the addresses. */
  const sync = async (servers: ReadonlyMap<string, string>): Promise<void> => {
    const gone = [...shards].filter(([name, { server }]) => servers.get(name) !== server);
    for (const [name] of gone) shards.delete(name);
    for (const [name, server] of servers) {
      if (!shards.has(name)) shards.set(name, { server, upstream: connect(name, server, credentialsOf(access)) });
    }
    await Promise.all(gone.map(([, { upstream }]) => upstream.close()));
  };

  const list = async (): Promise<void> => {
    try {
      if (access.expires !== undefined && access.expires - Date.now() < RENEW_BEFORE_MS) await reload();
      const { servers, unusable } = await listServers(root);
      if (closed) return;
      if (unusable.length > 0) onError(new Error(`these shards have no https address in spec.baseURL: ${unusable.join(', ')}`));
      await sync(servers);
      known = {
        known: new Map([...shards].map(([name, { upstream }]) => [name, upstream])),
        isComplete: unusable.length === 0,
      };
      listAt = clock() + LIST_EVERY_MS;
    } catch (cause) {
      if (closed) return;
      listAt = clock() + LIST_AGAIN_MS;
      onError(new Error(`the shards cannot be listed: ${cause instanceof Error ? cause.message : cause}`, { cause }));
    }
  };

  return {
    async all() {
      if (clock() >= listAt) {
        underWay ??= list().finally(() => {
          underWay = undefined;
        });
      }
      // Who is known already is not waited for.
      if (known === undefined) await underWay;
      if (known === undefined)
        throw serviceUnavailable('a service account cannot be looked up now: the shards are not known yet', 2);
      return known;
    },
    async close() {
      closed = true;
      watch.close();
      await Promise.all([root, ...[...shards.values()].map(({ upstream }) => upstream)].map(upstream => upstream.close()));
    },
  };
}

interface Servers {
  readonly servers: ReadonlyMap<string, string>;
  /** Names of those whose address is none. */
  readonly unusable: readonly string[];
}

async function listServers(root: Upstream): Promise<Servers> {
  const { status, body } = await requestJson<unknown>(root, { method: 'GET', path: SHARDS, timeout: TIMEOUT_MS });
  const items = isRecord(body) && Array.isArray(body.items) ? (body.items as readonly unknown[]) : undefined;
  if (status !== 200 || items === undefined) throw new Error(`the root shard answered ${status}`);
  const servers = new Map<string, string>();
  const unusable: string[] = [];
  for (const item of items) {
    if (!isRecord(item)) throw new Error('the root shard answered with a list of something else');
    const name = textOf(item.metadata, 'name') ?? '';
    const server = textOf(item.spec, 'baseURL') ?? '';
    if (name !== '' && isOrigin(server)) servers.set(name, new URL(server).origin);
    else unusable.push(name);
  }
  return { servers, unusable };
}

/** The name that the kubeconfig gives the server in TLS is the root shard's own, and nobody else's. */
const credentialsOfRoot = (access: ClusterAccess): UpstreamCredentials => {
  const { tls, ...others } = credentialsOf(access);
  return { ...others, tls: { ...tls, ...(access.servername && { servername: access.servername }) } };
};

function credentialsOf({ ca, cert, key, token }: ClusterAccess): UpstreamCredentials {
  return {
    tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    ...(token && { authorization: () => token }),
  };
}
