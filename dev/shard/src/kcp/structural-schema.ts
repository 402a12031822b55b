/** Structural schemas (`openAPIV3Schema` of CRDs and APIResourceSchemas): what they refuse. */
import type { FieldCause } from '../store/refusals.ts';

/** As much of `JSONSchemaProps` as is looked at. */
export interface StructuralSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema | boolean;
  readonly items?: StructuralSchema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Type, apiVersion and metadata are Kubernetes', whatever a schema says of them, but for what it says of names. */
export const RESERVED: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** Why a value is none of the schema's, in the words of Kubernetes. `path` is that of the value: '', `spec.replicas`. */
export function schemaCauses(schema: StructuralSchema, value: unknown, path = ''): FieldCause[] {
  const found = typeOf(value);
  if (found === 'null' && schema.nullable === true) return [];
  if (!hasType(schema, found)) {
    const what = path === '' ? 'Checked value' : `${path} in body`;
    const message = `Invalid value: "${found}": ${what} must be of type ${schema.type}: "${found}"`;
    return [{ reason: 'FieldValueTypeInvalid', field: path, message }];
  }
  return [
    ...enumCauses(schema, value, path),
    ...(typeof value === 'string' ? textCauses(schema, value, path) : []),
    ...(typeof value === 'number' ? numberCauses(schema, value, path) : []),
    ...(Array.isArray(value) ? listCauses(schema, value, path) : []),
    ...(isFields(value) ? fieldCauses(schema, value, path) : []),
  ];
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function hasType(schema: StructuralSchema, found: string): boolean {
  if (schema['x-kubernetes-int-or-string'] === true) return found === 'integer' || found === 'string';
  return !schema.type || schema.type === found || (schema.type === 'number' && found === 'integer');
}

function enumCauses({ enum: allowed }: StructuralSchema, value: unknown, field: string): FieldCause[] {
  if (allowed === undefined || allowed.includes(value)) return [];
  const supported = allowed.map(one => JSON.stringify(one)).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`;
  return [{ reason: 'FieldValueNotSupported', field, message }];
}

const bad = (field: string, value: unknown, rule: string): FieldCause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${JSON.stringify(value)}: ${field} in body ${rule}`,
});

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Said in bytes, though it is characters that are counted. */
const tooLong = (field: string, most: number): FieldCause => ({
  reason: 'FieldValueTooLong',
  field,
  message: `Too long: may not be more than ${counted(most, 'byte')}`,
});

const tooMany = (field: string, found: number, most: number): FieldCause => ({
  reason: 'FieldValueTooMany',
  field,
  message: `Too many: ${found}: must have at most ${counted(most, 'item')}`,
});

function textCauses(
  { pattern, minLength = 0, maxLength = Infinity }: StructuralSchema,
  value: string,
  field: string,
): FieldCause[] {
  const length = [...value].length;
  return [
    ...(length < minLength ? [bad(field, value, `should be at least ${minLength} chars long`)] : []),
    ...(length > maxLength ? [tooLong(field, maxLength)] : []),
    ...(pattern !== undefined && !new RegExp(pattern).test(value) ? [bad(field, value, `should match '${pattern}'`)] : []),
  ];
}

function numberCauses({ minimum = -Infinity, maximum = Infinity }: StructuralSchema, value: number, field: string): FieldCause[] {
  return [
    ...(value < minimum ? [bad(field, value, `should be greater than or equal to ${minimum}`)] : []),
    ...(value > maximum ? [bad(field, value, `should be less than or equal to ${maximum}`)] : []),
  ];
}

function listCauses(schema: StructuralSchema, value: readonly unknown[], field: string): FieldCause[] {
  const { items, minItems = 0, maxItems = Infinity } = schema;
  return [
    ...(value.length < minItems ? [bad(field, value.length, `should have at least ${minItems} items`)] : []),
    ...(value.length > maxItems ? [tooMany(field, value.length, maxItems)] : []),
    ...(items === undefined ? [] : value.flatMap((one, i) => schemaCauses(items, one, `${field}[${i}]`))),
  ];
}

function fieldCauses({ properties = {}, additionalProperties, required = [] }: StructuralSchema, value: Fields, path: string) {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const causes: FieldCause[] = required
    .filter(name => value[name] === undefined)
    .map(name => ({ reason: 'FieldValueRequired', field: at(name), message: 'Required value' }));
  for (const [name, inner] of Object.entries(value)) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (path === '' && RESERVED.has(name)) {
      if (name === 'metadata' && typeof schema === 'object' && isFields(inner)) causes.push(...nameCauses(schema, inner));
    } else if (typeof schema === 'object') causes.push(...schemaCauses(schema, inner, at(name)));
  }
  return causes;
}

/** Of metadata a schema can restrict nothing else. */
const nameCauses = ({ properties = {} }: StructuralSchema, metadata: Fields): FieldCause[] =>
  ['name', 'generateName'].flatMap(name => {
    const [schema, value] = [properties[name], metadata[name]];
    return schema === undefined || value === undefined ? [] : schemaCauses(schema, value, `metadata.${name}`);
  });
