/** Server-side apply: sets of fields, in the form in which `metadata.managedFields` has them (`fieldsV1`). */
import { isDeepStrictEqual } from 'node:util';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { isObject } from './merge.ts';
import { type Fields, isWhole, type MergeSchema, membersOf } from './merge-schema.ts';

/** The fields that a configuration has. Throws a StatusError 500 for lists whose items cannot be told from each other. */
export function fieldsOf(schema: MergeSchema, value: unknown, path = ''): Fields {
  const members = membersOf(schema, value);
  if (members === undefined) return {};
  if (Array.isArray(value)) refuseUnkeyed(schema, value, members.size, path);
  const fields = [...members].map(([name, member]): [string, Fields] => {
    const inner = fieldsOf(member.schema, member.value, path + pathElement(name));
    return [name, name.startsWith('k:') ? { '.': {}, ...inner } : inner];
  });
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** In the words of structured-merge-diff, whose errors reach the client as they are. */
function refuseUnkeyed(schema: MergeSchema, items: readonly unknown[], different: number, path: string): void {
  const keys = schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : [];
  items.forEach((item, i) => {
    const key = keys.find(one => !isObject(item) || item[one] === undefined);
    if (key === undefined) return;
    const why = `associative list with keys has an element that omits key field ${JSON.stringify(key)}`;
    throw untypable(`${path}: element ${i}: ${why} (and doesn't have default value)`);
  });
  if (different < items.length) throw untypable(`${path}: duplicate entries`);
}

export const untypable = (why: string): StatusError =>
  new StatusError('InternalError', `failed to create typed patch object: ${why}`);

/** The fields that are in `fields` and not in `others`. */
export function difference(fields: Fields, others: Fields): Fields {
  const left: Record<string, Fields> = {};
  for (const [name, inner] of Object.entries(fields)) {
    const other = others[name];
    if (other === undefined) left[name] = inner;
    else if (!isWhole(inner)) {
      const rest = difference(inner, other);
      if (!isWhole(rest)) left[name] = rest;
    }
  }
  return left;
}

/** Those of the fields that a change from `before` to `after` has left as they were. */
export function untouched(schema: MergeSchema, fields: Fields, before: unknown, after: unknown): Fields {
  const was = membersOf(schema, before);
  const is = membersOf(schema, after);
  const left: Record<string, Fields> = {};
  for (const [name, inner] of Object.entries(fields)) {
    const member = is?.get(name);
    const previous = was?.get(name)?.value;
    if (name === '.') left[name] = inner;
    else if (member === undefined) continue;
    else if (isWhole(inner)) {
      if (isDeepStrictEqual(previous, member.value)) left[name] = inner;
    } else {
      const rest = untouched(member.schema, inner, previous, member.value);
      if (!isWhole(rest)) left[name] = rest;
    }
  }
  return left;
}

/** The paths of the fields as messages name them: `.status.endpoints[instance="a"].url`. */
export function pathsOf(fields: Fields, path = ''): readonly string[] {
  return Object.entries(fields).flatMap(([name, inner]) => {
    if (name === '.') return [path];
    const at = path + pathElement(name);
    return isWhole(inner) ? [at] : pathsOf(inner, at);
  });
}

function pathElement(name: string): string {
  const text = name.slice(2);
  if (name.startsWith('f:')) return `.${text}`;
  if (name.startsWith('v:')) return `[=${text}]`;
  const keys = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
}
