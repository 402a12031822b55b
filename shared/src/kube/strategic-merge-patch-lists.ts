import { badRequest } from './errors.ts';
import { type Fields, isFields } from './merge-patch.ts';
import type { ListSchema } from './strategic-merge-patch-schemas.ts';

/** What merging maps is, for the items of a list. */
export interface MapMerging {
  merge(target: Fields, patch: Fields): Fields;
  /** What a map that is new is stored as. */
  fresh(map: Fields): Fields;
}

/** A list whose items are merged with those of a patch. Throws a StatusError 400. */
export function mergeLists(
  target: readonly unknown[],
  patch: readonly unknown[],
  schema: ListSchema,
  maps: MapMerging,
): unknown[] {
  const { key } = schema;
  if (key === undefined) return arranged([...new Set([...plain(target), ...plain(patch)])], patch, target, schema);
  const directed = patch.map(item => fields(item)).filter(item => Object.hasOwn(item, '$patch'));
  const changes = patch.map(item => fields(item)).filter(item => !Object.hasOwn(item, '$patch'));
  const deleted = new Set(directed.flatMap(item => deletion(item, key)));
  if (directed.some(({ $patch }) => $patch === 'replace')) return changes.map(maps.fresh);

  const kept = target.map(item => fields(item)).filter(item => !deleted.has(item[key]));
  const merged = [...kept];
  const places = placesOf(kept, schema);
  for (const change of changes) {
    const value = identified(change, key);
    const place = places.get(value);
    if (place === undefined) places.set(value, merged.push(maps.fresh(change)) - 1);
    else merged[place] = maps.merge(merged[place] as Fields, change);
  }
  return arranged(merged, changes, kept, schema);
}

/** The value by which an item that says `$patch` takes others away; none for one that says that all are replaced. */
function deletion(item: Fields, key: string): unknown[] {
  if (item.$patch === 'replace') return [];
  if (item.$patch === 'delete') return [identified(item, key)];
  if (item.$patch === 'merge') throw badRequest('merging lists cannot yet be specified in the patch');
  throw badRequest(`unknown patch type: ${String(item.$patch)} in map: ${JSON.stringify(item)}`);
}

/**
 * A merged list in the order that `$setElementOrder` says, which must be that of the patch, too; what it does not name keeps its place
 * among what was there before. Throws a StatusError 400.
 */
export function inSetOrder(
  merged: readonly unknown[],
  {
    patch,
    before,
    order,
  }: { readonly patch: readonly unknown[]; readonly before: readonly unknown[]; readonly order: readonly unknown[] },
  schema: ListSchema,
): unknown[] {
  const listed = schema.key === undefined ? plain(order) : order.map(item => fields(item));
  const named = patch.filter(item => !(isFields(item) && Object.hasOwn(item, '$patch')));
  // As in Kubernetes: an empty order is one that says nothing.
  let next = 0;
  for (const item of listed) if (next < named.length && same(named[next], item, schema)) next += 1;
  if (listed.length > 0 && next < named.length) {
    const lists = [patch, order].map(list => JSON.stringify(list));
    throw badRequest(`The order in patch list:\n${lists[0]}\n doesn't match $setElementOrder list:\n${lists[1]}\n`);
  }
  return arranged(merged, listed, before, schema);
}

/**
 * The items that `order` names, in that order, and between them the others, each before the first that it stood before (`mergeSortedSlice`):
 * the order of a patch counts more than that of what was there.
 */
function arranged(
  merged: readonly unknown[],
  order: readonly unknown[],
  before: readonly unknown[],
  schema: ListSchema,
): unknown[] {
  const places = placesOf(order, schema);
  const former = placesOf(before, schema);
  const place = (item: unknown): number | undefined => places.get(markOf(item, schema));
  const named = merged.filter(item => place(item) !== undefined).sort((a, b) => (place(a) ?? 0) - (place(b) ?? 0));
  const others = merged.filter(item => place(item) === undefined);
  const stoodAt = (item: unknown): number | undefined => former.get(markOf(item, schema));
  const result: unknown[] = [];
  let next = 0;
  for (const item of named) {
    const limit = stoodAt(item) ?? -1;
    while (next < others.length && (stoodAt(others[next]) ?? limit) < limit) result.push(others[next++]);
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

/** Where each value stands first. */
function placesOf(list: readonly unknown[], schema: ListSchema): Map<unknown, number> {
  const places = new Map<unknown, number>();
  for (const [at, item] of list.entries()) {
    const value = markOf(item, schema);
    if (!places.has(value)) places.set(value, at);
  }
  return places;
}

/** What an item is known by. */
const markOf = (item: unknown, { key }: ListSchema): unknown => (key === undefined ? item : identified(fields(item), key));
const same = (a: unknown, b: unknown, schema: ListSchema): boolean => markOf(a, schema) === markOf(b, schema);

function identified(item: Fields, key: string): unknown {
  if (Object.hasOwn(item, key)) return item[key];
  throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
}

function fields(item: unknown): Fields {
  if (isFields(item)) return item;
  throw badRequest(`expected a map, but received ${JSON.stringify(item)}`);
}

function plain(list: readonly unknown[]): readonly unknown[] {
  const other = list.find(item => typeof item === 'object');
  if (other === undefined) return list;
  throw badRequest(
    Array.isArray(other) ? 'lists of lists are not supported' : `expected a value, but received ${JSON.stringify(other)}`,
  );
}
