import type { Subject } from './facts.ts';
import type { Edges } from './snapshot.ts';
import { emptyMap, type SortedMap } from './sorted-map.ts';

/** Subjects with the version at which each got its edge. */
export class EdgeSet implements Edges {
  readonly #since: SortedMap<bigint>;

  constructor(since: SortedMap<bigint>) {
    this.#since = since;
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
    const single = gained.length + lost.length === 1;
    if (single && gained[0] !== undefined) return new EdgeSet(this.#since.with(gained[0], version));
    if (single && lost[0] !== undefined) return orNone(this.#since.without(lost[0]));
    return orNone(
      this.#since.changed(
        gained.map(subject => [subject, version]),
        lost,
      ),
    );
  }
}

export const NO_EDGES = new EdgeSet(emptyMap());

const orNone = (since: SortedMap<bigint>): EdgeSet => (since.size === 0 ? NO_EDGES : new EdgeSet(since));

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
