import { parseExact } from '@kcp-vw/shared/kube/json-exact.ts';
import type { Fields } from '@kcp-vw/shared/kube/merge-patch.ts';
import { BrokenObject } from './broken-object.ts';

/** Deeper than any object of use, and not so deep that a recursion over it could end the stack. */
const MAX_DEPTH = 500;

/** The JSON in an annotation; undefined where there is none, or an empty text. Throws a BrokenObject. */
export function annotationJson(name: string, text: string | undefined): unknown {
  if (text === undefined || text === '') return undefined;
  const value = parsed(name, text);
  if (isTooDeep(value)) throw new BrokenObject(`the annotation ${name} is nested too deeply`);
  return value;
}

function parsed(name: string, text: string): unknown {
  try {
    return parseExact(text);
  } catch (cause) {
    throw new BrokenObject(`the annotation ${name} is no JSON`, { cause });
  }
}

/** Everybody's lists are printed in one piece: one value so deep that it cannot be printed would break all of them. */
export function isTooDeep(value: unknown, levels = MAX_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  // Of every object in a list: no list of its values is made.
  if (Array.isArray(value)) return value.some(one => isTooDeep(one, levels - 1));
  for (const name in value) if (isTooDeep((value as Fields)[name], levels - 1)) return true;
  return false;
}
