import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { Snapshot } from '../index/snapshot.ts';

/** A workspace as one caller sees it. */
export interface Seen {
  readonly snapshot: Snapshot;
  /** Its resourceVersion for the caller: of the object, or of the moment he got to see it if that was later. */
  readonly version: bigint;
}

export interface SeenEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** Of the event, and the resourceVersion of the object in it. */
  readonly version: bigint;
  /** As it is now; of a DELETED the last that the caller was entitled to. */
  readonly snapshot: Snapshot;
  /** Absent for ADDED. */
  readonly previous?: Seen;
}

/** What one caller sees. */
export interface Sight {
  /** Of the newest change in the index. */
  readonly version: bigint;
  /** Sorted by parent and name, without the first ones for which `isPast` holds. Its cost grows with what is seen. */
  list(parent?: string, isPast?: (snapshot: Snapshot) => boolean): Iterable<Seen>;
  get(parent: string, name: string): Seen | undefined;
  /** Whether he may enter this logical cluster. */
  mayEnter(cluster: string): boolean;
  /**
   * Events after `version`: those known before this returns, the others as they come. Throws a StatusError 410 when they are not all known any
   * more, or when one of the known took something out of his sight that is still there.
   */
  watch(version: bigint, parent: string | undefined, listener: (event: SeenEvent) => void): () => void;
}

/** Where it is known from who may enter what: the index, or somebody who is asked. */
export interface AccessSource {
  /** Of one parent, or of all. Rejects with a StatusError 503 when it cannot be known now. */
  sightOf(caller: Caller, parent: string | undefined): Promise<Sight>;
}
