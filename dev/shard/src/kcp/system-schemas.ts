import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type ResourceDefinition, resourceKey } from '../store/definition.ts';
import { KCP_RESOURCES } from '../store/kcp-resources.ts';
import type { ResourceSpec } from './api-objects.ts';

/** The name of the APIResourceSchema of one of kcp's own resources. */
export const systemSchemaName = ({ group, resource }: { readonly group: string; readonly resource: string }): string =>
  `v1.${resource}.${group}`;

/** The APIResourceSchema of one of kcp's own resources. It allows any field: the shard knows the rules. */
export function systemSchema(key: string): KubeObject {
  const definition = KCP_RESOURCES.find(one => resourceKey(one) === key);
  if (definition === undefined) throw new Error(`kcp has no resource ${key}`);
  return { metadata: { name: systemSchemaName(definition) }, spec: specOf(definition) };
}

function specOf(definition: ResourceDefinition): ResourceSpec & { readonly nameValidation: string } {
  const { group, versions, resource, singular, kind, namespaced, shortNames, categories, statusSubresource, columns } =
    definition;
  return {
    group,
    nameValidation: 'DNS1123Subdomain',
    names: {
      ...{ kind, listKind: `${kind}List`, plural: resource, singular },
      ...(shortNames && { shortNames }),
      ...(categories && { categories }),
    },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    versions: versions.map((name, i) => ({
      name,
      served: true,
      storage: i === 0,
      schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      ...(statusSubresource && { subresources: { status: {} } }),
      additionalPrinterColumns: columns.map(column => ({
        ...{ name: column.name, type: column.type, priority: column.priority, jsonPath: column.jsonPath },
        ...(column.description !== '' && { description: column.description }),
      })),
    })),
  };
}
