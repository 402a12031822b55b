import { sendStatus } from '@kcp-vw/shared/answer/send.ts';
import { type Identity, isMasters } from '@kcp-vw/shared/authn/identity.ts';
import { forbidden, notFound, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue } from '@kcp-vw/shared/listener/headers.ts';
import { type RequestInfo, requestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import type { ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import { handleApi } from '../api/handle.ts';
import { authenticate, type Tokens } from './authentication.ts';
import type { CacheServer } from './cache-server.ts';
import { clusterTarget } from './cluster-target.ts';
import { isHomeRequest, serveHomeWorkspace } from './home-workspaces.ts';
import { impersonated } from './impersonation.ts';
import { isOpenWhileInactive, refuseInactive } from './inactive-clusters.ts';
import { withoutProtobuf } from './protobuf-exchange.ts';
import { LOCAL_ADMIN_CLUSTER, WORKSPACES } from './refs.ts';
import { forwardToVirtualWorkspaces } from './services-proxy.ts';
import type { ShardState } from './shard-state.ts';
import { resolveClusterPath } from './workspace-paths.ts';

export interface ShardContext {
  readonly state: ShardState;
  readonly tokens: Tokens;
  readonly virtualWorkspaces: ManagedUpstream;
  /** Absent: the cache server is embedded in another shard. */
  readonly cache?: CacheServer;
  /** `host:port`, as `/api` tells it. */
  readonly serverAddress: string;
  /** Lets watches of a logical cluster end with it. */
  readonly until: (cluster: string) => (end: (reason: string) => void) => () => void;
}

const DEEP_REVIEW_HEADER = 'x-kcp-internal-deep-subjectaccessreview';

/** What a front proxy has found out about a request. */
export interface Proxied {
  /** The name of the logical cluster that the path leads to; the shard alone could not follow a path over other shards. */
  readonly cluster: string;
  /** Whom a certificate has shown; undefined: the shard must see. */
  readonly user: Identity | undefined;
}

/**
 * One request to a shard: who, in whose name, to which logical cluster, whether, and then the API. Refusals are answered.
 */
export async function handleShardRequest(exchange: Exchange, context: ShardContext, proxied?: Proxied): Promise<void> {
  try {
    await serve(exchange, context, proxied);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    sendStatus(exchange, error);
  }
}

async function serve(exchange: Exchange, context: ShardContext, proxied: Proxied | undefined): Promise<void> {
  const { state, cache, serverAddress } = context;
  const target = parseTarget(exchange.url);
  const caller = proxied?.user ?? authenticate(exchange.headers, exchange.peer, context.tokens);
  const [first, second] = target.segments;
  if (cache && first === 'services' && second === 'cache') return cache.handle(exchange, target, caller, serverAddress);

  const { cluster: named = '', rest } = clusterTarget(target);
  const cluster = proxied?.cluster ?? resolve(named, context);
  if (first !== 'services') refuseInactive(state.objects, cluster, rest.rawPath);
  const survives = cluster === '*' && isOpenWhileInactive(rest.rawPath);
  const user = impersonated(caller, exchange.headers, cluster, state.authorize);
  if (first === 'services') return forwardToVirtualWorkspaces(exchange, target, user, context.virtualWorkspaces);

  const request = requestInfo(exchange.method, rest);
  if (isHomeRequest(cluster, request)) return serveHomeWorkspace(exchange, user, request, state);
  const authorize = (asked: RequestInfo): void => {
    const decision = state.authorize(cluster, user, asked);
    if (!decision.allowed) throw forbidden(user.name, asked, decision.reason);
  };
  authorize(request);
  if (isMasters(user) && headerValue(exchange.headers, DEEP_REVIEW_HEADER) === 'true') state.deepReviewers.add(user);
  // What names no logical cluster is about the shard's own.
  const place = cluster === '' ? LOCAL_ADMIN_CLUSTER : cluster;
  const authorizeCreate = (): void => authorize({ ...request, verb: 'create' });
  // A watch of kcp's would begin and end at once.
  if (!survives) state.endings.refuseCut(cluster);
  const settings = {
    ...{ serverAddress, admit: state.admit, authorizeCreate },
    ...(!survives && { until: context.until(place) }),
  };
  const definition = state.registry.find(place, { group: request.apiGroup, resource: request.resource });
  const inJson = await withoutProtobuf(exchange, definition, request);
  await handleApi(inJson, { cluster: place, rest, request, user }, state.store, state.registry, settings);
}

/** The name of the logical cluster. Throws a StatusError 404 for a path that leads nowhere on this shard. */
function resolve(named: string, { state }: ShardContext): string {
  if (named === '*') return named;
  const cluster = resolveClusterPath(state.objects, named);
  if (cluster === undefined) throw notFound(WORKSPACES, named);
  return cluster;
}
