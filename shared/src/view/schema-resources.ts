import { createHash } from 'node:crypto';
import { perObject } from '../authn/per-object.ts';
import { type ApiResource, storageVersionHash } from '../kube/discovery.ts';
import { clusterOf } from '../kube/objects.ts';
import type { ApiResourceSchema, SchemaVersion } from '../kube/resource-schema.ts';
import type { TableColumn } from '../kube/table.ts';

export const RESOURCE_VERBS: readonly string[] = Object.freeze([
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]);
export const SUBRESOURCE_VERBS: readonly string[] = Object.freeze(['get', 'patch', 'update']);

/** What one served version of a schema puts into an API set. */
export interface ServedVersion {
  readonly version: string;
  readonly kind: string;
  /** The resource first, then its subresources. */
  readonly resources: readonly ApiResource[];
}

/** The served versions of a schema, as discovery shows them. Of a frozen schema worked out once. */
export const servedVersions: (schema: ApiResourceSchema) => readonly ServedVersion[] = perObject(schema =>
  Object.freeze((schema.spec?.versions ?? []).filter(({ served }) => served).map(version => servedVersion(schema, version))),
);

/** Changes with the content of a schema, in whatever object it comes. Of a frozen schema worked out once. */
export const contentHash: (schema: ApiResourceSchema) => string = perObject(schema =>
  createHash('sha256')
    .update(JSON.stringify([clusterOf(schema), schema.metadata?.name, schema.metadata?.uid, schema.spec]))
    .digest('base64'),
);

function servedVersion(
  schema: ApiResourceSchema,
  { name: version, schema: fields, subresources, ...rest }: SchemaVersion,
): ServedVersion {
  const { group = '', names, scope } = schema.spec ?? {};
  const { plural = '', singular = '', kind = '', shortNames = [], categories = [] } = names ?? {};
  const common = { group, version, namespaced: scope === 'Namespaced' };
  const resource: ApiResource = {
    ...common,
    name: plural,
    singularName: singular,
    kind,
    verbs: RESOURCE_VERBS,
    shortNames,
    categories,
    storageVersionHash: storageVersionHash(group, version, kind, clusterOf(schema)),
    columns: (rest.additionalPrinterColumns ?? []).map(tableColumn),
    ...(fields && { openapi: { schema: fields } }),
  };
  const status = { ...common, name: `${plural}/status`, singularName: '', kind, verbs: SUBRESOURCE_VERBS };
  const scale = { ...status, name: `${plural}/scale`, kind: 'Scale', kindGroup: 'autoscaling', kindVersion: 'v1' };
  const resources = [resource, ...(subresources?.scale ? [scale] : []), ...(subresources?.status ? [status] : [])];
  return Object.freeze({ version, kind, resources: Object.freeze(resources.map(one => Object.freeze(one))) });
}

type PrinterColumn = NonNullable<SchemaVersion['additionalPrinterColumns']>[number];

const COLUMN_TYPES: readonly TableColumn['type'][] = ['string', 'integer', 'number', 'boolean', 'date'];

function tableColumn({ name, type, format, description = '', priority = 0, jsonPath }: PrinterColumn): TableColumn {
  const known = COLUMN_TYPES.find(one => one === type) ?? 'string';
  return { name, type: known, ...(format && { format }), description, priority, jsonPath };
}
