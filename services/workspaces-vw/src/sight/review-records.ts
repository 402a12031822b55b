import type { WorkspaceIndex } from '../index/snapshot.ts';

/** What is kept of one caller's reviews, of one parent or of all. */
export interface Kept {
  /** Answers that it has, or is about to have. */
  readonly size: number;
  /** Somebody watches it, or waits for its first answers. */
  readonly isInUse: boolean;
  /** From now on it is of no use; returns what it has shown last. Not for one that is in use. */
  forget(): Shown;
}

/** What somebody was shown last. */
export interface Shown {
  /** From this version on nothing has changed but what the index tells; undefined: nothing has been shown. */
  readonly since: bigint | undefined;
  /** Of all that was allowed. */
  readonly digest: string;
}

export interface Bounds {
  readonly mostRecords: number;
  /** In all records together. */
  readonly mostAnswers: number;
}

/** It takes little to know what was shown last by one that is forgotten. */
const FORGOTTEN_PER_RECORD = 10;

interface Entry<R> {
  readonly owner: string;
  readonly record: R;
}

/**
 * Records of callers, within bounds. When there is no room, of whoever has most the one that was used longest ago is forgotten: nobody loses
 * what he is shown because somebody else asks for more and more. Those that are in use stay.
 */
export class ReviewRecords<R extends Kept> {
  readonly #bounds: Bounds;
  readonly #index: Pick<WorkspaceIndex, 'version' | 'advance'>;
  /** In the order of use: a Map keeps the order of insertion. */
  readonly #entries = new Map<string, Entry<R>>();
  /** What those that were forgotten last had shown. */
  readonly #forgotten = new Map<string, Shown & { readonly at: bigint }>();
  /** The version up to which something was shown of which nothing is known any more. */
  #floor = -1n;

  constructor(bounds: Bounds, index: Pick<WorkspaceIndex, 'version' | 'advance'>) {
    this.#bounds = bounds;
    this.#index = index;
  }

  get size(): number {
    return this.#entries.size;
  }

  use(key: string, owner: string, make: () => R): R {
    const entry = this.#entries.get(key) ?? { owner, record: make() };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    while (this.#entries.size > this.#bounds.mostRecords && this.#forgetOne(entry.record, () => 1)) {}
    return entry.record;
  }

  /** Whether a record may have so many answers. */
  hasRoom(record: R, answers: number): boolean {
    const others = (): number => {
      let sum = 0;
      for (const entry of this.#entries.values()) if (entry.record !== record) sum += entry.record.size;
      return sum;
    };
    while (others() + answers > this.#bounds.mostAnswers) {
      if (!this.#forgetOne(record, ({ size }) => size)) return false;
    }
    return true;
  }

  /** From which version on a record knows what has changed, of which `digest` is the first that it shows. */
  knownSince(key: string, digest: string): bigint {
    const { version } = this.#index;
    const before = this.#forgotten.get(key);
    this.#forgotten.delete(key);
    // Its predecessor has shown the same.
    if (before?.since !== undefined && before.digest === digest) return before.since;
    // At a version up to this something else may have been shown.
    return version > (before?.at ?? this.#floor) ? version : this.#index.advance();
  }

  /** False: there is none that may be forgotten. */
  #forgetOne(newest: R, weigh: (record: R) => number): boolean {
    const weights = new Map<string, number>();
    for (const { owner, record } of this.#entries.values()) weights.set(owner, (weights.get(owner) ?? 0) + weigh(record));
    let found: string | undefined;
    let most = 0;
    for (const [key, { owner, record }] of this.#entries) {
      const weight = weights.get(owner) ?? 0;
      if (record === newest || record.isInUse || weigh(record) === 0 || weight <= most) continue;
      most = weight;
      found = key;
    }
    if (found === undefined) return false;
    this.#forget(found);
    return true;
  }

  #forget(key: string): void {
    const shown = this.#entries.get(key)?.record.forget();
    this.#entries.delete(key);
    if (shown?.since === undefined) return;
    this.#forgotten.set(key, { ...shown, at: this.#index.version });
    const [oldest] = this.#forgotten;
    if (oldest === undefined || this.#forgotten.size <= FORGOTTEN_PER_RECORD * this.#bounds.mostRecords) return;
    this.#forgotten.delete(oldest[0]);
    if (oldest[1].at > this.#floor) this.#floor = oldest[1].at;
  }
}
