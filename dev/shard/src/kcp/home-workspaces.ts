/**
 * Home workspaces: whoever asks root for the workspace `~` gets one of his own, which no workspace is above and no list shows. It is made
 * when it is asked for first.
 */
import { sendText } from '@kcp-vw/shared/answer/send.ts';
import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import { forbidden } from '@kcp-vw/shared/kube/errors.ts';
import { JSON_OFFERS, negotiate } from '@kcp-vw/shared/kube/media-type.ts';
import { type KubeObject, PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValues } from '@kcp-vw/shared/listener/headers.ts';
import { homeClusterOf } from '@kcp-vw/shared/target/home-cluster.ts';
import type { RequestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { sendBody } from '../api/send.ts';
import type { Authorize } from './authorizer.ts';
import { clusterRoleBinding } from './bootstrap-policy.ts';
import { recordedUser } from './identity.ts';
import { withPendingNames } from './logical-cluster-admission.ts';
import { ADMIN_BINDING } from './logical-cluster-controller.ts';
import { DELETION_FINALIZER } from './logical-cluster-state.ts';
import type { Loopback } from './loopback.ts';
import { compact, type LogicalCluster } from './objects.ts';
import {
  CLUSTER_ROLE_BINDINGS,
  LOGICAL_CLUSTER_NAME,
  LOGICAL_CLUSTERS,
  OWNER_ANNOTATION,
  ROOT,
  TYPE_ANNOTATION,
  WORKSPACES,
} from './refs.ts';
import { logicalClusterOf } from './workspace-paths.ts';
import { findType, initializersOf, typeClosure } from './workspace-types.ts';

const HOME = '~';
const HOME_TYPE = { path: ROOT, name: 'home' };
const CREATION_TIMEOUT = 60_000;
const NOT_PERMITTED = 'workspace access not permitted';

export interface HomeContext {
  readonly objects: Loopback;
  readonly authorize: Authorize;
}

export const isHomeRequest = (cluster: string, { isResourceRequest, verb, apiGroup, resource, name }: RequestInfo): boolean =>
  cluster === ROOT &&
  isResourceRequest &&
  verb === 'get' &&
  apiGroup === WORKSPACES.group &&
  resource === WORKSPACES.resource &&
  name === HOME;

/**
 * Answers with the home workspace of the user, once it is there; until then with 429. Nobody is asked whether he may get it: what counts is
 * whether he may create one. Throws a StatusError 403.
 */
export async function serveHomeWorkspace(exchange: Exchange, user: Identity, request: RequestInfo, context: HomeContext) {
  const { objects } = context;
  const cluster = homeClusterOf(user.name);
  if (logicalClusterOf(objects, cluster) === undefined) createHome(user, cluster, request, context);
  const home = begun(objects, cluster, user);
  if (home.status?.phase === 'Initializing') {
    const age = Date.now() - Date.parse(home.metadata.creationTimestamp ?? '');
    if (age > CREATION_TIMEOUT) return sendFailure(exchange, 'home workspace creation timeout');
    return sendRetry(exchange);
  }
  const { mediaType } = negotiate(headerValues(exchange.headers, 'accept').join(',') || undefined, JSON_OFFERS);
  return sendBody(exchange, 200, mediaType, Buffer.from(`${JSON.stringify(homeWorkspace(home, cluster))}\n`));
}

/** Throws a StatusError 403 for whom may create no workspace of that name in root. */
function createHome(user: Identity, cluster: string, request: RequestInfo, { objects, authorize }: HomeContext): void {
  const attributes = { ...request, verb: 'create', subresource: '', namespace: '' };
  if (!authorize(ROOT, user, attributes).allowed) throw forbidden(user.name, attributes, NOT_PERMITTED);
  const type = findType(objects, HOME_TYPE);
  if (type === undefined) throw new Error(`there is no workspace type ${HOME_TYPE.path}:${HOME_TYPE.name}`);
  const initializers = initializersOf(typeClosure(objects, type));
  const createdBy = recordedUser(user);
  const created: LogicalCluster = {
    metadata: {
      name: LOGICAL_CLUSTER_NAME,
      annotations: {
        [OWNER_ANNOTATION]: JSON.stringify(createdBy),
        [TYPE_ANNOTATION]: `${HOME_TYPE.path}:${HOME_TYPE.name}`,
        [PATH_ANNOTATION]: `user:${user.name}`,
      },
      finalizers: [DELETION_FINALIZER],
    },
    spec: compact({ directlyDeletable: false, createdBy, ...(initializers.length > 0 && { initializers }) }),
    status: { phase: 'Scheduling' },
  };
  objects.create(LOGICAL_CLUSTERS, cluster, created);
}

/** The logical cluster, on its way: the user is its administrator, and it is no longer to be scheduled. */
function begun(objects: Loopback, cluster: string, user: Identity): LogicalCluster {
  const found = logicalClusterOf(objects, cluster);
  if (found === undefined) throw new Error(`the home workspace ${cluster} has gone`);
  if (found.status?.phase !== 'Scheduling') return found;
  if (objects.get(CLUSTER_ROLE_BINDINGS, cluster, ADMIN_BINDING) === undefined) {
    const binding = clusterRoleBinding(ADMIN_BINDING, 'cluster-admin', [{ kind: 'User', name: user.name }]);
    objects.create(CLUSTER_ROLE_BINDINGS, cluster, binding);
  }
  const next = withPendingNames({ ...found, status: { ...found.status, phase: 'Initializing' } }, found);
  return objects.updateStatus(LOGICAL_CLUSTERS, cluster, next) as LogicalCluster;
}

/** Nothing that is stored: it has the name of the logical cluster's only object, as with kcp. */
function homeWorkspace({ metadata, status = {} }: LogicalCluster, cluster: string): KubeObject {
  const { phase, URL, conditions, initializers } = status;
  return {
    kind: 'Workspace',
    apiVersion: `${WORKSPACES.group}/v1alpha1`,
    metadata: compact({ name: metadata.name ?? '', creationTimestamp: metadata.creationTimestamp ?? null }),
    spec: compact({ cluster, URL }),
    status: compact({ phase, conditions, initializers }),
  };
}

function sendRetry(exchange: Exchange): void {
  const text = 'Creating the home workspace\n';
  exchange.writeHead(429, [
    ...['content-type', 'text/plain; charset=utf-8', 'retry-after', '1', 'x-content-type-options', 'nosniff'],
    ...['content-length', String(Buffer.byteLength(text))],
  ]);
  exchange.end(text);
}

const sendFailure = (exchange: Exchange, why: string): void =>
  sendText(exchange, 500, `Internal Server Error: "${exchange.url}": ${why}\n`);
