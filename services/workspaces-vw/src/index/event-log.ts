import { expired } from '@kcp-vw/shared/kube/errors.ts';
import type { IndexEvent } from './snapshot.ts';

interface Logged {
  readonly event: IndexEvent;
  /** The version of the event before it of the same parent. */
  readonly previous: bigint | undefined;
}

/** The last events, for those who resume. A version has one event, or none. */
export class EventLog {
  readonly #capacity: number;
  readonly #epoch: bigint;
  /** A ring: the event of version v is at v mod capacity. */
  readonly #ring: (Logged | undefined)[];
  /** The version of the newest event of each parent that is in the ring. */
  readonly #newest = new Map<string, bigint>();
  #head: bigint;

  constructor(capacity: number, epoch: bigint) {
    this.#capacity = capacity;
    this.#epoch = epoch;
    this.#ring = Array.from({ length: capacity });
    this.#head = epoch;
  }

  get head(): bigint {
    return this.#head;
  }

  /** The event has the next version. */
  append(event: IndexEvent): void {
    const parent = parentOf(event);
    this.#put(event.version, () => ({ event, previous: this.#newest.get(parent) }));
    this.#newest.set(parent, event.version);
  }

  /** A version without an event. */
  advance(): bigint {
    this.#put(this.#head + 1n, () => undefined);
    return this.#head;
  }

  /** Throws a StatusError 410 for what is not in the window any more, and for what was never in it. */
  since(version: bigint, parent: string | undefined): Iterable<IndexEvent> {
    const kept = this.#head - BigInt(this.#capacity);
    const oldest = kept > this.#epoch ? kept : this.#epoch;
    if (version < oldest || version > this.#head) throw expired(`too old resource version: ${version} (${oldest})`);
    return parent === undefined ? this.#after(version) : this.#ofParent(version, parent);
  }

  #after(version: bigint): IndexEvent[] {
    const events: IndexEvent[] = [];
    for (let next = version + 1n; next <= this.#head; next += 1n) {
      const logged = this.#at(next);
      if (logged) events.push(logged.event);
    }
    return events;
  }

  /** Along the chain of the parent, so that its cost is that of its own events. */
  #ofParent(version: bigint, parent: string): IndexEvent[] {
    const events: IndexEvent[] = [];
    const newest = this.#newest.get(parent);
    let next = newest === undefined ? undefined : this.#at(newest);
    while (next && next.event.version > version) {
      events.push(next.event);
      next = next.previous === undefined || next.previous <= version ? undefined : this.#at(next.previous);
    }
    return events.reverse();
  }

  #put(version: bigint, make: () => Logged | undefined): void {
    this.#head = version;
    const slot = this.#slot(version);
    const dropped = this.#ring[slot]?.event;
    if (dropped && this.#newest.get(parentOf(dropped)) === dropped.version) this.#newest.delete(parentOf(dropped));
    this.#ring[slot] = make();
  }

  #at(version: bigint): Logged | undefined {
    return this.#ring[this.#slot(version)];
  }

  #slot(version: bigint): number {
    return Number(version % BigInt(this.#capacity));
  }
}

const parentOf = ({ before, after }: IndexEvent): string => (after ?? before)?.parent ?? '';
