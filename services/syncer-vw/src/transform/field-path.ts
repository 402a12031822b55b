import { isDeepStrictEqual } from 'node:util';
import { type Fields, isFields } from '@kcp-vw/shared/kube/merge-patch.ts';
import { BrokenObject } from './broken-object.ts';

/** The names of the fields from the top of an object down to one of them; lists are not entered. At least one. */
export type FieldPath = readonly string[];

/** The value of a field; undefined: it is not there, which `null` is not. */
export const fieldOf = (object: Fields, path: FieldPath): unknown =>
  path.reduce<unknown>((value, name) => (isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined), object);

/** The object with a field; the same object when it has that value already. Throws a BrokenObject where the way leads through no map. */
export function withField<T extends Fields>(object: T, path: FieldPath, value: unknown): T {
  const present = fieldOf(object, path);
  return present !== undefined && isDeepStrictEqual(present, value) ? object : withFieldSet(object, path, value);
}

/** The same without a look at the value that is there: always another object. */
export function withFieldSet<T extends Fields>(object: T, path: FieldPath, value: unknown): T {
  const [name = '', ...rest] = path;
  if (rest.length === 0) return { ...object, [name]: value };
  const present = Object.hasOwn(object, name) ? object[name] : undefined;
  return { ...object, [name]: withFieldSet(mapIn(present, path), rest, value) };
}

function mapIn(present: unknown, path: FieldPath): Fields {
  if (present === undefined || present === null) return {};
  if (!isFields(present)) throw new BrokenObject(`the field ${path.join('.')} cannot be set: ${path[0]} is no map`);
  return present;
}

/** The object without a field; the same object when it has none. */
export function withoutField<T extends Fields>(object: T, path: FieldPath): T {
  if (fieldOf(object, path) === undefined) return object;
  const [name = '', ...rest] = path;
  if (rest.length > 0) return { ...object, [name]: withoutField(object[name] as Fields, rest) };
  const { [name]: _, ...others } = object;
  return others as T;
}
