import type { SelectableFields } from '@kcp-vw/shared/kube/field-selectors.ts';
import { compileJsonPath } from '@kcp-vw/shared/kube/json-path.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { TableColumn } from '@kcp-vw/shared/kube/table.ts';
import { compareVersions } from '@kcp-vw/shared/kube/versions.ts';
import type { ResourceDefinition } from '../store/definition.ts';
import { invalidFields } from '../store/refusals.ts';
import type { ResourceSpec, ResourceVersion } from './api-objects.ts';
import { duplicateCauses } from './structural-lists.ts';
import { type StructuralSchema, schemaCauses } from './structural-schema.ts';
import { structured, unknownFields } from './structural-values.ts';

/** Where a resource comes from that the shard has not brought along. */
export interface Origin {
  /** Of the export; absent for a CRD of the logical cluster itself. */
  readonly identity?: string;
  /** The logical cluster of the schema. */
  readonly schemaCluster: string;
}

/** A resource as an APIResourceSchema or a CRD defines it. Its versions differ in their schemas; nothing is converted. */
export function definitionFrom(spec: ResourceSpec, { identity, schemaCluster }: Origin): ResourceDefinition {
  const { group, names, scope } = spec;
  const served = spec.versions.filter(version => version.served).sort((a, b) => compareVersions(a.name, b.name));
  const schemas = new Map(served.map(({ name, schema }) => [name, (schema ?? {}) as StructuralSchema]));
  const schemaOf = (object: KubeObject): StructuralSchema => schemas.get(versionOf(object)) ?? {};
  return {
    group,
    versions: served.map(({ name }) => name),
    resource: names.plural,
    singular: names.singular || names.kind.toLowerCase(),
    kind: names.kind,
    namespaced: scope === 'Namespaced',
    ...(names.categories && { categories: names.categories }),
    ...(names.shortNames && { shortNames: names.shortNames }),
    custom: true,
    statusSubresource: served.some(({ subresources }) => subresources?.status !== undefined),
    tracksGeneration: true,
    columns: columnsOf(served[0]),
    columnsByVersion: Object.fromEntries(served.map(version => [version.name, columnsOf(version)])),
    ...(identity !== undefined && { identity, isolated: true }),
    schemaCluster,
    scale: Object.fromEntries(
      served.flatMap(({ name, subresources }) => (subresources?.scale === undefined ? [] : [[name, subresources.scale]])),
    ),
    schemas: Object.fromEntries(served.flatMap(({ name, schema }) => (schema === undefined ? [] : [[name, schema]]))),
    selectableFields: selectableFieldsOf(served),
    admit: (object, { verb }) => (verb === 'delete' ? object : structured(schemaOf(object), object)),
    unknownFields: object => unknownFields(schemaOf(object), object),
    validate: object => refuseAgainst(schemaOf(object), { group, kind: names.kind }, object),
  };
}

/** Throws a StatusError 422 with all that the schema has against the object. */
export function refuseAgainst(schema: StructuralSchema, of: { group: string; kind: string }, object: KubeObject): void {
  const causes = [...schemaCauses(schema, object), ...duplicateCauses(schema, object)];
  if (causes.length > 0) throw invalidFields(of, object.metadata?.name ?? '', causes);
}

const versionOf = ({ apiVersion = '' }: KubeObject): string => apiVersion.slice(apiVersion.indexOf('/') + 1);

const AGE: TableColumn = {
  ...{ name: 'Age', type: 'date', description: '', priority: 0, jsonPath: '.metadata.creationTimestamp' },
};

/** Where a schema names no columns, there is the age. */
function columnsOf(version: ResourceVersion | undefined): readonly TableColumn[] {
  const columns = version?.additionalPrinterColumns ?? [];
  if (columns.length === 0) return [AGE];
  return columns.map(({ name, type, format, description = '', priority = 0, jsonPath }) => ({
    ...{ name, type: type as TableColumn['type'], description, priority, jsonPath },
    ...(format !== undefined && { format }),
  }));
}

function selectableFieldsOf(versions: readonly ResourceVersion[]): SelectableFields {
  const paths = versions.flatMap(({ selectableFields = [] }) => selectableFields.map(({ jsonPath }) => jsonPath));
  return Object.fromEntries(
    [...new Set(paths)].map(path => {
      const read = compileJsonPath(path);
      return [path.replace(/^\./, ''), (object: KubeObject): string => String(read?.(object) ?? '')];
    }),
  );
}

/** All that bindings have ever bound, by the schema and the identity that it was bound under (kcp's `system:bound-crds`). */
export class BoundDefinitions {
  readonly #terminating = new WeakMap<ResourceDefinition, ResourceDefinition>();
  readonly #all = new Map<string, ResourceDefinition>();

  get(uid: string, identity: string): ResourceDefinition | undefined {
    return this.#all.get(`${uid} ${identity}`);
  }

  /** The same for a logical cluster whose binding is being deleted. */
  terminating(definition: ResourceDefinition): ResourceDefinition {
    const known = this.#terminating.get(definition) ?? { ...definition, isTerminating: true };
    this.#terminating.set(definition, known);
    return known;
  }

  ensure(uid: string, identity: string, make: () => ResourceDefinition): ResourceDefinition {
    const known = this.get(uid, identity) ?? make();
    this.#all.set(`${uid} ${identity}`, known);
    return known;
  }
}
