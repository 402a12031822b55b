type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lists of built-in types that have named items and are replaced all the same. */
const ATOMIC_LISTS: ReadonlySet<string> = new Set(['subjects', 'rules']);
/** Lists of plain values that are sets. */
const SETS: ReadonlySet<string> = new Set(['finalizers']);

/**
 * Strategic merge patch as far as it needs no schema: a merge patch in which lists of named items merge by `name`, with the directives
 * `$patch: delete` and `$patch: replace`, and `$deleteFromPrimitiveList/<field>` for sets. Orders are not kept.
 */
export function strategicMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  if (patch.$patch === 'delete') return {};
  if (patch.$patch === 'replace') return withoutDirectives(patch);
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    if (value === null) merged.delete(key);
    else merged.set(key, mergedField(key, merged.get(key), value));
  }
  for (const [key, value] of Object.entries(patch)) {
    const [directive, field = ''] = key.split('/');
    const present = merged.get(field);
    if (directive !== '$deleteFromPrimitiveList' || !Array.isArray(value) || !Array.isArray(present)) continue;
    merged.set(
      field,
      present.filter(one => !value.includes(one)),
    );
  }
  return Object.fromEntries(merged);
}

const withoutDirectives = (patch: Json): Json =>
  Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith('$')));

function mergedField(key: string, target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch) || !Array.isArray(target))
    return Array.isArray(patch) ? items(patch) : strategicMergePatch(target, patch);
  if (SETS.has(key)) return [...new Set([...target, ...patch])];
  const isNamed = [...target, ...patch].every(one => isObject(one) && typeof one.name === 'string');
  return isNamed && !ATOMIC_LISTS.has(key) ? mergeItems(target, patch, ['name'], strategicMergePatch) : items(patch);
}

const items = (patch: readonly unknown[]): unknown[] => patch.filter(one => !(isObject(one) && one.$patch === 'delete'));

/** Items with the same keys become one, in the order of the target; an item `$patch: delete` removes. */
function mergeItems(
  target: readonly unknown[],
  patch: readonly unknown[],
  keys: readonly string[],
  merge: (target: unknown, patch: unknown) => unknown,
): unknown[] {
  const identify = (item: unknown): string => JSON.stringify(keys.map(key => (isObject(item) ? item[key] : item)));
  const merged = new Map(target.map(item => [identify(item), item]));
  for (const item of patch) {
    if (isObject(item) && item.$patch === 'delete') merged.delete(identify(item));
    else merged.set(identify(item), merge(merged.get(identify(item)), item));
  }
  return [...merged.values()];
}
