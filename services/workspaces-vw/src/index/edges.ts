import type { Subject } from './facts.ts';
import type { Edges } from './snapshot.ts';
import { emptyMap, type SortedMap } from './sorted-map.ts';

/** Subjects with the version at which each got its edge. */
export class EdgeSet implements Edges {
  readonly #since: SortedMap<bigint>;

  /** About how many of its edges it does not share with the set that it came of. */
  readonly changes: number;

  constructor(since: SortedMap<bigint>, changes = 0) {
    this.#since = since;
    this.changes = changes;
  }

  get size(): number {
    return this.#since.size;
  }

  has(subject: Subject): boolean {
    return this.#since.has(subject);
  }

  since(subject: Subject): bigint | undefined {
    return this.#since.get(subject);
  }

  subjects(): Iterable<Subject> {
    return { [Symbol.iterator]: () => this.#since.keys() };
  }

  changed({ gained, lost }: Gains, version: bigint): EdgeSet {
    const [first] = gained;
    const [last] = lost;
    if (gained.length + lost.length > 1) {
      const since = this.#since.changed(
        gained.map(subject => [subject, version]),
        lost,
      );
      return orNone(since, gained.length + lost.length);
    }
    if (first !== undefined) return orNone(this.#since.with(first, version), 1);
    return last === undefined ? this : orNone(this.#since.without(last), 1);
  }
}

/** Edges that count for something since a version. */
export interface Part {
  readonly edges: EdgeSet;
  readonly from: bigint;
}

/** Several sets of edges as one. */
export class UnionEdges implements Edges {
  readonly parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.parts = parts;
  }

  /** At most: who is in several counts several times. */
  get size(): number {
    return this.parts.reduce((sum, { edges }) => sum + edges.size, 0);
  }

  has(subject: Subject): boolean {
    return this.parts.some(({ edges }) => edges.has(subject));
  }

  since(subject: Subject): bigint | undefined {
    let first: bigint | undefined;
    for (const { edges, from } of this.parts) {
      let since = edges.since(subject);
      if (since === undefined) continue;
      if (since < from) since = from;
      if (first === undefined || since < first) first = since;
    }
    return first;
  }

  subjects(): Iterable<Subject> {
    const [only, second] = this.parts;
    if (only && !second) return only.edges.subjects();
    return [...new Set(this.parts.flatMap(({ edges }) => [...edges.subjects()]))].sort();
  }
}

/** Those without edges left out. */
export function partsOf(edges: Edges): readonly Part[] {
  if (edges instanceof UnionEdges) return edges.parts;
  return edges === NO_EDGES ? [] : [{ edges: edges as EdgeSet, from: 0n }];
}

export const NO_EDGES = new EdgeSet(emptyMap());

/** A map that is changed is copied in pieces, of which the smallest has some twenty entries. */
const orNone = (since: SortedMap<bigint>, changes: number): EdgeSet =>
  since.size === 0 ? NO_EDGES : new EdgeSet(since, Math.min(since.size, 20 * changes));

/** What a batch has changed in a set of edges. */
export interface Gains {
  readonly gained: readonly Subject[];
  readonly lost: readonly Subject[];
}

/** Counts who grants an edge, and makes the next set of edges when a batch is settled. */
export class EdgeCounter<Holder = unknown> {
  /** Whose edges they are. */
  readonly holder: Holder;
  /** As of the last batch. */
  edges: EdgeSet = NO_EDGES;
  /** Only of subjects with more than one granting binding: they are few. */
  #counts: Map<Subject, number> | undefined;
  /** Of the subjects that the present batch has touched. */
  #pending: Map<Subject, number> | undefined;

  constructor(holder: Holder) {
    this.holder = holder;
  }

  /** One binding more (1) or less (-1) gives the edge to each of the subjects. */
  count(subjects: Iterable<Subject>, change: 1 | -1): void {
    this.#pending ??= new Map();
    for (const subject of subjects) {
      const count = this.#pending.get(subject) ?? this.#counts?.get(subject) ?? (this.edges.has(subject) ? 1 : 0);
      this.#pending.set(subject, count + change);
    }
  }

  /** Ends the batch; undefined: the same subjects as before have edges. `edges` is for the caller to change. */
  settle(): Gains | undefined {
    const gained: Subject[] = [];
    const lost: Subject[] = [];
    for (const [subject, count] of this.#pending ?? []) {
      const had = this.edges.has(subject);
      if (count > 0 && !had) gained.push(subject);
      if (count <= 0 && had) lost.push(subject);
      if (count > 1) {
        this.#counts ??= new Map();
        this.#counts.set(subject, count);
      } else {
        this.#counts?.delete(subject);
      }
    }
    if (this.#counts?.size === 0) this.#counts = undefined;
    this.#pending = undefined;
    return gained.length + lost.length > 0 ? { gained, lost } : undefined;
  }
}
