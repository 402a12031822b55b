/** Structural schemas: what they drop, and what they put in. */
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type Fields, isFields, RESERVED, type StructuralSchema } from './structural-schema.ts';

/** The object without the fields that the schema does not know, and with its defaults where a field is missing. */
export function structured(schema: StructuralSchema, object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata, ...fields } = object;
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...properties } = schema.properties ?? {};
  const result = structuredValue({ ...schema, properties }, fields) as Fields;
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    ...(kind !== undefined && { kind }),
    ...(metadata && { metadata }),
    ...result,
  };
}

function structuredValue(schema: StructuralSchema, value: unknown): unknown {
  const { items } = schema;
  if (Array.isArray(value)) return items === undefined ? value : value.map(one => structuredValue(items, one));
  return isFields(value) ? fieldsOf(schema, value) : value;
}

function fieldsOf(schema: StructuralSchema, value: Fields): Fields {
  const { properties = {}, additionalProperties } = schema;
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true;
  const result: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const rule = own ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    // What is null is taken for missing where the schema has a default and allows no null.
    if (inner === null && rule?.default !== undefined && rule.nullable !== true) continue;
    if (rule !== undefined) result[name] = structuredValue(rule, inner);
    else if (keepsUnknown || (schema['x-kubernetes-embedded-resource'] === true && RESERVED.has(name))) result[name] = inner;
  }
  for (const [name, rule] of Object.entries(properties)) {
    if (result[name] === undefined && rule.default !== undefined)
      result[name] = structuredValue(rule, structuredClone(rule.default));
  }
  return result;
}

/** The sorted paths of what `structured` drops: `spec.extra`, `spec.list[0].extra`. */
export function unknownFields(schema: StructuralSchema, object: KubeObject): readonly string[] {
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...fields } = object;
  return unknownIn(schema, fields, '').sort();
}

function unknownIn(schema: StructuralSchema, value: unknown, path: string): string[] {
  const { items, properties = {}, additionalProperties } = schema;
  if (Array.isArray(value)) return items ? value.flatMap((one, i) => unknownIn(items, one, `${path}[${i}]`)) : [];
  if (!isFields(value)) return [];
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true;
  return Object.entries(value).flatMap(([name, inner]) => {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const rule = own ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    const at = path === '' ? name : `${path}.${name}`;
    if (rule !== undefined) return unknownIn(rule, inner, at);
    return keepsUnknown || (schema['x-kubernetes-embedded-resource'] === true && RESERVED.has(name)) ? [] : [at];
  });
}
