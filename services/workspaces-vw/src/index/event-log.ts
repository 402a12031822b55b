import { expired } from '@kcp-vw/shared/kube/errors.ts';
import { EventSizes } from './event-sizes.ts';
import type { IndexEvent } from './snapshot.ts';

interface Logged {
  readonly event: IndexEvent;
  /** The version of the event before it of the same parent. */
  readonly previous: bigint | undefined;
  /** Bytes, estimated. */
  readonly size: number;
}

export interface EventLogOptions {
  /** The version before the first event. */
  readonly epoch: bigint;
  /** Events that are kept, at most. */
  readonly capacity: number;
  /** Bytes that they may have together, estimated. The newest is kept whatever it has. */
  readonly budget: number;
  /** Parents of which it is known since when their events are complete; of others it is what is known of them together. */
  readonly mostParents?: number;
}

/** The last events, for those who resume. A version has one event, or none. */
export class EventLog {
  readonly #options: Required<EventLogOptions>;
  readonly #sizes = new EventSizes();
  /** A ring: the event of version v is at v mod capacity. */
  readonly #ring: (Logged | undefined)[];
  /** The version of the newest event of each parent that is in the ring. */
  readonly #newest = new Map<string, bigint>();
  /** The version of the newest event of each parent that was dropped, in the order of these versions. */
  readonly #dropped = new Map<string, bigint>();
  /** That of all parents that are not in `#dropped`, or before it. */
  #droppedOfOthers: bigint;
  /** All events after it are kept. */
  #oldest: bigint;
  #head: bigint;
  #bytes = 0;

  constructor(options: EventLogOptions) {
    this.#options = { mostParents: 100_000, ...options };
    this.#ring = Array.from({ length: options.capacity });
    this.#head = options.epoch;
    this.#oldest = options.epoch;
    this.#droppedOfOthers = options.epoch;
  }

  get head(): bigint {
    return this.#head;
  }

  /** Of what is kept, estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The event has the next version. */
  append(event: IndexEvent): void {
    const parent = parentOf(event);
    this.#advanceTo(event.version);
    const size = this.#sizes.of(event);
    this.#ring[this.#slot(event.version)] = { event, previous: this.#newest.get(parent), size };
    this.#newest.set(parent, event.version);
    this.#bytes += size;
    while (this.#bytes > this.#options.budget && this.#oldest < event.version - 1n) this.#drop();
  }

  /** A version without an event. */
  advance(): bigint {
    this.#advanceTo(this.#head + 1n);
    return this.#head;
  }

  /** Drops all, and leaves out so many versions and one more: nothing is known of what they were. */
  forget(versions: number): void {
    while (this.#oldest < this.#head) this.#drop();
    this.#head += BigInt(versions + 1);
    this.#oldest = this.#head;
    this.#dropped.clear();
    this.#droppedOfOthers = this.#head;
  }

  /**
   * Throws a StatusError 410 for what is not complete any more, and for what was never here. Of one parent it is complete as long as no event
   * of that parent was dropped, whatever happens elsewhere.
   */
  since(version: bigint, parent: string | undefined): Iterable<IndexEvent> {
    const oldest = parent === undefined ? this.#oldest : (this.#dropped.get(parent) ?? this.#droppedOfOthers);
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

  #advanceTo(version: bigint): void {
    this.#head = version;
    while (version - this.#oldest > BigInt(this.#options.capacity)) this.#drop();
  }

  #drop(): void {
    this.#oldest += 1n;
    const slot = this.#slot(this.#oldest);
    const logged = this.#ring[slot];
    if (!logged) return;
    this.#ring[slot] = undefined;
    this.#bytes -= logged.size;
    const parent = parentOf(logged.event);
    if (this.#newest.get(parent) === this.#oldest) this.#newest.delete(parent);
    this.#dropped.delete(parent);
    this.#dropped.set(parent, this.#oldest);
    if (this.#dropped.size <= this.#options.mostParents) return;
    for (const [first, version] of this.#dropped) {
      this.#dropped.delete(first);
      this.#droppedOfOthers = version;
      return;
    }
  }

  #at(version: bigint): Logged | undefined {
    return this.#ring[this.#slot(version)];
  }

  #slot(version: bigint): number {
    return Number(version % BigInt(this.#options.capacity));
  }
}

const parentOf = ({ before, after }: IndexEvent): string => (after ?? before)?.parent ?? '';
