import { type Identity, isLifecycleGroup, isMasters } from '@kcp-vw/shared/authn/identity.ts';
import type { RequestRef } from '@kcp-vw/shared/kube/errors.ts';
import { LOGICAL_CLUSTER_ADMIN_GROUP } from './bootstrap-policy.ts';
import { effectiveUsers, isInScope, isServiceAccount } from './effective-users.ts';
import type { Reader } from './loopback.ts';
import type { Phase } from './objects.ts';
import { type RbacObjects, rbacAllows } from './rbac.ts';
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, LOCAL_ADMIN_CLUSTER, ROLE_BINDINGS, ROLES } from './refs.ts';
import { logicalClusterOf } from './workspace-paths.ts';

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

/** The chain of a shard: masters, health, then access to the workspace, then the RBAC of the bootstrap policy and of the workspace. */
export function createAuthorizer(objects: Reader): Authorize {
  const bootstrap = rbacOf(objects, [LOCAL_ADMIN_CLUSTER], [LOCAL_ADMIN_CLUSTER]);

  return (cluster, user, request, { deep = false } = {}) => {
    if (isMasters(user)) return MASTERS;
    if (!request.isResourceRequest && ALWAYS_ALLOWED.has(request.path)) return MASTERS;
    // System clusters are for those whom nobody asks.
    if (cluster === '' || cluster === '*' || cluster.startsWith('system:')) return REFUSED;
    const users = effectiveUsers(user, cluster);
    const delegate = (): Decision => (allowedByRoles(cluster, users, request) ? GRANTED : REFUSED);
    if (deep || users.some(({ groups }) => groups.includes(LOGICAL_CLUSTER_ADMIN_GROUP))) return delegate();

    const logicalCluster = logicalClusterOf(objects, cluster);
    if (logicalCluster === undefined) return DENIED;
    const phase = logicalCluster.status?.phase ?? 'Scheduling';
    if (!OPEN_PHASES.has(phase)) return REFUSED;
    // A lifecycle view has decided already, and nobody else can have these groups.
    if (LIFECYCLE_PHASES.has(phase) && user.groups.some(isLifecycleGroup)) return GRANTED;
    const belongsHere = isServiceAccount(user) && isInScope(user, cluster);
    if (!belongsHere && !mayEnter(cluster, users)) return REFUSED;
    return delegate();
  };

  function mayEnter(cluster: string, users: readonly Identity[]): boolean {
    const both = [cluster, LOCAL_ADMIN_CLUSTER];
    return rbacAllows(rbacOf(objects, both, both), users, ACCESS);
  }

  function allowedByRoles(cluster: string, users: readonly Identity[], request: RequestRef): boolean {
    if (isProtectedStatus(request)) return false;
    const local = rbacOf(objects, [cluster, LOCAL_ADMIN_CLUSTER], [cluster]);
    return rbacAllows(bootstrap, users, request) || rbacAllows(local, users, request);
  }
}

/** Written by kcp's own controllers only, whatever an owner's role says. */
function isProtectedStatus({ apiGroup, resource, subresource }: RequestRef): boolean {
  return apiGroup === 'apis.kcp.io' && subresource === 'status' && (resource === 'apibindings' || resource === 'apiexports');
}

/** Roles are looked for in the clusters in their order; all bindings count. */
function rbacOf(objects: Reader, roles: readonly string[], bindings: readonly string[]): RbacObjects {
  const first = (ref: typeof ROLES, name: string, namespace?: string) => {
    for (const cluster of roles) {
      const found = objects.get(ref, cluster, name, namespace);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    clusterRole: name => first(CLUSTER_ROLES, name),
    clusterRoleBindings: () => bindings.flatMap(cluster => objects.list(CLUSTER_ROLE_BINDINGS, cluster)),
    role: (namespace, name) => first(ROLES, name, namespace),
    roleBindings: namespace =>
      bindings.flatMap(cluster =>
        objects.list(ROLE_BINDINGS, cluster).filter(({ metadata }) => metadata?.namespace === namespace),
      ),
  };
}
