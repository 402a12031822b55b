import { expired } from '@kcp-vw/shared/kube/errors.ts';
import type { CollectionEvent } from '@kcp-vw/shared/view/collection.ts';

/** A committed change. `object` carries the version of the change; of a deletion it is the last state. Frozen. */
export interface Change extends CollectionEvent {
  /** `storageKey` of the kind: `<group>/<resource>`. */
  readonly resource: string;
  readonly cluster: string;
  /** Empty for a cluster-scoped object. */
  readonly namespace: string;
  readonly name: string;
}

/**
 * The last changes of a shard, numbered without gaps. Listeners get them in order: a change that a listener makes is told when all have
 * been told of the one before.
 */
export class EventLog {
  readonly #capacity: number;
  readonly #listeners = new Set<(change: Change) => void>();
  #changes: Change[] = [];
  /** The version that the first change kept comes after: the oldest that can be resumed from. */
  #oldest: number;
  #head: number;
  readonly #untold: Change[] = [];
  #telling = false;

  constructor(capacity: number, head: number) {
    this.#capacity = capacity;
    this.#oldest = head;
    this.#head = head;
  }

  get head(): number {
    return this.#head;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Numbers and keeps a change. It is told by `tell`, when the store has taken it in. */
  append(make: (resourceVersion: string) => Change): Change {
    this.#head += 1;
    const change = Object.freeze(make(String(this.#head)));
    this.#changes.push(change);
    this.#untold.push(change);
    // Twice the capacity is let in so that the array is not moved for every change.
    if (this.#changes.length >= 2 * this.#capacity) this.#forget(this.#head - this.#capacity);
    return change;
  }

  tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    const failures: unknown[] = [];
    try {
      for (let change = this.#untold.shift(); change !== undefined; change = this.#untold.shift()) {
        for (const listener of [...this.#listeners]) {
          try {
            listener(change);
          } catch (error) {
            failures.push(error);
          }
        }
      }
    } finally {
      this.#telling = false;
    }
    // Only now: the others must not miss a change because of one of them.
    if (failures.length > 0) throw new AggregateError(failures, 'listeners of the store have failed');
  }

  /** The changes after a version. Throws a StatusError 410 when they are not all known any more. */
  since(version: number): readonly Change[] {
    const oldest = Math.max(this.#oldest, this.#head - this.#capacity);
    if (version < oldest) throw expired(`too old resource version: ${version} (${oldest})`);
    return this.#changes.slice(version - this.#oldest);
  }

  /** Hears every change from now on. A change that is kept but not yet told is left out: `since` has it. */
  listen(listener: (change: Change) => void): () => void {
    const from = this.#head;
    const own = (change: Change): void => {
      if (Number(change.resourceVersion) > from) listener(change);
    };
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Forgets all changes: whoever is not at the newest version must list again. */
  compact(): void {
    this.#forget(this.#head);
  }

  #forget(version: number): void {
    this.#changes = this.#changes.slice(version - this.#oldest);
    this.#oldest = version;
  }
}
