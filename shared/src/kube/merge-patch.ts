import { exactDigits } from './json-exact.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Whether a JSON value is a map. A number that keeps its digits is none. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && exactDigits(value) === undefined;

/** JSON Merge Patch (RFC 7396): null removes, maps merge, everything else replaces. Neither argument changes; the result shares parts with both. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const merged = new Map(Object.entries(isFields(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}
