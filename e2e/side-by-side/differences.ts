import { isDeepStrictEqual } from 'node:util';

export interface Difference {
  /** Where the first difference is, e.g. `body.items.0.metadata.labels`. */
  readonly path: string;
  readonly one: unknown;
  readonly other: unknown;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The first difference of two values, in the order of the first one's fields; undefined when they are equal. */
export function firstDifference(one: unknown, other: unknown, path = ''): Difference | undefined {
  if (isDeepStrictEqual(one, other)) return undefined;
  if (!isObject(one) || !isObject(other) || Array.isArray(one) !== Array.isArray(other)) return { path, one, other };
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const inner = firstDifference(Reflect.get(one, name), Reflect.get(other, name), path === '' ? name : `${path}.${name}`);
    if (inner !== undefined) return inner;
  }
  return { path, one, other };
}
