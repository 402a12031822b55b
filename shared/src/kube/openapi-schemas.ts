import { apiVersionOf } from './discovery.ts';

/** A schema object of OpenAPI v3. */
export type Schema = Readonly<Record<string, unknown>>;

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const SCHEMAS = '#/components/schemas/';

export const refTo = (name: string): Schema => ({ $ref: `${SCHEMAS}${name}` });

/** A reference with a description, which OpenAPI 3.0 does not allow beside `$ref`. */
export const describedRef = (name: string, description: string): Schema => ({ description, allOf: [refTo(name)] });

export const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const gvkExtension = ({ group, version, kind }: GroupVersionKind): Schema => ({
  'x-kubernetes-group-version-kind': [{ group, kind, version }],
});

export const OPAQUE: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

export const TYPE_META: Readonly<Record<string, Schema>> = {
  apiVersion: { description: 'The group and version of the schema that this object is written in.', type: 'string' },
  kind: { description: 'The resource that this object represents, in CamelCase. It cannot be changed.', type: 'string' },
};

/** An object without properties: with some, kubectl would take all others for unknown fields. Whoever validates is the shard. */
export const opaqueSchema = (gvk: GroupVersionKind): Schema => ({
  description: `${gvk.kind} of ${apiVersionOf(gvk)}. Its fields are described by the workspaces that serve it.`,
  ...OPAQUE,
  ...gvkExtension(gvk),
});

/** `item` is the name of the component that the list is of. */
export const listSchema = (gvk: GroupVersionKind, item: string): Schema => ({
  description: `${gvk.kind}List is a list of ${gvk.kind}`,
  type: 'object',
  required: ['items'],
  properties: {
    apiVersion: TYPE_META.apiVersion,
    items: { type: 'array', items: refTo(item) },
    kind: TYPE_META.kind,
    metadata: describedRef(`${META}.ListMeta`, 'The metadata of the list.'),
  },
  ...gvkExtension({ ...gvk, kind: `${gvk.kind}List` }),
});

/**
 * The component of a custom resource, from its CRD's `openAPIV3Schema`: what apiextensions-apiserver publishes in OpenAPI v3. Opaque for a
 * schema that is not structural, of which an API server publishes nothing either.
 */
export function customResourceSchema(gvk: GroupVersionKind, openAPIV3Schema: Schema): Schema {
  if (openAPIV3Schema.type !== 'object') return opaqueSchema(gvk);
  const published = publishedSchema(openAPIV3Schema);
  return { ...published, properties: { ...asRecord(published.properties), ...OBJECT_PROPERTIES }, ...gvkExtension(gvk) };
}

const OBJECT_PROPERTIES = {
  ...TYPE_META,
  metadata: describedRef(`${META}.ObjectMeta`, 'The metadata that every object has.'),
};

/** A structural schema as it is published: everywhere below it the extensions of CRDs spelled out for those who do not know them. */
function publishedSchema(schema: Schema): Schema {
  const published: Record<string, unknown> = { ...schema };
  for (const [key, value] of Object.entries(schema)) {
    if (MAPS_OF_SCHEMAS.has(key)) published[key] = mapValues(asRecord(value), publishedSchema);
    else if (LISTS_OF_SCHEMAS.has(key) && Array.isArray(value)) published[key] = value.map(one => publishedSchema(asRecord(one)));
    else if (SINGLE_SCHEMAS.has(key) && isRecord(value)) published[key] = publishedSchema(value);
  }
  if (schema['x-kubernetes-int-or-string'] === true) Object.assign(published, intOrString(published));
  const [mergeKey] = asArray(schema['x-kubernetes-list-map-keys']);
  if (mergeKey !== undefined) published['x-kubernetes-patch-merge-key'] = mergeKey;
  if (schema['x-kubernetes-embedded-resource'] === true) Object.assign(published, embeddedResource(published));
  return published;
}

const MAPS_OF_SCHEMAS: ReadonlySet<string> = new Set(['properties']);
const LISTS_OF_SCHEMAS: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf']);
const SINGLE_SCHEMAS: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'not']);

const INTEGER_OR_STRING = [{ type: 'integer' }, { type: 'string' }];

/** `Structural.Unfold` of apiextensions-apiserver. */
function intOrString({ anyOf, allOf }: Schema): Schema {
  const said = [anyOf, asRecord(asArray(allOf)[0]).anyOf].some(one => JSON.stringify(one) === JSON.stringify(INTEGER_OR_STRING));
  if (said) return {};
  return anyOf === undefined ? { anyOf: INTEGER_OR_STRING } : { allOf: [{ anyOf: INTEGER_OR_STRING }, ...asArray(allOf)] };
}

function embeddedResource({ properties, required }: Schema): Schema {
  const names = new Set([...asArray(required), 'kind', 'apiVersion']);
  return { properties: { ...asRecord(properties), ...OBJECT_PROPERTIES }, required: [...names] };
}

const isRecord = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);
const asRecord = (value: unknown): Schema => (isRecord(value) ? value : {});
const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const mapValues = (record: Schema, change: (schema: Schema) => Schema): Schema =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(asRecord(value))]));
