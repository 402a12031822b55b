import { position } from '@kcp-vw/shared/informer/sort-key.ts';
import sortedBtree from 'sorted-btree';

const Tree = sortedBtree.default;
type Tree<V> = sortedBtree.default<string, V>;

/** Up to so many entries are two plain arrays; nearly all maps of the index have fewer than ten. */
const LARGEST_ARRAY = 32;
/** A tree becomes arrays again far below, so that a size that swings does not convert each time. */
const SMALLEST_TREE = 16;

const NOTHING: readonly never[] = Object.freeze([]);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A map from strings, sorted by key. Immutable: a change makes another, and shares what it can with the one before. */
export class SortedMap<V> {
  readonly #keys: readonly string[];
  readonly #values: readonly V[] | Tree<V>;

  constructor(keys: readonly string[] = NOTHING, values: readonly V[] | Tree<V> = NOTHING) {
    this.#keys = keys;
    this.#values = values;
  }

  get size(): number {
    return this.#values instanceof Tree ? this.#values.size : this.#keys.length;
  }

  get(key: string): V | undefined {
    if (this.#values instanceof Tree) return this.#values.get(key);
    const { index, found } = position(this.#keys, key);
    return found ? this.#values[index] : undefined;
  }

  has(key: string): boolean {
    return this.#values instanceof Tree ? this.#values.has(key) : position(this.#keys, key).found;
  }

  with(key: string, value: V): SortedMap<V> {
    if (this.#values instanceof Tree || this.#keys.length >= LARGEST_ARRAY) return this.changed([[key, value]], []);
    const { index, found } = position(this.#keys, key);
    const keys = found ? this.#keys : this.#keys.toSpliced(index, 0, key);
    return new SortedMap(keys, this.#values.toSpliced(index, found ? 1 : 0, value));
  }

  without(key: string): SortedMap<V> {
    if (this.#values instanceof Tree) return this.changed([], [key]);
    const { index, found } = position(this.#keys, key);
    return found ? new SortedMap(this.#keys.toSpliced(index, 1), this.#values.toSpliced(index, 1)) : this;
  }

  /** Many changes for the price of one copy. */
  changed(set: readonly (readonly [string, V])[], deleted: readonly string[]): SortedMap<V> {
    const tree = this.#tree();
    for (const key of deleted) tree.delete(key);
    for (const [key, value] of set) tree.set(key, value);
    const small = this.#values instanceof Tree ? tree.size < SMALLEST_TREE : tree.size <= LARGEST_ARRAY;
    return small ? new SortedMap(tree.keysArray(), tree.valuesArray()) : new SortedMap<V>(NOTHING, tree);
  }

  keys(): Iterator<string> & Iterable<string> {
    return this.#values instanceof Tree ? this.#values.keys() : this.#keys.values();
  }

  *entries(): Generator<readonly [string, V]> {
    const values = this.values();
    for (const key of this.keys()) yield [key, values.next().value as V];
  }

  /** From the first key that is not before `first`. */
  values(first?: string): Iterator<V> & Iterable<V> {
    if (this.#values instanceof Tree) return this.#values.values(first);
    return valuesFrom(this.#values, first === undefined ? 0 : position(this.#keys, first).index);
  }

  #tree(): Tree<V> {
    if (this.#values instanceof Tree) return this.#values.clone();
    const tree = new Tree<string, V>(undefined, compare);
    this.#keys.forEach((key, index) => {
      tree.set(key, (this.#values as readonly V[])[index] as V);
    });
    return tree;
  }
}

function* valuesFrom<V>(values: readonly V[], start: number): Generator<V> {
  for (let index = start; index < values.length; index += 1) yield values[index] as V;
}

const EMPTY = new SortedMap<never>();

/** The one without entries: there need not be more of them. */
export const emptyMap = <V>(): SortedMap<V> => EMPTY as SortedMap<unknown> as SortedMap<V>;
