import { isDeepStrictEqual } from 'node:util';
import { clusterRoleBinding } from './bootstrap-policy.ts';
import { type ShardFacts, withLifecycleMetadata, withNextStatus } from './logical-cluster-state.ts';
import type { Loopback } from './loopback.ts';
import { CLUSTER_ROLE_BINDINGS, LOGICAL_CLUSTERS } from './refs.ts';
import { logicalClusterOf } from './workspace-paths.ts';

/** Gives a workspace to whom it was made for. */
export const ADMIN_BINDING = 'workspace-admin';

/** Moves a logical cluster on: first the metadata that its status asks for, then, at another look, the status. */
export function reconcileLogicalCluster(objects: Loopback, cluster: string, facts: ShardFacts): void {
  const current = logicalClusterOf(objects, cluster);
  if (current === undefined) return;
  const described = withLifecycleMetadata(current, facts);
  if (!isDeepStrictEqual(described.metadata, current.metadata)) {
    objects.update(LOGICAL_CLUSTERS, cluster, described);
    return;
  }
  const next = withNextStatus(current, facts, cluster);
  if (!isDeepStrictEqual(next.status, current.status)) objects.updateStatus(LOGICAL_CLUSTERS, cluster, next);
}

/** Makes the creator of a workspace its administrator. */
export function reconcileOwner(objects: Loopback, cluster: string): void {
  const current = logicalClusterOf(objects, cluster);
  const username = current?.spec?.createdBy?.username;
  if (!username || current?.metadata.deletionTimestamp) return;
  if (objects.get(CLUSTER_ROLE_BINDINGS, cluster, ADMIN_BINDING) !== undefined) return;
  const binding = clusterRoleBinding(ADMIN_BINDING, 'cluster-admin', [{ kind: 'User', name: username }]);
  objects.create(CLUSTER_ROLE_BINDINGS, cluster, binding);
}
