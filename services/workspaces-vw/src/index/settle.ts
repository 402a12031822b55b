import { keepBooks } from './books.ts';
import type { EdgeCounter, EdgeSet, Gains } from './edges.ts';
import { fitMount } from './fit-mounts.ts';
import { mountsNamedBy, shardWideMountsNamedBy } from './grants.ts';
import { type Change, changeOf, chosenFor, copyOf, draftOf, entranceOf, sameOwner, wayInto } from './joins.ts';
import { isOtherUnion, type MountSource, Mounts, mountSource, Readers, RoleReaders, SHUT, unionOf } from './mounts.ts';
import { keyOf, ofParent } from './postings.ts';
import type { Entrance, IndexEvent, Snapshot } from './snapshot.ts';
import { ClusterState, type Copy, type Entry, type IndexState, type Place, ShardState, Touched } from './state.ts';
import { isMount, withVersion } from './workspace-object.ts';

/** What a change of edges was, found by the edges after it. */
export type EdgeChanges = ReadonlyMap<EdgeSet, Gains & { readonly before: EdgeSet }>;

/** What an entry will be. */
interface Plan {
  readonly entry: Entry;
  readonly version: bigint;
  readonly next?: Next;
}

interface Next {
  readonly copy: Copy;
  readonly isOtherObject: boolean;
  readonly entrance: { readonly shared: Place } | { readonly own: Change | undefined };
  /** Whose edges count; undefined: nobody's. */
  readonly source: ClusterState | undefined;
  readonly mount: MountSource | undefined;
}

/**
 * Ends a batch: finds what it has changed by looking only at what it has touched, numbers the changes, and makes the values that readers see.
 * First everything is decided and then everything is made, because edges carry the version at which they were gained.
 */
export function settle(index: IndexState, head: bigint): readonly IndexEvent[] {
  try {
    return settled(index, head);
  } finally {
    // A batch that cannot be ended must not keep the next ones from being ended, too.
    index.touched = new Touched();
  }
}

function settled(index: IndexState, head: bigint): readonly IndexEvent[] {
  const { touched } = index;
  for (const [cluster, entry] of touched.mounts) fitMount(index, cluster, entry);
  const changes = settleCounters(index);
  const places = settlePlaces(index, changes);

  const usedAt = new Map<EdgeCounter | Place, bigint>();
  const plans: Plan[] = [];
  for (const entry of [...touched.entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    const next = nextOf(index, entry, changes, places);
    if (next === 'same') continue;
    const version = head + BigInt(plans.length + 1);
    plans.push({ entry, version, ...(next && { next }) });
    for (const used of next ? usedBy(next) : []) usedAt.set(used, version);
  }

  const last = head + BigInt(plans.length);
  const edgeChanges = makeEdges(index, changes, usedAt, last);
  for (const [place, change] of places) place.entrance = change && entranceOf(change, place.entrance, usedAt.get(place) ?? last);
  const events = plans.map(plan => carryOut(index, plan, edgeChanges));
  prune(index);
  return events;
}

/** Finds out whose edges are others, and touches all that shows them. */
function settleCounters(index: IndexState): Map<EdgeCounter, Gains> {
  const changes = new Map<EdgeCounter, Gains>();
  for (const counter of index.touched.counters) {
    const { holder } = counter;
    const gains = counter.settle();
    if (gains) {
      changes.set(counter, gains);
      touchShowing(index, holder);
    } else if (holder instanceof RoleReaders) holder.forgetIfEmpty();
  }
  return changes;
}

function touchShowing({ touched, places }: IndexState, holder: unknown): void {
  const touchState = (state: ClusterState): void => {
    const place = state.facts && places.get(state.name);
    if (place) touched.places.add(place);
  };
  const touch = (entries: Iterable<Entry>): void => {
    for (const entry of entries) touched.entries.set(entry.key, entry);
  };
  if (holder instanceof ClusterState) touchState(holder);
  else if (holder instanceof ShardState) for (const state of holder.clusters.values()) touchState(state);
  else if (holder instanceof Readers) touch((holder.of instanceof Mounts ? holder.of.open : holder.of.mounts).values());
  else if (holder instanceof RoleReaders) {
    const { role, readers } = holder;
    touch(readers.of instanceof Mounts ? mountsNamedBy(readers.of, role) : shardWideMountsNamedBy(readers.of, role));
  }
}

/** Finds out which entrances are others, and touches the workspaces behind them. Undefined: no shard has the logical cluster any more. */
function settlePlaces(index: IndexState, changes: ReadonlyMap<EdgeCounter, Gains>): Map<Place, Change | undefined> {
  const { touched } = index;
  const touch = (entry: Entry): unknown => touched.entries.set(entry.key, entry);
  const changed = new Map<Place, Change | undefined>();
  for (const place of touched.places) {
    const chosen = chosenFor(place);
    const owner = chosen?.facts?.owner;
    let change = chosen && changeOf(place.entrance, draftOf(place, chosen), changes);
    // Whoever was kept out as of another owner may come in now: he has to learn of it at this version.
    if (chosen && !sameOwner(place.owner, owner)) change = { draft: draftOf(place, chosen), isOtherGate: true };
    if (change || (!chosen && place.entrance)) {
      changed.set(place, change);
      for (const entry of place.family?.mounts ?? []) touch(entry);
    }
    for (const entry of concernedTenants(place)) touch(entry);
    if (place.chosen?.shard !== chosen?.shard && place.family) {
      for (const entry of ofParent(index.workspaces, place.name)) if (entry.copies.length > 1) touch(entry);
    }
    place.chosen = chosen;
    place.owner = owner;
  }
  return changed;
}

/** Those to whom the place may open or close. The others are kept out of it, and only show on which shard it is. */
function* concernedTenants(place: Place): Iterable<Entry> {
  const owners = place.states.map(({ facts }) => facts?.owner).filter(owner => owner !== undefined);
  const firstShard = place.states[0]?.shard.name ?? '';
  if (firstShard === place.firstShard) {
    for (const { cluster, name } of [...owners, ...place.owners]) {
      const tenant = place.tenants.get(keyOf(cluster, name));
      if (tenant) yield tenant;
    }
  } else yield* place.tenants.values();
  place.owners = owners;
  place.firstShard = firstShard;
}

function nextOf(
  index: IndexState,
  entry: Entry,
  changes: ReadonlyMap<EdgeCounter, Gains>,
  places: ReadonlyMap<Place, unknown>,
): Next | undefined | 'same' {
  const { snapshot: before } = entry;
  const copy = copyOf(entry);
  if (!copy) return before ? undefined : 'same';

  const isOtherObject = !before || !isSameObject(before, copy);
  const way = wayInto(entry, copy, name => index.places.get(name));
  const own = 'own' in way ? changeOf(before?.entrance, way.own, changes) : undefined;
  const isOtherEntrance = 'own' in way ? own !== undefined : places.has(way.shared) || before?.entrance !== way.shared.entrance;
  const mount = isMount(copy.object) ? sourceOf(copy.state, entry) : undefined;
  if (!isOtherObject && !isOtherEntrance && !isOtherMount(before, mount, changes)) return 'same';
  const source = 'own' in way ? way.own.source : way.shared.chosen;
  return { copy, isOtherObject, entrance: 'own' in way ? { own } : way, source, mount };
}

/** A relist takes objects away and brings them again: what has the same version is the same. */
const isSameObject = ({ object, shard, upstreamVersion }: Snapshot, copy: Copy): boolean =>
  object === copy.object ||
  (shard === copy.state.shard.name &&
    upstreamVersion !== '' &&
    upstreamVersion === copy.upstreamVersion &&
    (object.metadata?.uid ?? '') === copy.uid);

const sourceOf = ({ mounts }: ClusterState, { name }: Entry): MountSource =>
  mounts?.open.has(name) ? mountSource(mounts, name) : SHUT;

function isOtherMount(before: Snapshot, mount: MountSource | undefined, changes: ReadonlyMap<EdgeCounter, Gains>): boolean {
  if (!before.mount || !mount) return Boolean(before.mount) !== Boolean(mount);
  return isOtherUnion(before.mount.edges, mount.local, changes) || isOtherUnion(before.mount.shardWide, mount.shardWide, changes);
}

function* usedBy({ source, mount, entrance }: Next): Generator<EdgeCounter | Place> {
  if ('shared' in entrance) yield entrance.shared;
  if (source) yield* [source.access, source.shard.access];
  if (mount) yield* [...mount.local, ...mount.shardWide];
}

/** An edge is of the version of the event that shows it; of several, or none, of the last one. */
function makeEdges(
  index: IndexState,
  changes: ReadonlyMap<EdgeCounter, Gains>,
  usedAt: ReadonlyMap<EdgeCounter | Place, bigint>,
  last: bigint,
): EdgeChanges {
  const made = new Map<EdgeSet, Gains & { before: EdgeSet }>();
  for (const [counter, gains] of changes) {
    const before = counter.edges;
    counter.edges = before.changed(gains, usedAt.get(counter) ?? last);
    index.edges += gains.gained.length - gains.lost.length;
    made.set(counter.edges, { ...gains, before });
    const { holder } = counter;
    if (holder instanceof Mounts && counter === holder.anybody) post(holder, gains);
    if (holder instanceof RoleReaders) holder.forgetIfEmpty();
  }
  return made;
}

/** Where somebody may get mounts. */
function post(mounts: Mounts, { gained, lost }: Gains): void {
  const { readable } = mounts.cluster.shard;
  for (const subject of gained) readable.add(subject, mounts);
  for (const subject of lost) readable.delete(subject, mounts);
}

function carryOut(index: IndexState, { entry, version, next }: Plan, edgeChanges: EdgeChanges): IndexEvent {
  const before = entry.snapshot;
  const after = next && snapshotOf(entry, next, before, { version, edgeChanges });
  if (next && after) next.copy.object = after.object;
  entry.snapshot = after;
  keepBooks(index, entry, {
    ...{ before, after, edgeChanges },
    shardWide: next?.mount ? undefined : next?.source?.shard,
    isOpenMount: next?.mount !== undefined && next.mount !== SHUT,
  });
  return { version, ...(before && { before }), ...(after && { after }) };
}

interface Moment {
  readonly version: bigint;
  readonly edgeChanges: EdgeChanges;
}

function snapshotOf(entry: Entry, next: Next, before: Snapshot | undefined, moment: Moment): Snapshot {
  const { copy, mount } = next;
  const { version } = moment;
  const kept = next.isOtherObject ? undefined : before;
  return {
    parent: entry.parent.name,
    name: entry.name,
    shard: copy.state.shard.name,
    object: kept?.object ?? withVersion(copy.object, version),
    upstreamVersion: copy.upstreamVersion,
    ...(copy.ownerAnnotation !== undefined && { ownerAnnotation: copy.ownerAnnotation }),
    objectVersion: kept?.objectVersion ?? version,
    size: copy.size,
    entrance: entranceFor(next, before, version),
    ...(mount && { mount: mountOf(mount, before?.mount, moment) }),
    ...(copy.creator && { creator: copy.creator }),
  };
}

function mountOf(
  source: MountSource,
  before: Snapshot['mount'],
  { version, edgeChanges }: Moment,
): NonNullable<Snapshot['mount']> {
  const edgesBefore = ({ edges }: EdgeCounter): EdgeSet => edgeChanges.get(edges)?.before ?? edges;
  return {
    edges: unionOf(source.local, { before: before?.edges, version, edgesBefore }),
    shardWide: unionOf(source.shardWide, { before: before?.shardWide, version, edgesBefore }),
  };
}

function entranceFor({ entrance }: Next, before: Snapshot | undefined, version: bigint): Entrance {
  const made =
    'shared' in entrance ? entrance.shared.entrance : entrance.own && entranceOf(entrance.own, before?.entrance, version);
  const found = made ?? before?.entrance;
  if (!found) throw new Error('a workspace has no entrance: neither a new one nor one from before');
  return found;
}

/** Forgets what nothing is known about any more. Only now: in one batch something may go and come again. */
function prune({ touched, places, shards }: IndexState): void {
  for (const { isEmpty, shard, name } of touched.clusters) {
    if (isEmpty) shard.clusters.delete(name);
    if (shard.clusters.size === 0) shards.delete(shard.name);
  }
  for (const place of touched.places) if (place.isEmpty) places.delete(place.name);
}
