import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { ORIGINAL_API_VERSION_ANNOTATION } from '@kcp-vw/shared/kube/partial-metadata.ts';
import type { Collection, CollectionEvent } from '@kcp-vw/shared/view/collection.ts';
import { type ResourceDefinition, storageKey, storedDefinition } from '../store/definition.ts';
import type { Change } from '../store/event-log.ts';
import { jsonOf } from '../store/json.ts';
import type { Store } from '../store/store.ts';

/** The object in the version that the caller speaks; the same object where it is stored in that version. */
export function inVersion(definition: ResourceDefinition, object: KubeObject, apiVersion: string): KubeObject {
  if (object.apiVersion === apiVersion) return object;
  return definition.convert?.(object, apiVersion) ?? { ...object, apiVersion };
}

/** The same as JSON. What is stored in the caller's version is not made again for every reader. */
export const jsonInVersion = (definition: ResourceDefinition, object: KubeObject, apiVersion: string): string =>
  jsonOf(inVersion(definition, object, apiVersion));

/** kcp tells readers of partial objects of all logical clusters how the objects are addressed. */
export const withOriginalVersion = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    annotations: { [ORIGINAL_API_VERSION_ANNOTATION]: object.apiVersion ?? '', ...object.metadata?.annotations },
  },
});

/** The objects of a resource in one logical cluster, or in all (`*`), as one collection. */
export function collectionOf(
  store: Store,
  definition: ResourceDefinition,
  apiVersion: string,
  scope: { readonly cluster: string; readonly namespace: string },
): Collection {
  const stored = storedDefinition(definition);
  const resource = storageKey(stored);
  const concerns = (change: Change): boolean =>
    change.resource === resource && (scope.cluster === '*' || change.cluster === scope.cluster);
  return {
    apiVersion,
    kind: definition.kind,
    group: definition.group,
    resource: definition.resource,
    columns: definition.columnsByVersion?.[apiVersion.slice(apiVersion.indexOf('/') + 1)] ?? definition.columns,
    list() {
      const { resourceVersion, items } = store.list(stored, scope);
      return { metadata: { resourceVersion }, items: [...items] };
    },
    get: (name, namespace) => store.get(stored, scope.cluster, name, namespace),
    watch(resourceVersion, listener: (event: CollectionEvent) => void) {
      for (const change of store.changesSince(resourceVersion)) if (concerns(change)) listener(change);
      return store.onChange(change => {
        if (concerns(change)) listener(change);
      });
    },
  };
}
