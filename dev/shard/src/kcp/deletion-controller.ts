import { parseStorageKey, resourceKey } from '../store/definition.ts';
import { DELETION_FINALIZER } from './logical-cluster-state.ts';
import type { Loopback } from './loopback.ts';
import { API_BINDINGS, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, LOGICAL_CLUSTERS } from './refs.ts';
import { logicalClusterOf } from './workspace-paths.ts';

/** Kept until everything else has gone, so that people can still look, and the trigger itself. */
const LAST: ReadonlySet<string> = new Set([LOGICAL_CLUSTERS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS].map(resourceKey));

/** Milliseconds until content that has finalizers is looked at again. */
const LOOK_AGAIN = 500;

/**
 * Empties a logical cluster that is being deleted, while terminators still work in it, and then lets it go. Returns when to look again;
 * undefined: when something changes.
 */
export function reconcileDeletionOf(objects: Loopback, cluster: string): number | undefined {
  const current = logicalClusterOf(objects, cluster);
  if (!current?.metadata.deletionTimestamp) return undefined;
  const remaining = () => objects.store.contents(cluster).filter(({ resource }) => !LAST.has(resource));
  for (const { resource, object } of remaining()) {
    // Bindings go last: they are what the objects of bound resources are served by.
    if (resource !== resourceKey(API_BINDINGS)) remove(objects, cluster, resource, object.metadata ?? {});
  }
  if (remaining().every(({ resource }) => resource === resourceKey(API_BINDINGS))) {
    for (const { resource, object } of remaining()) remove(objects, cluster, resource, object.metadata ?? {});
  }
  if (remaining().length > 0) return LOOK_AGAIN;
  const finalizers = current.metadata.finalizers ?? [];
  if (!finalizers.includes(DELETION_FINALIZER)) return undefined;
  for (const ref of [CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES]) {
    for (const { metadata } of objects.list(ref, cluster)) objects.delete(ref, cluster, metadata?.name ?? '');
  }
  // Removing objects has told listeners, who may have changed this one.
  const latest = logicalClusterOf(objects, cluster);
  if (latest === undefined) return undefined;
  const kept = (latest.metadata.finalizers ?? []).filter(finalizer => finalizer !== DELETION_FINALIZER);
  objects.update(LOGICAL_CLUSTERS, cluster, { ...latest, metadata: { ...latest.metadata, finalizers: kept } });
  return undefined;
}

function remove(
  objects: Loopback,
  cluster: string,
  resource: string,
  { name = '', namespace = '', deletionTimestamp }: { name?: string; namespace?: string; deletionTimestamp?: string | null },
): void {
  if (deletionTimestamp) return;
  objects.delete(parseStorageKey(resource), cluster, name, namespace);
}
