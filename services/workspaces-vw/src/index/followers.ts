import type { Subject } from './facts.ts';
import { MultiMap } from './multi-map.ts';
import type { Edges, IndexEvent, Interest, Snapshot } from './snapshot.ts';
import { clusterOfWorkspace } from './workspace-object.ts';

interface Follower {
  readonly listener: (event: IndexEvent) => void;
  /** Of the index when he came: events up to it are in what he has read. */
  readonly version: bigint;
  active: boolean;
}

/** Followers of one parent, or of all, by what they want. */
class Scope {
  readonly everything = new Set<Follower>();
  readonly bySubject = new MultiMap<Subject, Follower>();
  readonly byCluster = new MultiMap<string, Follower>();
  readonly byCreator = new MultiMap<string, Follower>();

  get isEmpty(): boolean {
    return this.everything.size + this.bySubject.size + this.byCluster.size + this.byCreator.size === 0;
  }
}

const ALL_PARENTS = Symbol('all parents');

/** Who is to be told what. An event costs what it concerns, however many others follow. */
export class Followers {
  readonly #scopes = new Map<string | typeof ALL_PARENTS, Scope>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Places where followers are kept. */
  get scopes(): number {
    return this.#scopes.size;
  }

  follow(interest: Interest, version: bigint, listener: (event: IndexEvent) => void): () => void {
    const parent = interest.parent ?? ALL_PARENTS;
    const subjects = interest.subjects && [...interest.subjects];
    const clusters = [...(interest.clusters ?? [])];
    const follower: Follower = { listener, version, active: true };

    const scope = this.#scopes.get(parent) ?? new Scope();
    this.#scopes.set(parent, scope);
    if (!subjects) scope.everything.add(follower);
    for (const subject of subjects ?? []) scope.bySubject.add(subject, follower);
    for (const cluster of clusters) scope.byCluster.add(cluster, follower);
    if (interest.creator !== undefined) scope.byCreator.add(interest.creator, follower);
    this.#size += 1;

    return () => {
      if (!follower.active) return;
      follower.active = false;
      this.#size -= 1;
      scope.everything.delete(follower);
      for (const subject of subjects ?? []) scope.bySubject.delete(subject, follower);
      for (const cluster of clusters) scope.byCluster.delete(cluster, follower);
      if (interest.creator !== undefined) scope.byCreator.delete(interest.creator, follower);
      // A scope that has come after it has the same key.
      if (scope.isEmpty && this.#scopes.get(parent) === scope) this.#scopes.delete(parent);
    };
  }

  /** Tells each follower of interest once. Returns what they have thrown: none must keep the others from it. */
  tell(event: IndexEvent): readonly unknown[] {
    const told = new Set<Follower>();
    const snapshots = [event.before, event.after].filter(snapshot => snapshot !== undefined);
    for (const key of [snapshots[0]?.parent ?? '', ALL_PARENTS] as const) {
      const scope = this.#scopes.get(key);
      if (scope) collect(scope, snapshots, told);
    }
    const failures: unknown[] = [];
    for (const follower of told) {
      if (!follower.active || event.version <= follower.version) continue;
      try {
        follower.listener(event);
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }
}

function collect(scope: Scope, snapshots: readonly Snapshot[], into: Set<Follower>): void {
  const add = (followers: Iterable<Follower> | undefined): void => {
    for (const follower of followers ?? []) into.add(follower);
  };
  add(scope.everything);
  for (const snapshot of snapshots) {
    add(scope.byCluster.get(clusterOfWorkspace(snapshot.object)));
    if (snapshot.creator) add(scope.byCreator.get(snapshot.creator.name));
  }
  for (const edges of new Set(snapshots.flatMap(edgesOf))) {
    if (edges.size <= scope.bySubject.size) for (const subject of edges.subjects()) add(scope.bySubject.get(subject));
    else for (const subject of scope.bySubject.keys()) if (edges.has(subject)) add(scope.bySubject.get(subject));
  }
}

/** The edges that make a workspace a candidate. To a mount those are its own: the way into its parent is needed besides. */
const edgesOf = ({ entrance, mount }: Snapshot): Edges[] =>
  mount ? [mount.edges, mount.shardWide] : [entrance.edges, entrance.shardWide];
