import type { ResourceDefinition } from '../store/definition.ts';
import type { ApiBinding, BoundResource, ResourceSpec } from './api-objects.ts';

/** A resource that another binding of the logical cluster has brought. */
export interface Neighbour {
  readonly binding: ApiBinding;
  readonly definition: ResourceDefinition;
}

/** Why the names of a resource cannot stand beside those of the neighbours; undefined when they can. */
export function namingConflict(neighbours: readonly Neighbour[], { group, names }: ResourceSpec): string | undefined {
  for (const { binding, definition } of neighbours) {
    if (definition.group !== group) continue;
    const detail = detailOf(definition, names);
    if (detail === undefined) continue;
    const { path, name = '' } = binding.spec?.reference?.export ?? {};
    const boundTo = path ? `APIExport ${path}:${name}` : `local APIExport "${name}"`;
    return `naming conflict with APIBinding "${binding.metadata.name}" bound to ${boundTo}: ${detail}`;
  }
  return undefined;
}

function detailOf(existing: ResourceDefinition, names: ResourceSpec['names']): string | undefined {
  const { plural, singular = '', kind, listKind = `${kind}List`, shortNames = [] } = names;
  const taken = [existing.resource, existing.singular, ...(existing.shortNames ?? [])];
  const kinds = [existing.kind, `${existing.kind}List`];
  if (taken.includes(plural)) return `spec.names.plural=${plural} is forbidden`;
  if (singular !== '' && taken.includes(singular)) return `spec.names.singular=${singular} is forbidden`;
  if (shortNames.some(name => taken.includes(name))) return `spec.names.shortNames=[${shortNames.join(' ')}] is forbidden`;
  if (kinds.includes(kind)) return `spec.names.kind=${kind} is forbidden`;
  return kinds.includes(listKind) ? `spec.names.listKind=${listKind} is forbidden` : undefined;
}

export const sameResource = (a: BoundResource, b: { readonly group?: string; readonly resource: string }): boolean =>
  a.group === (b.group ?? '') && a.resource === b.resource;
