import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import type { RequestRef } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type PolicyRule, rulesAllow } from '@kcp-vw/shared/kube/rbac.ts';

export const RBAC_GROUP = 'rbac.authorization.k8s.io';

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

interface Role extends KubeObject {
  readonly rules?: readonly PolicyRule[] | null;
}

interface Binding extends KubeObject {
  readonly subjects?: readonly Subject[] | null;
  readonly roleRef: { readonly kind: string; readonly name: string };
}

/** The RBAC objects that decide together: those of one logical cluster, or of several merged. */
export interface RbacObjects {
  clusterRole(name: string): KubeObject | undefined;
  clusterRoleBindings(): readonly KubeObject[];
  role(namespace: string, name: string): KubeObject | undefined;
  roleBindings(namespace: string): readonly KubeObject[];
}

/** Whether a role that is bound to any of the users allows the request, as Kubernetes' RBAC authorizer decides it. */
export function rbacAllows(objects: RbacObjects, users: readonly Identity[], request: RequestRef): boolean {
  const { namespace } = request;
  for (const object of objects.clusterRoleBindings()) {
    const binding = object as Binding;
    if (!appliesToAny(binding, users, '')) continue;
    if (rulesAllow(rulesOf(objects.clusterRole(binding.roleRef.name)), request)) return true;
  }
  if (namespace === '') return false;
  for (const object of objects.roleBindings(namespace)) {
    const binding = object as Binding;
    if (!appliesToAny(binding, users, namespace)) continue;
    const { kind, name } = binding.roleRef;
    const role = kind === 'ClusterRole' ? objects.clusterRole(name) : objects.role(namespace, name);
    // A namespaced binding says nothing about paths.
    if (request.isResourceRequest && rulesAllow(rulesOf(role), request)) return true;
  }
  return false;
}

/** A binding to a role that does not exist gives nothing. */
export const rulesOf = (role: KubeObject | undefined): readonly PolicyRule[] => (role as Role | undefined)?.rules ?? [];

const appliesToAny = ({ subjects }: Binding, users: readonly Identity[], namespace: string): boolean =>
  (subjects ?? []).some(subject => users.some(user => appliesTo(subject, user, namespace)));

function appliesTo(subject: Subject, user: Identity, namespace: string): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.name === user.name;
    case 'Group':
      return user.groups.includes(subject.name);
    case 'ServiceAccount':
      return user.name === `system:serviceaccount:${subject.namespace || namespace}:${subject.name}`;
    default:
      return false;
  }
}
