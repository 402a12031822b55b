/** A structural schema, as `apiextensions.k8s.io/v1 JSONSchemaProps` has it. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly anyOf?: readonly Schema[];
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
}

type Properties = Readonly<Record<string, Schema>>;

export const text: Schema = { type: 'string' };
export const flag: Schema = { type: 'boolean' };
export const int32: Schema = { type: 'integer', format: 'int32' };
export const int64: Schema = { type: 'integer', format: 'int64' };
export const time: Schema = { type: 'string', format: 'date-time' };
export const texts: Schema = { type: 'array', items: text, 'x-kubernetes-list-type': 'atomic' };
export const textByName: Schema = { type: 'object', additionalProperties: text };

/** `util/intstr.IntOrString`. */
export const intOrText: Schema = { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true };

/** `resource.Quantity`s by name. */
export const quantities: Schema = {
  type: 'object',
  additionalProperties: {
    ...intOrText,
    pattern:
      '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$',
  },
};

export const map = (properties: Properties, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
});

/** With the fields that are named, and any others: what is not looked at here is not written out. */
export const open = (properties: Properties, required: readonly string[] = []): Schema => ({
  ...map(properties, required),
  'x-kubernetes-preserve-unknown-fields': true,
});

/** Anything at all. */
export const anyFields: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

export const list = (items: Schema): Schema => ({ type: 'array', items, 'x-kubernetes-list-type': 'atomic' });

/** Writers own entries of such a list, not the list. Each key is required, or has a default. */
export const listByKeys = (items: Schema, ...keys: readonly string[]): Schema => ({
  type: 'array',
  items,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
});

/** `meta/v1 LabelSelector`. */
export const labelSelector: Schema = {
  ...map({
    matchLabels: textByName,
    matchExpressions: list(map({ key: text, operator: text, values: texts }, ['key', 'operator'])),
  }),
  'x-kubernetes-map-type': 'atomic',
};

/** Those of Kubernetes' objects, which have other times and more besides. */
export const conditions: Schema = listByKeys(
  open({ type: text, status: text, reason: text, message: text, lastTransitionTime: time }, ['type', 'status']),
  'type',
);

/** What every object has besides. */
export const objectSchema = (description: string, properties: Properties, required: readonly string[] = []): Schema => ({
  description,
  ...map({ apiVersion: text, kind: text, metadata: { type: 'object' }, ...properties }, required),
});
