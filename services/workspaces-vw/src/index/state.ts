import { EdgeCounter } from './edges.ts';
import type { LogicalClusterFacts, Subject, WorkspaceObject } from './facts.ts';
import { type Mounts, Readers } from './mounts.ts';
import { MultiMap } from './multi-map.ts';
import { type Keyed, keyOf, Postings } from './postings.ts';
import type { Role } from './roles.ts';
import type { Entrance, Snapshot } from './snapshot.ts';
import { emptyMap, type SortedMap } from './sorted-map.ts';
import { SubjectPool } from './subject-pool.ts';
import type { ReadObject } from './workspace-object.ts';

/** What the index holds. The folder's other files change it; each class here only says what there is. */

export interface Binding {
  readonly role: string;
  /** Sorted, each once, from the pool. */
  readonly subjects: readonly Subject[];
}

/** A role's name in one logical cluster: what the role gives there, and the bindings there that name it. */
export interface NamedRole {
  readonly facts: Role | undefined;
  readonly bindings: SortedMap<Binding>;
}

/** A logical cluster on one shard: what is known from there. */
export class ClusterState {
  readonly shard: ShardState;
  readonly name: string;
  /** Who may enter by bindings of its own; of those of `system:admin`, what its own roles of the same name give. */
  readonly access = new EdgeCounter<ClusterState>(this);
  facts: LogicalClusterFacts | undefined;
  roles: SortedMap<NamedRole> = emptyMap();
  bindings: SortedMap<Binding> = emptyMap();
  /** Workspaces in it, by name. */
  workspaces: SortedMap<Entry> = emptyMap();
  /** Of those of them that are mounts. */
  mounts: Mounts | undefined;

  constructor(shard: ShardState, name: string) {
    this.shard = shard;
    this.name = name;
  }

  get isEmpty(): boolean {
    return !this.facts && !this.mounts && this.roles.size + this.bindings.size + this.workspaces.size === 0;
  }
}

export class ShardState {
  readonly name: string;
  readonly clusters = new Map<string, ClusterState>();
  /** By the name of a role, the logical clusters that have it or bind it. */
  readonly byRole = new MultiMap<string, ClusterState>();
  /** Who may enter all of its logical clusters. */
  readonly access = new EdgeCounter<ShardState>(this);
  /** Workspaces that these may enter, if they are open. */
  entered: SortedMap<Entry> = emptyMap();
  /** Who may get workspaces in all of them. */
  readonly readers = new Readers(this);
  /** Mounts that these may see. */
  mounts: SortedMap<Entry> = emptyMap();
  /** By subject, the logical clusters where it may get mounts. */
  readonly readable = new Postings<Mounts>();

  constructor(name: string) {
    this.name = name;
  }
}

/** A workspace as one shard has it. */
export interface Copy extends Omit<ReadObject, 'object'> {
  readonly state: ClusterState;
  /** The value that the snapshot has, once there is one. */
  object: WorkspaceObject;
}

/** A workspace by parent and name. */
export class Entry implements Keyed {
  readonly key: string;
  readonly parent: Place;
  readonly name: string;
  /** One; two for the moment in which its parent moves to another shard. */
  copies: readonly Copy[] = [];
  /** As of the last batch. */
  snapshot: Snapshot | undefined;
  /** The shard whose bindings in `system:admin` count for it. */
  shardWide: ShardState | undefined;

  constructor(parent: Place, name: string) {
    this.key = keyOf(parent.name, name);
    this.parent = parent;
    this.name = name;
  }
}

/** Of a logical cluster with workspaces in it. */
export class Family {
  children = 0;
  /** Those whose way in is that into the parent. */
  readonly mounts = new Set<Entry>();
  /** How many answers about children come from each shard. */
  readonly shards = new Map<string, number>();
  unresolved = 0;
}

const NONE: readonly never[] = Object.freeze([]);

/** A logical cluster by name, wherever it is. */
export class Place {
  readonly name: string;
  /** On the shards that have it: one; two for the moment in which it moves. Sorted by shard. */
  states: readonly ClusterState[] = NONE;
  /** Workspaces that say they are it, by key: one, unless somebody lies. */
  tenants: SortedMap<Entry> = emptyMap();
  family: Family | undefined;
  /** As of the last batch; undefined: no shard has it. */
  entrance: Entrance | undefined;
  /** What `entrance` was made of. */
  chosen: ClusterState | undefined;
  owner: LogicalClusterFacts['owner'];
  /** Whom `states` said to be of, and the first of their shards. */
  owners: readonly NonNullable<LogicalClusterFacts['owner']>[] = NONE;
  firstShard = '';

  constructor(name: string) {
    this.name = name;
  }

  get isEmpty(): boolean {
    return this.states.length + this.tenants.size === 0 && !this.family;
  }
}

/** What the present batch has touched, and has to be looked at when it ends. */
export class Touched {
  readonly counters = new Set<EdgeCounter>();
  readonly clusters = new Set<ClusterState>();
  readonly places = new Set<Place>();
  /** By key. */
  readonly entries = new Map<string, Entry>();
  /** Workspaces that have become mounts there, or are none any more. */
  readonly mounts: (readonly [ClusterState, Entry])[] = [];
}

export class IndexState {
  readonly shards = new Map<string, ShardState>();
  readonly places = new Map<string, Place>();
  /** All with a snapshot. */
  workspaces: SortedMap<Entry> = emptyMap();
  readonly subjects = new SubjectPool();
  /** By subject, the workspaces that it has an edge to that is not shard-wide. */
  readonly postings = new Postings<Entry>();
  readonly byCreator = new Postings<Entry>();
  edges = 0;
  unresolved = 0;
  touched = new Touched();
  /** Mounts of one logical cluster that anybody sees: a change of who may get them is an event of each. */
  readonly mostMounts: number;

  readonly onMountShut: (parent: string) => void;

  constructor(mostMounts: number, onMountShut: (parent: string) => void = () => undefined) {
    this.mostMounts = mostMounts;
    this.onMountShut = onMountShut;
  }

  place(name: string): Place {
    let place = this.places.get(name);
    if (!place) {
      place = new Place(name);
      this.places.set(name, place);
    }
    this.touched.places.add(place);
    return place;
  }

  cluster(shardName: string, name: string): ClusterState {
    let shard = this.shards.get(shardName);
    if (!shard) {
      shard = new ShardState(shardName);
      this.shards.set(shardName, shard);
    }
    let cluster = shard.clusters.get(name);
    if (!cluster) {
      cluster = new ClusterState(shard, name);
      shard.clusters.set(name, cluster);
    }
    this.touched.clusters.add(cluster);
    return cluster;
  }
}
