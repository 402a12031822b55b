import { partsOf } from './edges.ts';
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

/** Sets of edges for which it is kept who follows them. */
const MOST_FOUND = 64;

/** Followers of one parent, or of all, by what they want. */
class Scope {
  readonly everything = new Set<Follower>();
  readonly bySubject = new MultiMap<Subject, Follower>();
  readonly byCluster = new MultiMap<string, Follower>();
  readonly byCreator = new MultiMap<string, Follower>();
  /** Many events may come of one change, all with the same edges: it is looked up once who follows these. */
  #found = new WeakMap<Edges, readonly Follower[]>();
  #count = 0;

  /** Followers have come or gone. */
  forget(): void {
    this.#found = new WeakMap();
    this.#count = 0;
  }

  followersOf(edges: Edges): readonly Follower[] {
    const known = this.#found.get(edges);
    if (known) return known;
    const found = this.#lookUp(edges);
    if (this.#count === MOST_FOUND) this.forget();
    this.#found.set(edges, found);
    this.#count += 1;
    return found;
  }

  #lookUp(edges: Edges): readonly Follower[] {
    const { bySubject } = this;
    const few = edges.size <= bySubject.size ? edges.subjects() : [...bySubject.keys()].filter(subject => edges.has(subject));
    const found = new Set<Follower>();
    for (const subject of few) for (const follower of bySubject.get(subject) ?? []) found.add(follower);
    return [...found];
  }

  get isEmpty(): boolean {
    return this.everything.size + this.bySubject.size + this.byCluster.size + this.byCreator.size === 0;
  }
}

const ALL_PARENTS = Symbol('all parents');

/** What followers have thrown. What was written is in the index all the same. */
export class FollowersFailed extends AggregateError {}

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
    scope.forget();
    if (!subjects) scope.everything.add(follower);
    for (const subject of subjects ?? []) scope.bySubject.add(subject, follower);
    for (const cluster of clusters) scope.byCluster.add(cluster, follower);
    if (interest.creator !== undefined) scope.byCreator.add(interest.creator, follower);
    this.#size += 1;

    return () => {
      if (!follower.active) return;
      follower.active = false;
      this.#size -= 1;
      scope.forget();
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
  for (const edges of new Set(snapshots.flatMap(edgesOf))) add(scope.followersOf(edges));
}

/** The edges that make a workspace a candidate. To a mount those are its own: the way into its parent is needed besides. */
const edgesOf = ({ entrance, mount }: Snapshot): Edges[] =>
  mount ? [mount.edges, mount.shardWide].flatMap(partsOf).map(({ edges }) => edges) : [entrance.edges, entrance.shardWide];
