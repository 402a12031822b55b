import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { parseStorageKey, resourceKey } from './definition.ts';
import type { Change } from './event-log.ts';
import { NAMESPACES } from './kubernetes-resources.ts';
import type { Registry } from './registry.ts';
import type { Store } from './store.ts';

const NAMESPACES_KEY = resourceKey(NAMESPACES);

/**
 * Deletes what is in a namespace that is being deleted, and the namespace when nothing is left. The returned function ends it.
 */
export function runNamespaceLifecycle(store: Store, registry: Registry): () => void {
  return store.onChange(change => {
    const name = namespaceToLookAfter(change);
    const namespace = name === undefined ? undefined : store.get(NAMESPACES, change.cluster, name);
    if (namespace?.metadata?.deletionTimestamp === undefined) return;
    clean(store, registry, change.cluster, namespace);
  });
}

/** The namespace itself, or the one that has just lost an object. */
function namespaceToLookAfter({ type, resource, name, namespace }: Change): string | undefined {
  if (resource === NAMESPACES_KEY) return type === 'MODIFIED' ? name : undefined;
  return type === 'DELETED' && namespace !== '' ? namespace : undefined;
}

function clean(store: Store, registry: Registry, cluster: string, namespace: KubeObject): void {
  const name = namespace.metadata?.name ?? '';
  for (const { definition, object } of contentsOf(store, registry, cluster, name)) {
    if (object.metadata?.deletionTimestamp !== undefined) continue;
    store.delete(definition, { cluster, namespace: name, name: object.metadata?.name ?? '' });
  }
  if (contentsOf(store, registry, cluster, name).length > 0) return;
  const current = store.get(NAMESPACES, cluster, name);
  if (current !== undefined) store.update(NAMESPACES, cluster, { ...current, spec: { finalizers: [] } });
}

/** What is no longer served (its CRD is gone) does not hold a namespace: nobody could ever delete it. */
function contentsOf(store: Store, registry: Registry, cluster: string, namespace: string) {
  return store.contents(cluster).flatMap(({ resource, object }) => {
    const definition = registry.find(cluster, parseStorageKey(resource));
    return object.metadata?.namespace === namespace && definition !== undefined ? [{ definition, object }] : [];
  });
}
