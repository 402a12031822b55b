import { type EdgeSet, NO_EDGES } from './edges.ts';
import type { EdgeChanges } from './settle.ts';
import type { Edges, Snapshot } from './snapshot.ts';
import { type Entry, Family, type IndexState, type ShardState } from './state.ts';
import { clusterOfWorkspace, isBeingDeleted } from './workspace-object.ts';

/** One entry from one batch to the next. */
export interface Step {
  readonly before: Snapshot | undefined;
  readonly after: Snapshot | undefined;
  readonly edgeChanges: EdgeChanges;
  /** The shard whose bindings in `system:admin` count for it now. */
  readonly shardWide: ShardState | undefined;
  /** A mount that is not shut: the way into it is that into its parent. */
  readonly isOpenMount: boolean;
}

/** Keeps all that finds entries up to date with one of them. */
export function keepBooks(index: IndexState, entry: Entry, step: Step): void {
  const { before, after } = step;
  if (before && !after) index.workspaces = index.workspaces.without(entry.key);
  if (!before && after) index.workspaces = index.workspaces.with(entry.key, entry);
  keepFamily(index, entry, step);
  keepTenancy(index, entry, step);
  keepShardWide(entry, step.shardWide);
  keepPostings(index, entry, step);
  if (before?.creator?.name === after?.creator?.name) return;
  if (before?.creator) index.byCreator.delete(before.creator.name, entry);
  if (after?.creator) index.byCreator.add(after.creator.name, entry);
}

/** What a parent knows about the workspaces in it. */
function keepFamily(index: IndexState, entry: Entry, { before, after, isOpenMount }: Step): void {
  const { parent } = entry;
  const family = parent.family ?? new Family();
  parent.family = family;
  for (const [snapshot, change] of [[before, -1] as const, [after, 1] as const]) {
    if (!snapshot) continue;
    family.children += change;
    for (const shard of [snapshot.shard, snapshot.entrance.shard]) {
      const answers = (family.shards.get(shard) ?? 0) + change;
      if (answers > 0) family.shards.set(shard, answers);
      else family.shards.delete(shard);
    }
    if (isUnresolved(snapshot)) {
      family.unresolved += change;
      index.unresolved += change;
    }
  }
  if (isOpenMount) family.mounts.add(entry);
  else family.mounts.delete(entry);
  if (family.children === 0) parent.family = undefined;
  index.touched.places.add(parent);
}

/** Whether its logical cluster ought to be somewhere. */
const isUnresolved = ({ object, entrance }: Snapshot): boolean =>
  clusterOfWorkspace(object) !== '' && entrance.shard === '' && !isBeingDeleted(object);

/** Which logical cluster it says it is. */
function keepTenancy(index: IndexState, entry: Entry, { before, after }: Step): void {
  const from = before ? clusterOfWorkspace(before.object) : '';
  const to = after ? clusterOfWorkspace(after.object) : '';
  if (from === to) return;
  if (from) {
    const place = index.place(from);
    place.tenants = place.tenants.without(entry.key);
  }
  if (to) {
    const place = index.place(to);
    place.tenants = place.tenants.with(entry.key, entry);
  }
}

function keepShardWide(entry: Entry, shard: ShardState | undefined): void {
  if (entry.shardWide === shard) return;
  if (entry.shardWide) entry.shardWide.entered = entry.shardWide.entered.without(entry.key);
  if (shard) shard.entered = shard.entered.with(entry.key, entry);
  entry.shardWide = shard;
}

/** The edges by which a workspace is found, those apart that count for a whole shard. A mount is found by its parent. */
const postedBy = (snapshot: Snapshot | undefined): Edges => (snapshot && !snapshot.mount ? snapshot.entrance.edges : NO_EDGES);

function keepPostings(index: IndexState, entry: Entry, { before, after, edgeChanges }: Step): void {
  const [were, are] = [postedBy(before), postedBy(after)];
  if (were === are) return;
  const change = edgeChanges.get(are as EdgeSet);
  const isNext = change?.before === were;
  for (const subject of isNext ? change.gained : are.subjects()) index.postings.add(subject, entry);
  for (const subject of isNext ? change.lost : were.subjects()) if (!are.has(subject)) index.postings.delete(subject, entry);
}
