/** Structural schemas: lists whose entries must differ, as sets or by keys. */
import type { FieldCause } from '../store/refusals.ts';
import { type Fields, isFields, type StructuralSchema } from './structural-schema.ts';

/** What is in a list twice that may be there once, in the words of Kubernetes. `path` is that of the value. */
export function duplicateCauses(schema: StructuralSchema, value: unknown, path = ''): FieldCause[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    const within = items === undefined ? [] : value.flatMap((one, i) => duplicateCauses(items, one, `${path}[${i}]`));
    return [...twice(schema, value, path), ...within];
  }
  if (!isFields(value)) return [];
  const { properties = {}, additionalProperties } = schema;
  return Object.entries(value).flatMap(([name, inner]) => {
    if (Object.hasOwn(properties, name)) return duplicateCauses(properties[name] ?? {}, inner, path ? `${path}.${name}` : name);
    return typeof additionalProperties === 'object' ? duplicateCauses(additionalProperties, inner, `${path}[${name}]`) : [];
  });
}

function twice(schema: StructuralSchema, list: readonly unknown[], path: string): FieldCause[] {
  const { 'x-kubernetes-list-type': type, 'x-kubernetes-list-map-keys': keys = [] } = schema;
  if (type !== 'set' && type !== 'map') return [];
  const seen = new Map<string, number>();
  return list.flatMap((one, i) => {
    const text = JSON.stringify(sorted(type === 'map' ? keyOf(one, keys) : one));
    const times = (seen.get(text) ?? 0) + 1;
    seen.set(text, times);
    // The third is not told again.
    return times === 2 ? [{ reason: 'FieldValueDuplicate', field: `${path}[${i}]`, message: `Duplicate value: ${text}` }] : [];
  });
}

const keyOf = (entry: unknown, keys: readonly string[]): Fields =>
  isFields(entry) ? Object.fromEntries(keys.filter(key => Object.hasOwn(entry, key)).map(key => [key, entry[key]])) : {};

/** As Go writes maps. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
