import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Write } from '../store/definition.ts';
import { invalidFields } from '../store/refusals.ts';
import type { ResourceSpec } from './api-objects.ts';

/** A CRD is called by what it defines; names that it leaves out follow from its kind. Throws a StatusError 422. */
export function admitCustomResourceDefinition(object: KubeObject, { verb, subresource }: Write): KubeObject {
  if (verb === 'delete' || subresource !== '') return object;
  const name = object.metadata?.name ?? '';
  const { group = '', names, conversion = { strategy: 'None' }, ...spec } = (object.spec ?? {}) as Partial<ResourceSpec>;
  const { kind = '', plural = '' } = names ?? {};
  // kcp's own word for the group without a name.
  if (name !== `${plural}.${group || 'core'}`) {
    const message = `Invalid value: ${JSON.stringify(name)}: must be spec.names.plural+"."+spec.group`;
    const of = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' };
    throw invalidFields(of, name, [{ reason: 'FieldValueInvalid', field: 'metadata.name', message }]);
  }
  const complete = { singular: kind.toLowerCase(), listKind: `${kind}List`, ...names };
  return { ...object, spec: { conversion, group, names: complete, ...spec } };
}
