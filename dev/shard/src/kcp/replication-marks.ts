/**
 * Marks what every shard must know. Objects of some kinds always go to the cache; of others (RBAC, logical clusters) only those that an
 * API group has a use for elsewhere, and the mark names these groups.
 */
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { PolicyRule } from '@kcp-vw/shared/kube/rbac.ts';
import { resourceKey } from '../store/definition.ts';
import type { Change } from '../store/event-log.ts';
import type { Loopback } from './loopback.ts';
import { POLICY_SUBJECT_PREFIX } from './maximal-permission-policy.ts';
import {
  API_EXPORTS,
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  LOCAL_ADMIN_CLUSTER,
  LOGICAL_CLUSTER_NAME,
  LOGICAL_CLUSTERS,
  REPLICATE_ANNOTATION,
  WORKSPACE_TYPES,
} from './refs.ts';
import type { WorkQueue } from './work-queue.ts';
import { logicalClusterOf } from './workspace-paths.ts';

type Ref = typeof CLUSTER_ROLES;

const MARKED: readonly Ref[] = [LOGICAL_CLUSTERS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS];

export const isMarked = ({ metadata }: KubeObject): boolean => Boolean(metadata?.annotations?.[REPLICATE_ANNOTATION]);

const keyOf = (ref: Ref, cluster: string, name: string): string => `${resourceKey(ref)}|${cluster}|${name}`;

/** Puts into the queue whose marks a change may change; `reconcileMark` is its work. */
export function queueMarks(queue: WorkQueue, objects: Loopback, { resource, cluster, name, object, previous }: Change): void {
  // What is the shard's own is nobody else's business.
  if (cluster.startsWith('system:')) return;
  const all = (ref: Ref): void => {
    for (const { metadata } of objects.list(ref, cluster)) queue.add(keyOf(ref, cluster, metadata?.name ?? ''));
  };
  switch (resource) {
    case resourceKey(WORKSPACE_TYPES):
    case resourceKey(API_EXPORTS):
      queue.add(keyOf(LOGICAL_CLUSTERS, cluster, LOGICAL_CLUSTER_NAME));
      break;
    case resourceKey(LOGICAL_CLUSTERS):
      queue.add(keyOf(LOGICAL_CLUSTERS, cluster, name));
      if (previous !== undefined && isMarked(previous) === isMarked(object)) break;
      all(CLUSTER_ROLES);
      all(CLUSTER_ROLE_BINDINGS);
      break;
    case resourceKey(CLUSTER_ROLES):
      queue.add(keyOf(CLUSTER_ROLES, cluster, name));
      all(CLUSTER_ROLE_BINDINGS);
      break;
    case resourceKey(CLUSTER_ROLE_BINDINGS):
      queue.add(keyOf(CLUSTER_ROLE_BINDINGS, cluster, name));
      queue.add(keyOf(CLUSTER_ROLES, cluster, (object as Binding).roleRef.name));
  }
}

/** Writes the mark that an object must have, where it has another. */
export function reconcileMark(objects: Loopback, key: string): void {
  const [resource, cluster = '', ...name] = key.split('|');
  const ref = MARKED.find(one => resourceKey(one) === resource);
  const object = ref && objects.get(ref, cluster, name.join('|'));
  if (ref === undefined || object === undefined || object.metadata?.deletionTimestamp) return;
  const { [REPLICATE_ANNOTATION]: current, ...annotations } = object.metadata?.annotations ?? {};
  const groups = [...groupsFor(objects, ref, object)].sort().join(',');
  if (groups === (current ?? '')) return;
  const marked = { ...annotations, ...(groups !== '' && { [REPLICATE_ANNOTATION]: groups }) };
  objects.update(ref, cluster, { ...object, metadata: { ...object.metadata, annotations: marked } });
}

interface Role extends KubeObject {
  readonly rules?: readonly PolicyRule[] | null;
}

interface Binding extends KubeObject {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly name: string }[] | null;
}

const APIS = 'apis.kcp.io';
const TENANCY = 'tenancy.kcp.io';
const CORE = 'core.kcp.io';

function groupsFor(objects: Loopback, ref: Ref, object: KubeObject): ReadonlySet<string> {
  const cluster = clusterOf(object);
  if (ref === LOGICAL_CLUSTERS) {
    const owners = [
      { ref: API_EXPORTS, group: APIS },
      { ref: WORKSPACE_TYPES, group: TENANCY },
    ];
    return new Set(owners.filter(({ ref: one }) => objects.list(one, cluster).length > 0).map(({ group }) => group));
  }
  if (ref === CLUSTER_ROLES) {
    const isOfPolicy = objects
      .list<Binding>(CLUSTER_ROLE_BINDINGS, cluster)
      .some(binding => binding.roleRef.name === object.metadata?.name && hasPolicySubject(binding));
    return new Set([...groupsOfRole(objects, cluster, object), ...(isOfPolicy ? [APIS] : [])]);
  }
  const binding = object as Binding;
  const { kind, name } = binding.roleRef;
  const role = objects.get(CLUSTER_ROLES, cluster, name) ?? objects.get(CLUSTER_ROLES, LOCAL_ADMIN_CLUSTER, name);
  const ofRole = kind === 'ClusterRole' && role !== undefined ? groupsOfRole(objects, cluster, role) : [];
  return new Set([...ofRole, ...(hasPolicySubject(binding) ? [APIS] : [])]);
}

const hasPolicySubject = ({ subjects }: Binding): boolean =>
  (subjects ?? []).some(({ name }) => name.startsWith(POLICY_SUBJECT_PREFIX));

/** The groups that want a role known everywhere, in the logical cluster where it is bound. */
function groupsOfRole(objects: Loopback, cluster: string, { rules }: Role): string[] {
  const groups: string[] = [];
  for (const { apiGroups = [], resources = [], verbs = [], nonResourceURLs = [] } of rules ?? []) {
    const has = (list: readonly string[], ...wanted: string[]): boolean => [...wanted, '*'].some(one => list.includes(one));
    if (has(apiGroups, TENANCY) && has(resources, 'workspacetypes') && has(verbs, 'use', 'initialize', 'terminate')) {
      groups.push(TENANCY);
    }
    if (has(apiGroups, APIS) && ((has(resources, 'apiexports') && has(verbs, 'bind')) || has(resources, 'apiexports/content'))) {
      groups.push(APIS);
    }
    if (has(nonResourceURLs, '/', '/*') && has(verbs, 'access') && isKnownElsewhere(objects, cluster)) groups.push(CORE);
  }
  return groups;
}

function isKnownElsewhere(objects: Loopback, cluster: string): boolean {
  const logicalCluster = logicalClusterOf(objects, cluster);
  return logicalCluster !== undefined && isMarked(logicalCluster);
}
