import { badRequest } from './errors.ts';
import { type Fields, isFields } from './merge-patch.ts';
import { inSetOrder, mergeLists } from './strategic-merge-patch-lists.ts';
import type { ListSchema, MapSchema } from './strategic-merge-patch-schemas.ts';

const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM = '$deleteFromPrimitiveList/';
const SET_ORDER = '$setElementOrder/';

const isDirective = (key: string): boolean =>
  key === PATCH || key === RETAIN_KEYS || key.startsWith(DELETE_FROM) || key.startsWith(SET_ORDER);

/**
 * Kubernetes' strategic merge patch (k8s.io/apimachinery `strategicpatch`). Neither argument changes; the result shares parts with both.
 * Throws a StatusError 400 for a patch that is badly formed, in the words of Kubernetes.
 */
export function strategicMergePatch(target: Fields, patch: Fields, schema: MapSchema = {}): Fields {
  if (Object.hasOwn(patch, PATCH)) return directed(patch);
  const before = retained(target, patch);
  const merged = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(patch)) {
    if (isDirective(key)) continue;
    const result = value === null ? undefined : mergedField(merged.get(key), value, key, schema);
    if (result === undefined) merged.delete(key);
    else merged.set(key, result);
  }
  for (const [name, order] of directives(patch, SET_ORDER)) {
    const list = merged.get(name);
    const [given = [], stood = []] = [patch[name], before[name]];
    const listSchema = listOf(schema, name);
    if (![order, given, stood].every(Array.isArray) || listSchema === undefined)
      throw badRequest('invalid patch format of setElementOrder list');
    const lists = { order, patch: given, before: stood } as Readonly<Record<'order' | 'patch' | 'before', readonly unknown[]>>;
    if (Array.isArray(list)) merged.set(name, inSetOrder(list, lists, listSchema));
  }
  for (const [name, gone] of directives(patch, DELETE_FROM)) {
    const list = merged.get(name);
    if (!Array.isArray(gone)) throw badRequest('invalid patch format of primitive list');
    const values = new Set<unknown>(gone);
    if (Array.isArray(list))
      merged.set(
        name,
        list.filter(one => !values.has(one)),
      );
  }
  return Object.fromEntries(merged);
}

/** What a directive of this kind says, by the field that it is about. */
const directives = (patch: Fields, prefix: string): readonly (readonly [string, unknown])[] =>
  Object.entries(patch)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value]);

function directed(patch: Fields): Fields {
  if (patch[PATCH] === 'replace') return fresh(patch);
  if (patch[PATCH] === 'delete') return {};
  throw badRequest(`unknown patch type: ${String(patch[PATCH])} in map: ${JSON.stringify(patch)}`);
}

/** The map without what `$retainKeys` does not name. */
function retained(target: Fields, patch: Fields): Fields {
  const { [RETAIN_KEYS]: listed } = patch;
  if (listed === undefined) return target;
  const isBad = !Array.isArray(listed);
  const keys = new Set<unknown>(isBad ? [] : listed);
  if (isBad || Object.entries(patch).some(([key, value]) => value !== null && !isDirective(key) && !keys.has(key)))
    throw badRequest('invalid patch format of retainKeys');
  return Object.fromEntries(Object.entries(target).filter(([key]) => keys.has(key)));
}

/** Undefined: nothing is left of it. */
function mergedField(target: unknown, patch: unknown, key: string, schema: MapSchema): unknown {
  if (isFields(target) && isFields(patch)) return strategicMergePatch(target, patch, named(schema.maps, key));
  if (Array.isArray(target) && Array.isArray(patch)) {
    const list = listOf(schema, key);
    // In a list that is replaced nothing can be said of single items.
    return list ? mergeLists(target, patch, list, ITEMS) : patch.map(freshValue);
  }
  return isSpecial(patch) ? undefined : freshValue(patch);
}

const ITEMS = { merge: (target: Fields, patch: Fields) => strategicMergePatch(target, patch), fresh };

const listOf = ({ lists }: MapSchema, key: string): ListSchema | undefined => named(lists, key);
const named = <T>(schemas: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  schemas !== undefined && Object.hasOwn(schemas, key) ? schemas[key] : undefined;

/** A map that was not there, or is there no longer: without directives, and without what is null, which removes. */
function fresh(map: Fields): Fields {
  const kept = Object.entries(map).filter(([key, value]) => value !== null && !isDirective(key) && !isSpecial(value));
  return Object.fromEntries(kept.map(([key, value]) => [key, freshValue(value)]));
}

function freshValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(item => !isSpecial(item)).map(freshValue);
  return isFields(value) ? fresh(value) : value;
}

/** It says what to do with something, and is nothing itself. */
const isSpecial = (value: unknown): boolean => isFields(value) && Object.hasOwn(value, PATCH);
