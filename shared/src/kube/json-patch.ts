import { exactDigits } from './json-exact.ts';

/** A JSON Patch (RFC 6902) that is well formed and does not fit the document. */
export class PatchFailure extends Error {
  override readonly name = 'PatchFailure';
}

export interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: unknown;
  readonly value?: unknown;
}

/** What a patch may copy within a document, in characters of JSON: every `copy` may double it. As an API server (`AccumulatedCopySizeLimit`). */
const MAX_COPIED = 3 * 1024 * 1024;
/** As an API server (`maxJSONPatchOperations`). */
const MAX_OPERATIONS = 10_000;

/** Whether a value is a list of operations; which they are is found out when they are applied. */
export const isJsonPatch = (value: unknown): value is readonly Operation[] =>
  Array.isArray(value) && value.every(one => typeof one?.op === 'string' && typeof one?.path === 'string');

/**
 * The patched document, which shares with the one given what the patch does not touch: neither may be changed afterwards. Throws a
 * PatchFailure; the document itself never changes.
 */
export function applyJsonPatch(document: unknown, operations: readonly Operation[]): unknown {
  if (operations.length > MAX_OPERATIONS)
    throw new PatchFailure(`${operations.length} operations are more than the allowed ${MAX_OPERATIONS}`);
  const draft: Draft = { own: new WeakSet(), copied: 0 };
  return operations.reduce((root, operation) => applyOne(draft, root, operation), document);
}

interface Draft {
  /** The containers made here, which are in one place of the document only: they may be changed. */
  readonly own: WeakSet<object>;
  copied: number;
}

function applyOne(draft: Draft, root: unknown, { op, path, from, value = null }: Operation): unknown {
  switch (op) {
    case 'add':
      return add(draft, root, pointer(path), value);
    case 'remove':
      return remove(draft, root, pointer(path));
    case 'replace':
      read(root, pointer(path));
      return path === '' ? value : add(draft, remove(draft, root, pointer(path)), pointer(path), value);
    case 'copy':
      return add(draft, root, pointer(path), copy(draft, read(root, pointer(from))));
    case 'move': {
      const moved = read(root, pointer(from));
      if (`${path}/`.startsWith(`${String(from)}/`) && path !== from)
        throw new PatchFailure(`${path} is inside of ${String(from)}`);
      return add(draft, remove(draft, root, pointer(from)), pointer(path), moved);
    }
    case 'test':
      if (!equal(read(root, pointer(path)), value)) throw new PatchFailure(`testing value ${path} failed`);
      return root;
    default:
      throw new PatchFailure(`unexpected kind: ${op}`);
  }
}

/** RFC 6901: `~1` is a slash, `~0` a tilde. */
function pointer(text: unknown): readonly string[] {
  if (text === '') return [];
  if (typeof text !== 'string' || !text.startsWith('/')) throw new PatchFailure(`${String(text)} is no JSON pointer`);
  return text
    .slice(1)
    .split('/')
    .map(token => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A number that keeps its digits is no container. */
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && exactDigits(value) === undefined;

function child(container: unknown, token: string): unknown {
  if (Array.isArray(container)) return container[index(container, token, container.length - 1)];
  if (!isObject(container) || !Object.hasOwn(container, token)) throw new PatchFailure(`there is no ${token}`);
  return container[token];
}

function index(list: readonly unknown[], token: string, last: number): number {
  if (!/^(0|[1-9]\d*)$/.test(token) || Number(token) > last)
    throw new PatchFailure(`${token} is no index of a list of ${list.length}`);
  return Number(token);
}

const read = (root: unknown, path: readonly string[]): unknown => path.reduce(child, root);

function add(draft: Draft, root: unknown, path: readonly string[], value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const { root: changed, at } = ownWayTo(draft, root, path.slice(0, -1));
  if (Array.isArray(at)) at.splice(last === '-' ? at.length : index(at, last, at.length), 0, value);
  else if (isObject(at)) define(at, last, value);
  else throw new PatchFailure(`there is nothing to add ${last} to`);
  return changed;
}

function remove(draft: Draft, root: unknown, path: readonly string[]): unknown {
  const last = path.at(-1);
  if (last === undefined) return null;
  const { root: changed, at } = ownWayTo(draft, root, path.slice(0, -1));
  child(at, last);
  if (Array.isArray(at)) at.splice(Number(last), 1);
  else if (isObject(at)) delete at[last];
  return changed;
}

/** The document in which all containers down to a path are its own, and the last of them. */
function ownWayTo(draft: Draft, root: unknown, path: readonly string[]): { root: unknown; at: unknown } {
  const changed = owned(draft, root);
  let at = changed;
  for (const token of path) {
    const next = owned(draft, child(at, token));
    if (Array.isArray(at)) at[Number(token)] = next;
    else define(at as Record<string, unknown>, token, next);
    at = next;
  }
  return { root: changed, at };
}

function owned(draft: Draft, value: unknown): unknown {
  if (!Array.isArray(value) && !isObject(value)) return value;
  if (draft.own.has(value)) return value;
  const copied = Array.isArray(value) ? [...value] : { ...value };
  draft.own.add(copied);
  return copied;
}

/** What is in two places belongs to neither: the second one gets its own. */
function copy(draft: Draft, value: unknown): unknown {
  draft.copied += JSON.stringify(value).length;
  if (draft.copied > MAX_COPIED) throw new PatchFailure(`the patch copies more than ${MAX_COPIED} characters`);
  return clone(value);
}

/** `structuredClone` does not know numbers that keep their digits. */
function clone(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clone);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, clone(one)])) : value;
}

/** A key `__proto__` stays a key. */
const define = (target: Record<string, unknown>, key: string, value: unknown): void => {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
};

function equal(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(key => Object.hasOwn(b, key) && equal(Reflect.get(a, key), Reflect.get(b, key)))
  );
}
