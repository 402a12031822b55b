import { effectiveUsers, isInScope, isServiceAccount } from '@kcp-vw/shared/authn/effective-users.ts';
import { type Identity, isLifecycleGroup, isMasters } from '@kcp-vw/shared/authn/identity.ts';
import type { RequestRef } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP, LOGICAL_CLUSTER_ADMIN_GROUP } from './bootstrap-policy.ts';
import type { Reader, StoreReader } from './loopback.ts';
import { policyAllows, policyOf } from './maximal-permission-policy.ts';
import type { LogicalCluster, Phase } from './objects.ts';
import { type RbacObjects, rbacAllows, rulesOf } from './rbac.ts';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  LOCAL_ADMIN_CLUSTER,
  LOGICAL_CLUSTER_NAME,
  LOGICAL_CLUSTERS,
  ROLE_BINDINGS,
  ROLES,
} from './refs.ts';
import { hasRequiredGroups } from './required-groups.ts';

export interface Decision {
  readonly allowed: boolean;
  /** An explicit no, and not merely nobody's yes. */
  readonly denied?: boolean;
  /** All that callers are told, whatever it was. */
  readonly reason: string;
}

export interface AuthorizeOptions {
  /** Without regard to access to the workspace: between components of kcp. */
  readonly deep?: boolean;
}

const GRANTED: Decision = Object.freeze({ allowed: true, reason: 'access granted' });
const REFUSED: Decision = Object.freeze({ allowed: false, reason: 'access denied' });
const DENIED: Decision = Object.freeze({ allowed: false, denied: true, reason: 'access denied' });
const MASTERS: Decision = Object.freeze({ allowed: true, reason: '' });

const ALWAYS_ALLOWED: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);

const OPEN_PHASES: ReadonlySet<Phase> = new Set<Phase>(['Initializing', 'Ready', 'Inactive', 'Terminating', 'Deleting']);
const LIFECYCLE_PHASES: ReadonlySet<Phase> = new Set<Phase>(['Initializing', 'Terminating', 'Deleting']);

const ACCESS: RequestRef = Object.freeze({
  isResourceRequest: false,
  path: '/',
  verb: 'access',
  apiGroup: '',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
});

export type Authorize = (cluster: string, user: Identity, request: RequestRef, options?: AuthorizeOptions) => Decision;

/**
 * The chain of a shard: masters, health, then the groups that the workspace requires, access to it, the maximal permission policy of what
 * is bound, then the RBAC of the bootstrap policy and of the workspace. Of the workspaces of other shards it knows what is in the cache.
 */
export function createAuthorizer(objects: Reader): Authorize {
  const here = (cluster: string): Place => ({ objects, cluster });
  const cached = (cluster: string): Place => ({ objects: objects.cache, cluster });
  const policy = here(LOCAL_ADMIN_CLUSTER);
  const bootstrap = rbacOf([policy], [policy]);

  return (cluster, user, request, { deep = false } = {}) => {
    if (isMasters(user)) return MASTERS;
    if (!request.isResourceRequest && ALWAYS_ALLOWED.has(request.path)) return MASTERS;
    // System clusters are for those whom nobody asks.
    if (cluster === '' || cluster === '*' || cluster.startsWith('system:')) return REFUSED;
    const users = effectiveUsers(user, cluster);
    const delegate = (): Decision => {
      const policy = deep ? undefined : policyOf(objects, cluster, request);
      if (policy !== undefined && !policyAllows(policy, cluster, user, request, allowedByPolicy)) return REFUSED;
      return allowedByRoles(cluster, users, request) ? GRANTED : REFUSED;
    };
    const isIn = (group: string): boolean => users.some(({ groups }) => groups.includes(group));
    if (deep || isIn(LOGICAL_CLUSTER_ADMIN_GROUP)) return delegate();

    const logicalCluster = objects.find<LogicalCluster>(LOGICAL_CLUSTERS, cluster, LOGICAL_CLUSTER_NAME);
    // Who asks for the groups first has no opinion of what does not exist. Service accounts need none, and meet the next one, who has.
    if (logicalCluster === undefined) return isServiceAccount(user) ? DENIED : REFUSED;
    const needsGroups = !isServiceAccount(user) && !isIn(EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP);
    if (needsGroups && !hasRequiredGroups(logicalCluster, users)) return DENIED;
    const phase = logicalCluster.status?.phase ?? 'Scheduling';
    if (!OPEN_PHASES.has(phase)) return REFUSED;
    // A lifecycle view has decided already, and nobody else can have these groups.
    if (LIFECYCLE_PHASES.has(phase) && user.groups.some(isLifecycleGroup)) return GRANTED;
    const belongsHere = isServiceAccount(user) && isInScope(user, cluster);
    if (!belongsHere && !mayEnter(cluster, users)) return REFUSED;
    return delegate();
  };

  function mayEnter(cluster: string, users: readonly Identity[]): boolean {
    const all = [here(cluster), cached(cluster), policy];
    return rbacAllows(rbacOf(all, all), users, ACCESS);
  }

  function allowedByPolicy(cluster: string, users: readonly Identity[], request: RequestRef): boolean {
    const all = [here(cluster), cached(cluster), policy];
    return rbacAllows(rbacOf(all, all), users, request);
  }

  function allowedByRoles(cluster: string, users: readonly Identity[], request: RequestRef): boolean {
    if (isProtectedStatus(request)) return false;
    const local = rbacOf([here(cluster), policy], [here(cluster)]);
    const global = rbacOf([cached(cluster), policy], [cached(cluster)]);
    return [bootstrap, local, global].some(rbac => rbacAllows(rbac, users, request));
  }
}

/** Written by kcp's own controllers only, whatever an owner's role says. */
function isProtectedStatus({ apiGroup, resource, subresource }: RequestRef): boolean {
  return apiGroup === 'apis.kcp.io' && subresource === 'status' && (resource === 'apibindings' || resource === 'apiexports');
}

/** A logical cluster, as this shard has it or as the cache does. */
interface Place {
  readonly objects: StoreReader;
  readonly cluster: string;
}

/** Roles of one name have the rules of all places together; all bindings count. */
function rbacOf(roles: readonly Place[], bindings: readonly Place[]): RbacObjects {
  const merged = (ref: typeof ROLES, name: string, namespace?: string): KubeObject | undefined => {
    const all = roles
      .map(({ objects, cluster }) => objects.get(ref, cluster, name, namespace))
      .filter(role => role !== undefined);
    return all.length < 2 ? all[0] : { ...all[0], rules: all.flatMap(rulesOf) };
  };
  return {
    clusterRole: name => merged(CLUSTER_ROLES, name),
    clusterRoleBindings: () => bindings.flatMap(({ objects, cluster }) => objects.list(CLUSTER_ROLE_BINDINGS, cluster)),
    role: (namespace, name) => merged(ROLES, name, namespace),
    roleBindings: namespace =>
      bindings.flatMap(({ objects, cluster }) =>
        objects.list(ROLE_BINDINGS, cluster).filter(({ metadata }) => metadata?.namespace === namespace),
      ),
  };
}
