import { clusterOf, type KubeObject } from '../kube/objects.ts';

export type Indexes<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** One difference between two states of a store. */
export interface Change<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** The new state; of a deleted object its last state. */
  readonly object: T;
  /** What the store held before; absent for ADDED. */
  readonly previous?: T;
}

/** An object with what identifies it, taken before a projection may have dropped it. */
export interface Entry<T> {
  readonly key: string;
  readonly uid: string;
  readonly version: string;
  readonly object: T;
  /** `[index, key]` pairs, computed once: an index function that throws leaves the store as it was. */
  readonly indexed: readonly (readonly [index: string, key: string])[];
}

/** Index → index key → store key → object. */
type IndexMap<T> = Map<string, Map<string, Map<string, T>>>;

/** No part can contain a slash: not a logical cluster's name, not a namespace, not an object's name. */
export const storeKey = (cluster: string, namespace: string, name: string): string => `${cluster}/${namespace}/${name}`;

/** Objects by (logical cluster, namespace, name), with indexes. Every change reports the differences that it made. */
export class ObjectStore<T> {
  readonly #indexes: Indexes<T>;
  readonly #project: (object: KubeObject) => T;
  #entries = new Map<string, Entry<T>>();
  #indexed: IndexMap<T> = new Map();

  constructor(project: (object: KubeObject) => T, indexes: Indexes<T> = {}) {
    this.#project = project;
    this.#indexes = indexes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.object;
  }

  /** In no particular order. */
  list(): T[] {
    return Array.from(this.#entries.values(), entry => entry.object);
  }

  byIndex(index: string, key: string): T[] {
    if (!Object.hasOwn(this.#indexes, index)) throw new Error(`there is no index "${index}"`);
    return [...(this.#indexed.get(index)?.get(key)?.values() ?? [])];
  }

  /** An entry for `object`, not stored yet. Throws when it has no name or version, or when the projection or an index does. */
  entry(object: KubeObject): Entry<T> {
    const { name, namespace = '', uid = '', resourceVersion } = object.metadata ?? {};
    if (!name || !resourceVersion) throw new Error('the server sent an object without name or resourceVersion');
    const key = storeKey(clusterOf(object), namespace, name);
    const projected = this.#project(object);
    const indexed = Object.entries(this.#indexes).flatMap(([index, keysOf]) =>
      [...new Set(keysOf(projected))].map(indexKey => [index, indexKey] as const),
    );
    return { key, uid, version: resourceVersion, object: projected, indexed };
  }

  put(entry: Entry<T>): Change<T>[] {
    const before = this.#entries.get(entry.key);
    const changes = difference(before, entry);
    if (changes.length === 0) return changes;
    if (before) this.#unindex(before);
    this.#entries.set(entry.key, entry);
    addToIndexes(this.#indexed, entry);
    return changes;
  }

  /** `entry` is the last state, as the server sent it. */
  remove(entry: Entry<T>): Change<T>[] {
    const before = this.#entries.get(entry.key);
    // Another object took the name since: this deletion is not its own.
    if (!before || differentObjects(before, entry)) return [];
    this.#unindex(before);
    this.#entries.delete(entry.key);
    return [{ type: 'DELETED', object: entry.object, previous: before.object }];
  }

  /**
   * Makes `entries` the whole content at once. Nobody saw the last state of what vanished meanwhile, so its DELETED carries the last
   * known one.
   */
  replace(entries: Iterable<Entry<T>>): Change<T>[] {
    const before = this.#entries;
    const after = new Map<string, Entry<T>>();
    for (const entry of entries) after.set(entry.key, entry);

    const changes: Change<T>[] = [];
    for (const [key, { object }] of before) {
      if (!after.has(key)) changes.push({ type: 'DELETED', object, previous: object });
    }
    const indexed: IndexMap<T> = new Map();
    for (const [key, entry] of after) {
      const old = before.get(key);
      const differences = difference(old, entry);
      changes.push(...differences);
      // What did not change keeps its identity, so that consumers may compare by reference.
      const kept = old && differences.length === 0 ? old : entry;
      after.set(key, kept);
      addToIndexes(indexed, kept);
    }
    this.#entries = after;
    this.#indexed = indexed;
    return changes;
  }

  #unindex(entry: Entry<T>): void {
    for (const [index, key] of entry.indexed) {
      const keys = this.#indexed.get(index);
      const objects = keys?.get(key);
      objects?.delete(entry.key);
      if (objects?.size === 0) keys?.delete(key);
    }
  }
}

function addToIndexes<T>(indexed: IndexMap<T>, entry: Entry<T>): void {
  for (const [index, key] of entry.indexed) {
    const keys = indexed.get(index) ?? new Map<string, Map<string, T>>();
    indexed.set(index, keys);
    const objects = keys.get(key) ?? new Map<string, T>();
    keys.set(key, objects);
    objects.set(entry.key, entry.object);
  }
}

const differentObjects = <T>(a: Entry<T>, b: Entry<T>): boolean => a.uid !== '' && b.uid !== '' && a.uid !== b.uid;

function difference<T>(before: Entry<T> | undefined, after: Entry<T>): Change<T>[] {
  if (!before) return [{ type: 'ADDED', object: after.object }];
  // Deleted and created again between two looks: consumers hold state by uid, so they are told both.
  if (differentObjects(before, after)) {
    return [
      { type: 'DELETED', object: before.object, previous: before.object },
      { type: 'ADDED', object: after.object },
    ];
  }
  if (before.version === after.version) return [];
  return [{ type: 'MODIFIED', object: after.object, previous: before.object }];
}
