import { isDeepStrictEqual } from 'node:util';
import type { Gains } from './edges.ts';
import { type EdgeCounter, NO_EDGES } from './edges.ts';
import type { LogicalClusterFacts } from './facts.ts';
import type { Entrance } from './snapshot.ts';
import type { ClusterState, Copy, Entry, Place } from './state.ts';
import { clusterOfWorkspace, isMount } from './workspace-object.ts';

/** Phases in which kcp lets people into a logical cluster (`workspace_content_authorizer.go`). */
const OPEN: ReadonlySet<string> = new Set(['Initializing', 'Ready', 'Inactive', 'Terminating', 'Deleting']);

const isOpen = ({ facts }: ClusterState): boolean => OPEN.has(facts?.phase ?? '');

/** The same name may belong to a workspace that was there before. */
function isOf({ facts }: ClusterState, { parent, name }: Entry, { uid }: Copy): boolean {
  const owner = facts?.owner;
  return owner !== undefined && owner.cluster === parent.name && owner.name === name && owner.uid === uid;
}

/** Whoever enters by the name of a logical cluster: kcp does not look at its owner. */
export const chosenFor = ({ states }: Place): ClusterState | undefined => states.find(isOpen) ?? states[0];

/** What is to become of an entrance. Without `source` nobody has edges. */
export interface Draft {
  readonly cluster: string;
  readonly shard: string;
  readonly open: boolean;
  readonly requiredGroups: Entrance['requiredGroups'];
  readonly source: ClusterState | undefined;
}

const closed = (cluster: string, shard = ''): Draft => ({
  cluster,
  shard,
  open: false,
  requiredGroups: undefined,
  source: undefined,
});

export const draftOf = (place: Place, state: ClusterState): Draft => ({
  cluster: place.name,
  shard: state.shard.name,
  open: isOpen(state),
  requiredGroups: state.facts?.requiredGroups,
  source: state,
});

/** Whether the way in is another, whoever may take it. */
const isSameGate = (before: Entrance | undefined, after: Draft): boolean =>
  before !== undefined &&
  before.cluster === after.cluster &&
  before.shard === after.shard &&
  before.open === after.open &&
  before.requiredGroups === after.requiredGroups;

/** Counters whose subjects the batch has changed. */
export type Changes = ReadonlyMap<EdgeCounter, Gains>;

/** Whether the subjects of an entrance are others, before the edges of this batch have been made. */
function hasOtherEdges(before: Entrance, { source }: Draft, changes: Changes): boolean {
  if (!source) return before.edges !== NO_EDGES || before.shardWide !== NO_EDGES;
  const { access, shard } = source;
  return (
    changes.has(access) || changes.has(shard.access) || before.edges !== access.edges || before.shardWide !== shard.access.edges
  );
}

/** An entrance that changes when the batch ends. */
export interface Change {
  readonly draft: Draft;
  readonly isOtherGate: boolean;
}

export function changeOf(before: Entrance | undefined, draft: Draft, changes: Changes): Change | undefined {
  const isOtherGate = !isSameGate(before, draft);
  return isOtherGate || !before || hasOtherEdges(before, draft, changes) ? { draft, isOtherGate } : undefined;
}

/** After the edges of the batch have been made. */
export function entranceOf({ draft, isOtherGate }: Change, before: Entrance | undefined, version: bigint): Entrance {
  const { source, requiredGroups, ...rest } = draft;
  return {
    ...rest,
    ...(requiredGroups !== undefined && { requiredGroups }),
    edges: source?.access.edges ?? NO_EDGES,
    shardWide: source?.shard.access.edges ?? NO_EDGES,
    version: before && !isOtherGate ? before.version : version,
  };
}

/** Where a workspace is entered: by the entrance of a place, which it shares, or by one that is only its own. */
export type Way = { readonly shared: Place } | { readonly own: Draft };

export function wayInto(entry: Entry, copy: Copy, placeOf: (name: string) => Place | undefined): Way {
  if (isMount(copy.object)) {
    const isOpenMount = copy.state.mounts?.open.has(entry.name) === true;
    return isOpenMount && entry.parent.chosen ? { shared: entry.parent } : { own: closed(entry.parent.name) };
  }
  const name = clusterOfWorkspace(copy.object);
  const place = name === '' ? undefined : placeOf(name);
  const [first] = place?.states ?? [];
  if (!place || !first) return { own: closed(name) };
  const own = place.states.filter(state => isOf(state, entry, copy));
  const state = own.find(isOpen) ?? own[0];
  if (!state) return { own: closed(name, first.shard.name) };
  return state === place.chosen ? { shared: place } : { own: draftOf(place, state) };
}

/** The copy that counts: the one where its parent is, or else the first. Copies are sorted by shard. */
export const copyOf = ({ copies, parent }: Entry): Copy | undefined =>
  copies.find(({ state }) => state.shard === parent.chosen?.shard) ?? copies[0];

export const sameOwner = (a: LogicalClusterFacts['owner'], b: LogicalClusterFacts['owner']): boolean => isDeepStrictEqual(a, b);
