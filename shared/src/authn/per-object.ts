/**
 * Computes once for each frozen object what follows from it, for as long as the object lives: a caller's connection, an identity that a
 * cache holds. An object that could change is computed each time, and what throws is not kept.
 */
export function perObject<K extends object, V>(compute: (object: K) => V): (object: K) => V {
  const known = new WeakMap<K, { readonly value: V }>();
  return object => {
    const entry = known.get(object);
    if (entry !== undefined) return entry.value;
    const value = compute(object);
    if (Object.isFrozen(object)) known.set(object, { value });
    return value;
  };
}
