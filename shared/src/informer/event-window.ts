import { badRequest, expired } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { CollectionEvent } from '../view/collection.ts';

export interface EventWindowOptions {
  /** Events kept for clients that resume; default 4,096. */
  readonly capacity?: number;
  /**
   * The version before the first event. The default follows the time of day, so that no version of one process is ever taken for one of
   * its predecessor, or of another replica: those are answered 410.
   */
  readonly epoch?: bigint;
}

/** 2²⁰ versions for each millisecond that a process has lived: more than it can ever use. */
export const epochNow = (): bigint => BigInt(Date.now()) << 20n;

const DECIMAL = /^\d+$/;

/**
 * The last events of a collection and the sequence that numbers them. Versions are plain decimal integers, ordered and without gaps in
 * time: what is not in the window any more, and what was never in it, is `Expired`.
 */
export class EventWindow<T extends KubeObject = KubeObject> {
  readonly #capacity: number;
  readonly #listeners = new Set<(event: CollectionEvent<T>) => void>();
  /** A ring: the event of version v is at v mod capacity. */
  readonly #ring: (CollectionEvent<T> | undefined)[] = [];
  readonly #epoch: bigint;
  #head: bigint;

  constructor({ capacity = 4096, epoch = epochNow() }: EventWindowOptions = {}) {
    this.#capacity = capacity;
    this.#epoch = epoch;
    this.#head = epoch;
  }

  /** The version of the newest event. */
  get resourceVersion(): string {
    return String(this.#head);
  }

  get watchers(): number {
    return this.#listeners.size;
  }

  /** Numbers an event, remembers it and tells every watcher. `make` puts the version into the object. */
  append(make: (resourceVersion: string) => Omit<CollectionEvent<T>, 'resourceVersion'>): CollectionEvent<T> {
    const version = this.#head + 1n;
    const resourceVersion = String(version);
    const event: CollectionEvent<T> = Object.freeze({ ...make(resourceVersion), resourceVersion });
    this.#head = version;
    this.#ring[this.#slot(version)] = event;

    const failures: unknown[] = [];
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        failures.push(error);
      }
    }
    // Only now: the others must not miss an event because of one of them.
    if (failures.length > 0) throw new AggregateError(failures, `watchers failed on event ${resourceVersion}`);
    return event;
  }

  /**
   * Events after `resourceVersion`: those that are in the window before this returns, the others as they happen.
   * Throws a StatusError: 410 outside the window, 400 for what is no version.
   */
  watch(resourceVersion: string, listener: (event: CollectionEvent<T>) => void): () => void {
    if (!DECIMAL.test(resourceVersion)) throw badRequest(`invalid resource version ${JSON.stringify(resourceVersion)}`);
    const since = BigInt(resourceVersion);
    const oldest = this.#oldest();
    if (since < oldest || since > this.#head) throw expired(`too old resource version: ${since} (${oldest})`);
    for (let version = since + 1n; version <= this.#head; version += 1n) {
      listener(this.#ring[this.#slot(version)] as CollectionEvent<T>);
    }
    const own = (event: CollectionEvent<T>): void => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** The oldest version that can be resumed from. */
  #oldest(): bigint {
    const kept = this.#head - BigInt(this.#capacity);
    return kept > this.#epoch ? kept : this.#epoch;
  }

  #slot(version: bigint): number {
    return Number(version % BigInt(this.#capacity));
  }
}
