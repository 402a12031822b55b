import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';

const cache = new WeakMap<KubeObject, string>();

/** A stored object as JSON, made once: stored objects are frozen, and every version is an object of its own. */
export function jsonOf(object: KubeObject): string {
  const known = cache.get(object);
  if (known !== undefined) return known;
  const text = JSON.stringify(object);
  cache.set(object, text);
  return text;
}

/** Freezes a JSON value through and through. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
