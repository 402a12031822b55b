import { EdgeCounter, type EdgeSet, NO_EDGES, type Part, partsOf, UnionEdges } from './edges.ts';
import type { Subject } from './facts.ts';
import { MultiMap } from './multi-map.ts';
import { type Keyed, keyOf } from './postings.ts';
import type { Edges } from './snapshot.ts';
import { emptyMap, type SortedMap } from './sorted-map.ts';
import type { ClusterState, Entry, ShardState } from './state.ts';

/** Roles that count for one mount by its name. Of more, those that have come last give nothing. */
const MOST_ROLES = 100;

/**
 * Who may `get` workspaces of a logical cluster, or of a whole shard. Kept by what gives it and not by mount, so that many mounts times many
 * subjects are nowhere: a mount refers to what counts for it.
 */
export class Readers {
  /** Those who may get all. */
  readonly all = new EdgeCounter<Readers>(this);
  /** By role, those bound to it, of roles that give some by name. */
  readonly byRole = new Map<string, EdgeCounter<RoleReaders>>();
  /** By the name of a workspace, the roles here that give it. */
  readonly namedBy = new MultiMap<string, string>();
  readonly of: Mounts | ShardState;

  constructor(of: Mounts | ShardState) {
    this.of = of;
  }

  ofRole(role: string): EdgeCounter<RoleReaders> {
    const known = this.byRole.get(role) ?? new EdgeCounter(new RoleReaders(this, role));
    this.byRole.set(role, known);
    return known;
  }

  *counters(): Generator<EdgeCounter> {
    yield this.all;
    yield* this.byRole.values();
  }
}

export class RoleReaders {
  readonly readers: Readers;
  readonly role: string;

  constructor(readers: Readers, role: string) {
    this.readers = readers;
    this.role = role;
  }

  /** Nobody is bound any more. */
  forgetIfEmpty(): void {
    if (this.readers.byRole.get(this.role)?.edges === NO_EDGES) this.readers.byRole.delete(this.role);
  }
}

/** The mounts in a logical cluster, as one shard has it. Without a mount there is none of this: most roles give workspaces, too. */
export class Mounts implements Keyed {
  readonly key: string;
  readonly parent: { readonly name: string };
  readonly cluster: ClusterState;
  readonly readers = new Readers(this);
  /** Those who may get one or more, for whom the logical cluster is posted. */
  readonly anybody = new EdgeCounter<Mounts>(this);
  /** By name. */
  open: SortedMap<Entry> = emptyMap();
  /** Those that are too many: nobody sees them. */
  shut: SortedMap<Entry> = emptyMap();

  constructor(cluster: ClusterState) {
    this.cluster = cluster;
    this.key = keyOf(cluster.name, '');
    this.parent = { name: cluster.name };
  }

  *counters(): Generator<EdgeCounter> {
    yield this.anybody;
    yield* this.readers.counters();
  }
}

/** Whose edges count for one mount. */
export interface MountSource {
  readonly local: readonly EdgeCounter[];
  readonly shardWide: readonly EdgeCounter[];
}

export const SHUT: MountSource = { local: [], shardWide: [] };

export function mountSource({ cluster, readers }: Mounts, name: string): MountSource {
  const ofShard = cluster.shard.readers;
  const roles = new Set([...first(readers.namedBy.get(name)), ...first(ofShard.namedBy.get(name))]);
  return { local: countersOf(readers, roles), shardWide: countersOf(ofShard, roles) };
}

function countersOf({ all, byRole }: Readers, roles: Iterable<string>): EdgeCounter[] {
  const counters: EdgeCounter[] = [all];
  for (const role of roles) {
    const ofRole = byRole.get(role);
    if (ofRole) counters.push(ofRole);
  }
  return counters;
}

function* first(roles: Iterable<string> = []): Generator<string> {
  let count = 0;
  for (const role of roles) {
    if (count === MOST_ROLES) return;
    count += 1;
    yield role;
  }
}

/** Whether the edges of a mount are others, before those of this batch have been made. */
export function isOtherUnion(
  before: Edges,
  counters: readonly EdgeCounter[],
  changes: ReadonlyMap<EdgeCounter, unknown>,
): boolean {
  const parts = partsOf(before);
  const present = counters.filter(({ edges }) => edges !== NO_EDGES);
  return (
    counters.some(counter => changes.has(counter)) ||
    parts.length !== present.length ||
    parts.some(part => !present.some(({ edges }) => edges === part.edges))
  );
}

/** What the edges of a mount are made of: the edges of the batch, and what they were before it. */
export interface UnionStep {
  readonly before: Edges | undefined;
  /** That the event has. */
  readonly version: bigint;
  /** The edges of a counter before the batch. */
  readonly edgesBefore: (counter: EdgeCounter) => EdgeSet;
}

/** After the edges of the batch have been made. Who comes to be counted for a mount has his edge to it no sooner than that. */
export function unionOf(counters: readonly EdgeCounter[], { before, version, edgesBefore }: UnionStep): Edges {
  const known = before && partsOf(before);
  const parts = counters.flatMap(({ edges }, at): Part[] => {
    if (edges === NO_EDGES) return [];
    const old = edgesBefore(counters[at] as EdgeCounter);
    const from = known?.find(part => part.edges === old)?.from;
    return [{ edges, from: from ?? (known === undefined || old === NO_EDGES ? 0n : version) }];
  });
  const isSame =
    known?.length === parts.length &&
    parts.every(({ edges, from }, at) => edges === known[at]?.edges && from === known[at]?.from);
  if (before && isSame) return before;
  const [only, second] = parts;
  if (only === undefined) return NO_EDGES;
  return second === undefined && only.from === 0n ? only.edges : new UnionEdges(parts);
}

/** Whether any of them may get a mount. */
export const mayGet = (
  { edges, shardWide }: { readonly edges: Edges; readonly shardWide: Edges },
  subjects: ReadonlySet<Subject>,
): boolean => {
  for (const subject of subjects) if (edges.has(subject) || shardWide.has(subject)) return true;
  return false;
};
