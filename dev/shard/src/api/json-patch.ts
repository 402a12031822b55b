import { isObject } from './merge.ts';

/** A JSON Patch (RFC 6902) that is well formed and does not fit the document. */
export class PatchFailure extends Error {
  override readonly name = 'PatchFailure';
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: unknown;
  readonly value?: unknown;
}

/** Whether a value is a list of operations; which they are is found out when they are applied. */
export const isJsonPatch = (value: unknown): value is readonly Operation[] =>
  Array.isArray(value) && value.every(one => typeof one?.op === 'string' && typeof one?.path === 'string');

/** The patched copy of a document. Throws a PatchFailure; the document itself never changes. */
export function applyJsonPatch(document: unknown, operations: readonly Operation[]): unknown {
  let root = structuredClone(document);
  for (const operation of operations) root = applyOne(root, operation);
  return root;
}

function applyOne(root: unknown, { op, path, from, value = null }: Operation): unknown {
  switch (op) {
    case 'add':
      return add(root, pointer(path), structuredClone(value));
    case 'remove':
      return remove(root, pointer(path));
    case 'replace':
      read(root, pointer(path));
      return path === '' ? structuredClone(value) : add(remove(root, pointer(path)), pointer(path), structuredClone(value));
    case 'copy':
      return add(root, pointer(path), structuredClone(read(root, pointer(from))));
    case 'move': {
      const moved = read(root, pointer(from));
      if (`${path}/`.startsWith(`${String(from)}/`) && path !== from)
        throw new PatchFailure(`${path} is inside of ${String(from)}`);
      return add(remove(root, pointer(from)), pointer(path), moved);
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

function add(root: unknown, path: readonly string[], value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = read(root, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(last === '-' ? parent.length : index(parent, last, parent.length), 0, value);
  else if (isObject(parent)) define(parent, last, value);
  else throw new PatchFailure(`there is nothing to add ${last} to`);
  return root;
}

function remove(root: unknown, path: readonly string[]): unknown {
  const last = path.at(-1);
  if (last === undefined) return null;
  const parent = read(root, path.slice(0, -1));
  child(parent, last);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isObject(parent)) delete parent[last];
  return root;
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
