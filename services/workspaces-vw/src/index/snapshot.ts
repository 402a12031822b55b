import type { RequiredGroups, Subject, WorkspaceObject } from './facts.ts';

/** Who has a permission, and since when. Immutable: a change makes another. */
export interface Edges {
  readonly size: number;
  has(subject: Subject): boolean;
  /** The version of the index at which the subject got it; undefined for who has it not. */
  since(subject: Subject): bigint | undefined;
  subjects(): Iterable<Subject>;
}

/** Who may enter a logical cluster. Immutable. */
export interface Entrance {
  readonly cluster: string;
  /** The shard that has the logical cluster; empty: none. */
  readonly shard: string;
  /** The logical cluster is there, belongs to who says so, and is in a phase in which kcp lets people in. */
  readonly open: boolean;
  readonly requiredGroups?: RequiredGroups;
  /** By bindings in the logical cluster itself. */
  readonly edges: Edges;
  /** By bindings in `system:admin` of its shard, which count in all of its logical clusters. */
  readonly shardWide: Edges;
  /** The version at which `open` or `requiredGroups` changed last. */
  readonly version: bigint;
}

/** A workspace, and who may enter it, at one version of the index. Immutable. */
export interface Snapshot {
  /** The logical cluster that has the object. */
  readonly parent: string;
  readonly name: string;
  /** The shard of the parent. */
  readonly shard: string;
  /**
   * The object; its `metadata.resourceVersion` is `objectVersion`, and it has no annotation about its owner any more. The same value as
   * before unless the object has changed.
   */
  readonly object: WorkspaceObject;
  /** The object's resourceVersion at its shard. */
  readonly upstreamVersion: string;
  /** The annotation about its owner, for writes that must not lose it; absent: it had none. */
  readonly ownerAnnotation?: string;
  /** The version of the index at which the object changed last. */
  readonly objectVersion: bigint;
  /** Bytes of the object, estimated when it was read; absent: nobody has looked. */
  readonly size?: number;
  /** Of its logical cluster. Of one that is not scheduled yet: closed. Of a mount: that of its parent. */
  readonly entrance: Entrance;
  /** Of a mount: who may `get` it in its parent; both are needed then. */
  readonly mount?: { readonly edges: Edges; readonly shardWide: Edges };
  /** The user who has created it, while it is on its way to Ready: he sees it before he may enter. */
  readonly creator?: { readonly name: string /** Of a service account. */; readonly cluster?: string };
}

/** One change. `before` and `after` have the same parent and name; absent: there is none. */
export interface IndexEvent {
  readonly version: bigint;
  readonly before?: Snapshot;
  readonly after?: Snapshot;
}

/** Which events somebody wants: those of workspaces that he could see before or after, and a few more. */
export interface Interest {
  /** Only of this parent; absent: of all. */
  readonly parent?: string;
  /** Absent: of whomever. */
  readonly subjects?: Iterable<Subject>;
  /** Of workspaces with these logical clusters, too, whoever may enter them. */
  readonly clusters?: Iterable<string>;
  /** Of workspaces whose creator has this name, too. */
  readonly creator?: string;
}

/** The index as readers see it. Every method answers from one consistent state; nothing here waits. */
export interface WorkspaceIndex {
  /** Of the newest change; a decimal number when printed. */
  readonly version: bigint;
  find(parent: string, name: string): Snapshot | undefined;
  /** The workspace with this logical cluster. */
  byCluster(cluster: string): Snapshot | undefined;
  /** Of any logical cluster that a shard has, `root` and homes included. */
  entrance(cluster: string): Entrance | undefined;
  /**
   * Workspaces of one parent, or of all, that any of the subjects has an edge to (of their own logical cluster, shard-wide, or of a mount), or
   * that `creator` has created, sorted by parent and name, each once. Whether they may be seen is not decided here: gates are not looked at.
   */
  candidates(interest: Interest): Iterable<Snapshot>;
  /** Events after `version`, in order, of one parent or all. Throws a StatusError 410 when it is outside the window. */
  since(version: bigint, parent?: string): Iterable<IndexEvent>;
  /** Every further event of interest, synchronously and in order, maybe with a few others. Returns how to stop. */
  follow(interest: Interest, listener: (event: IndexEvent) => void): () => void;
  /** Shards of which an answer about the parent (absent: about all) is made: its own, and those of its workspaces. */
  shardsOf(parent?: string): ReadonlySet<string>;
  /** Whether a workspace of the parent (absent: of any) names a logical cluster that no shard has. */
  hasUnresolved(parent?: string): boolean;
  /**
   * Takes a new version, which no event of the index has, for a change that the index knows nothing of: somebody who is asked answers
   * otherwise than before. Afterwards it is `version`.
   */
  advance(): bigint;
  /** For metrics. */
  stats(): IndexStats;
}

export interface IndexStats {
  readonly workspaces: number;
  /** Subjects of logical clusters, of whole shards, and of mounts, whether anybody comes by them or not. */
  readonly edges: number;
  /** Named by bindings. */
  readonly subjects: number;
  readonly followers: number;
  /** Bytes of the last events, estimated. */
  readonly logBytes?: number;
  /** Whatever else has an entry in a map of the index, the last events apart: zero when there is nothing to know. */
  readonly kept: number;
}
