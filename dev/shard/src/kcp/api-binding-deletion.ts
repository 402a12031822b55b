import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { storedDefinition } from '../store/definition.ts';
import { BINDING_FINALIZER } from './api-binding-admission.ts';
import type { ApiBinding } from './api-objects.ts';
import { withCondition } from './conditions.ts';
import type { Loopback } from './loopback.ts';
import { API_BINDINGS } from './refs.ts';

/** Milliseconds until objects that have finalizers are looked at again. */
const LOOK_AGAIN = 500;

/**
 * Deletes the objects of what a binding that is being deleted has bound, and lets it go when there are none left. Returns when to look
 * again; undefined: when something changes.
 */
export function reconcileBindingDeletion(objects: Loopback, cluster: string, name: string): number | undefined {
  const binding = objects.get<ApiBinding>(API_BINDINGS, cluster, name);
  const finalizers = binding?.metadata.finalizers ?? [];
  if (!binding?.metadata.deletionTimestamp || !finalizers.includes(BINDING_FINALIZER)) return undefined;
  const remaining = deleteObjects(objects, cluster, binding);
  if (remaining.length > 0) {
    const conditions = withCondition(binding.status?.conditions, {
      type: 'BindingResourceDeleteSuccess',
      status: 'False',
      severity: 'Error',
      reason: 'SomeFinalizersRemain',
      message: `Some content in the workspace has finalizers remaining: ${finalizersOf(remaining)}`,
    });
    objects.updateStatus(API_BINDINGS, cluster, { ...binding, status: { ...binding.status, conditions } });
    return LOOK_AGAIN;
  }
  const latest = objects.get<ApiBinding>(API_BINDINGS, cluster, name) ?? binding;
  const kept = (latest.metadata.finalizers ?? []).filter(finalizer => finalizer !== BINDING_FINALIZER);
  objects.update(API_BINDINGS, cluster, { ...latest, metadata: { ...latest.metadata, finalizers: kept } });
  return undefined;
}

/** Returns the objects that something holds. */
function deleteObjects(objects: Loopback, cluster: string, { status }: ApiBinding): readonly KubeObject[] {
  const held: KubeObject[] = [];
  for (const { group, resource, schema } of status?.boundResources ?? []) {
    const definition = objects.registry.find(cluster, { group, resource });
    if (definition === undefined || definition.identity !== schema.identityHash) continue;
    for (const { metadata = {} } of objects.store.list(storedDefinition(definition), { cluster }).items) {
      const { name = '', namespace = '' } = metadata;
      if (!metadata.deletionTimestamp) objects.store.delete(definition, { cluster, name, namespace });
      const left = objects.store.get(definition, cluster, name, namespace);
      if (left !== undefined) held.push(left);
    }
  }
  return held;
}

function finalizersOf(held: readonly KubeObject[]): string {
  const all = held.flatMap(({ metadata }) => metadata?.finalizers ?? []);
  const counts = Map.groupBy(all, finalizer => finalizer);
  return [...counts]
    .map(([finalizer, { length }]) => `${finalizer} in ${length} resource instances`)
    .sort()
    .join(', ');
}
