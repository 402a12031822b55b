import { type EdgeSet, NO_EDGES, partsOf } from './edges.ts';
import type { Edges, IndexEvent, Snapshot } from './snapshot.ts';

/** Bytes of an event itself, with its snapshots, and of one edge. */
const EVENT = 1000;
const EDGE = 64;

/** How much an event keeps in memory, about: objects, and sets of edges that have become others. What other events have, too, counts once. */
export class EventSizes {
  readonly #gained = new WeakSet<EdgeSet>();
  readonly #lost = new WeakSet<EdgeSet>();

  of({ before, after }: IndexEvent): number {
    const objects = before?.object === after?.object ? 0 : sizeOf(before) + sizeOf(after);
    const [were, are] = [edgesOf(before), edgesOf(after)];
    let edges = 0;
    for (const set of are) if (!were.includes(set)) edges += once(this.#gained, set, set.changes);
    // What has come of it shares most with it; where nothing is left this is the last that has it.
    if (are.length === 0) for (const set of were) edges += once(this.#lost, set, set.size);
    return EVENT + objects + edges * EDGE;
  }
}

const sizeOf = (snapshot: Snapshot | undefined): number => snapshot?.size ?? 0;

/** Those of whole shards apart: there are few, and no tenant makes them. */
const edgesOf = (snapshot: Snapshot | undefined): readonly EdgeSet[] => {
  if (!snapshot) return [];
  const all: readonly Edges[] = snapshot.mount ? [snapshot.entrance.edges, snapshot.mount.edges] : [snapshot.entrance.edges];
  return all.flatMap(partsOf).flatMap(({ edges }) => (edges === NO_EDGES ? [] : [edges]));
};

function once(counted: WeakSet<EdgeSet>, set: EdgeSet, count: number): number {
  if (counted.has(set)) return 0;
  counted.add(set);
  return count;
}
