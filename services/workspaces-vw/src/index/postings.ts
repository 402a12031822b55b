import { emptyMap, type SortedMap } from './sorted-map.ts';

/** Something sorted by parent and name. */
export interface Keyed {
  readonly key: string;
  readonly parent: { readonly name: string };
}

/** NUL is in no name, and sorts before all characters. */
export const keyOf = (parent: string, name: string): string => `${parent}\0${name}`;

/** Under each word, what was posted there, sorted by key. */
export class Postings<T extends Keyed> {
  readonly #byWord = new Map<string, SortedMap<T>>();

  get words(): number {
    return this.#byWord.size;
  }

  add(word: string, item: T): void {
    const posted = this.#byWord.get(word) ?? emptyMap<T>();
    if (!posted.has(item.key)) this.#byWord.set(word, posted.with(item.key, item));
  }

  delete(word: string, item: T): void {
    const rest = this.#byWord.get(word)?.without(item.key);
    if (rest && rest.size > 0) this.#byWord.set(word, rest);
    else this.#byWord.delete(word);
  }

  get(word: string): SortedMap<T> | undefined {
    return this.#byWord.get(word);
  }
}

/** The items of one parent, or all. */
export function* ofParent<T extends Keyed>(items: SortedMap<T>, parent: string | undefined): Generator<T> {
  if (parent === undefined) {
    yield* items.values();
    return;
  }
  for (const item of items.values(keyOf(parent, ''))) {
    if (item.parent.name !== parent) return;
    yield item;
  }
}

/** Sorted sequences as one, each item once. Costs the logarithm of their number for each item that is taken. */
export function* merged<T extends Keyed>(sequences: readonly Iterator<T>[]): Generator<T> {
  const heap = new Heap<T>();
  for (const sequence of sequences) heap.advance(sequence);
  let last: T | undefined;
  for (let top = heap.pop(); top; top = heap.pop()) {
    if (top.item !== last) yield top.item;
    last = top.item;
    heap.advance(top.rest);
  }
}

interface Head<T> {
  readonly item: T;
  readonly rest: Iterator<T>;
}

class Heap<T extends Keyed> {
  readonly #heads: Head<T>[] = [];

  /** Takes the next item of a sequence, if it has one. */
  advance(rest: Iterator<T>): void {
    const { done, value } = rest.next();
    if (done) return;
    const heads = this.#heads;
    let at = heads.length;
    heads.push({ item: value, rest });
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(at, above)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  /** The head that is first. */
  pop(): Head<T> | undefined {
    const [first] = this.#heads;
    const last = this.#heads.pop();
    if (!last || last === first) return first;
    this.#heads[0] = last;
    let at = 0;
    for (;;) {
      let least = at;
      for (const below of [2 * at + 1, 2 * at + 2]) if (below < this.#heads.length && this.#isBefore(below, least)) least = below;
      if (least === at) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    return (this.#heads[a] as Head<T>).item.key < (this.#heads[b] as Head<T>).item.key;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heads[a] as Head<T>, this.#heads[b] as Head<T>];
    this.#heads[a] = second;
    this.#heads[b] = first;
  }
}
