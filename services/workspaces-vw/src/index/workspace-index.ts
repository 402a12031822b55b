import { epochNow } from '@kcp-vw/shared/informer/event-window.ts';
import { EventLog } from './event-log.ts';
import type { BindingFacts, IndexWriter, LogicalClusterFacts, RoleFacts, Subject, WorkspaceObject } from './facts.ts';
import { Followers, FollowersFailed } from './followers.ts';
import { setBinding, setRole } from './grants.ts';
import { type Mounts, mayGet } from './mounts.ts';
import { keyOf, merged, ofParent } from './postings.ts';
import { settle } from './settle.ts';
import type { Entrance, IndexEvent, IndexStats, Interest, Snapshot, WorkspaceIndex } from './snapshot.ts';
import { type Entry, IndexState, type ShardState } from './state.ts';
import { setLogicalCluster, setWorkspace, takeOut } from './write.ts';

export interface WorkspaceIndexOptions {
  /** The version before the first event; the default follows the time of day, so that no two processes share versions. */
  readonly epoch?: bigint;
  /** Events kept for those who resume; default 16,384. */
  readonly capacity?: number;
  /** Bytes that they may have together, estimated; default 64 MiB. */
  readonly logBudget?: number;
  /** Mounts of one logical cluster that are shown; default 1,000. The others are shown only to those who see everything. */
  readonly mostMounts?: number;
  /** Told of a logical cluster that comes to have more. Must not throw. */
  readonly onMountShut?: (parent: string) => void;
}

/** Who may enter which workspace, kept by what changes. It reads nothing and waits for nothing. */
export function createWorkspaceIndex(options: WorkspaceIndexOptions = {}): WorkspaceIndex & IndexWriter {
  return new Index(options);
}

class Index implements WorkspaceIndex, IndexWriter {
  readonly #state: IndexState;
  readonly #log: EventLog;
  readonly #followers = new Followers();
  /** Events that followers have not been told yet. */
  readonly #untold: IndexEvent[] = [];
  #isTelling = false;
  /** Batches in batches end with the outermost. */
  #depth = 0;

  constructor({
    epoch = epochNow(),
    capacity = 16_384,
    logBudget = 64 * 1024 * 1024,
    mostMounts = 1000,
    onMountShut,
  }: WorkspaceIndexOptions) {
    this.#state = new IndexState(mostMounts, onMountShut);
    this.#log = new EventLog({ epoch, capacity, budget: logBudget });
  }

  get version(): bigint {
    return this.#log.head;
  }

  find(parent: string, name: string): Snapshot | undefined {
    return this.#state.workspaces.get(keyOf(parent, name))?.snapshot;
  }

  byCluster(cluster: string): Snapshot | undefined {
    const place = this.#state.places.get(cluster);
    if (!place) return undefined;
    const { tenants, owners, entrance } = place;
    // Several may say that they are it: the one that the logical cluster itself names, if there is one.
    const [first] = tenants.values();
    const own = owners
      .map(owner => tenants.get(keyOf(owner.cluster, owner.name)))
      .filter(entry => entry?.shardWide !== undefined);
    const best = own.find(entry => entry?.snapshot?.entrance === entrance) ?? own.find(isOpen) ?? own[0] ?? first;
    return best?.snapshot;
  }

  entrance(cluster: string): Entrance | undefined {
    return this.#state.places.get(cluster)?.entrance;
  }

  *candidates({ parent, subjects, clusters, creator }: Interest): Generator<Snapshot> {
    const { workspaces, postings, byCreator, shards, places } = this.#state;
    const sequences: Iterator<Entry>[] = [];
    if (subjects) {
      const distinct = new Set(subjects);
      for (const subject of distinct) {
        const posted = postings.get(subject);
        if (posted) sequences.push(ofParent(posted, parent));
      }
      for (const shard of shards.values()) {
        const { access, entered } = shard;
        if (access.edges.size > 0 && [...distinct].some(subject => access.edges.has(subject))) {
          sequences.push(ofParent(entered, parent));
        }
        for (const mounts of mountsFor(shard, distinct, parent)) sequences.push(readable(mounts, distinct));
      }
      const created = creator === undefined ? undefined : byCreator.get(creator);
      if (created) sequences.push(ofParent(created, parent));
      for (const cluster of new Set(clusters)) {
        const tenants = places.get(cluster)?.tenants;
        if (tenants) sequences.push(ofParent(tenants, parent));
      }
    } else {
      sequences.push(ofParent(workspaces, parent));
    }
    for (const { snapshot } of merged(sequences)) if (snapshot) yield snapshot;
  }

  since(version: bigint, parent?: string): Iterable<IndexEvent> {
    return this.#log.since(version, parent);
  }

  follow(interest: Interest, listener: (event: IndexEvent) => void): () => void {
    return this.#followers.follow(interest, this.version, listener);
  }

  shardsOf(parent?: string): ReadonlySet<string> {
    if (parent === undefined) return new Set(this.#state.shards.keys());
    const place = this.#state.places.get(parent);
    const shards = new Set(place?.family?.shards.keys());
    if (place?.chosen) shards.add(place.chosen.shard.name);
    shards.delete('');
    return shards;
  }

  hasUnresolved(parent?: string): boolean {
    if (parent === undefined) return this.#state.unresolved > 0;
    return (this.#state.places.get(parent)?.family?.unresolved ?? 0) > 0;
  }

  advance(): bigint {
    return this.#log.advance();
  }

  stats(): IndexStats {
    const { workspaces, edges, subjects, shards, places, postings, byCreator } = this.#state;
    return {
      workspaces: workspaces.size,
      edges,
      subjects: subjects.size,
      followers: this.#followers.size,
      logBytes: this.#log.bytes,
      kept: shards.size + places.size + postings.words + byCreator.words + this.#followers.scopes,
    };
  }

  role(shard: string, cluster: string, name: string, facts: RoleFacts | undefined): void {
    this.batch(() => setRole(this.#state, this.#state.cluster(shard, cluster), name, facts));
  }

  binding(shard: string, cluster: string, name: string, facts: BindingFacts | undefined): void {
    this.batch(() => setBinding(this.#state, this.#state.cluster(shard, cluster), name, facts));
  }

  logicalCluster(shard: string, cluster: string, facts: LogicalClusterFacts | undefined): void {
    this.batch(() => setLogicalCluster(this.#state, this.#state.cluster(shard, cluster), facts));
  }

  workspace(shard: string, cluster: string, name: string, object: WorkspaceObject | undefined): void {
    this.batch(() => setWorkspace(this.#state, this.#state.cluster(shard, cluster), name, object));
  }

  forgetShard(name: string): void {
    this.batch(() => {
      const shard = this.#state.shards.get(name);
      if (shard) takeOut(this.#state, shard);
    });
  }

  batch(work: () => void): void {
    const failures: unknown[] = [];
    this.#depth += 1;
    try {
      work();
    } catch (error) {
      // What it has written before is written, and is told before it fails.
      failures.push(error);
    }
    this.#depth -= 1;
    const ofFollowers = this.#depth === 0 ? this.#settle() : [];
    if (failures.length > 0) throw failures[0];
    if (ofFollowers.length > 0) throw new FollowersFailed(ofFollowers, 'followers of the index failed');
  }

  /** All that followers have thrown. */
  #settle(): readonly unknown[] {
    for (const event of this.#events()) {
      this.#log.append(event);
      this.#untold.push(event);
    }
    // A follower that writes is told the outcome after the others have been told what he was told.
    if (this.#isTelling) return [];
    this.#isTelling = true;
    // It grows while it is told.
    const failures: unknown[] = [];
    for (const event of this.#untold) failures.push(...this.#followers.tell(event));
    this.#untold.length = 0;
    this.#isTelling = false;
    return failures;
  }

  #events(): readonly IndexEvent[] {
    try {
      return settle(this.#state, this.version);
    } catch (error) {
      // Some snapshots may be others already, and nobody is told which: nobody may resume from before.
      this.#log.forget(this.#state.workspaces.size);
      throw error;
    }
  }
}

const isOpen = (entry: Entry | undefined): boolean => entry?.snapshot?.entrance.open === true;

/** Sorted sequences of mounts in which are all that the subjects may get on a shard. */
function* mountsFor(shard: ShardState, subjects: Iterable<Subject>, parent: string | undefined): Generator<Iterable<Entry>> {
  const { readers, mounts, readable: posted } = shard;
  if (mounts.size === 0) return;
  for (const subject of subjects) {
    for (const { edges } of readers.counters()) {
      if (!edges.has(subject)) continue;
      yield ofParent(mounts, parent);
      return;
    }
  }
  for (const subject of subjects) {
    const clusters = posted.get(subject);
    if (clusters) yield mountsIn(ofParent(clusters, parent));
  }
}

function* mountsIn(clusters: Iterable<Mounts>): Generator<Entry> {
  for (const { open } of clusters) yield* open.values();
}

function* readable(mounts: Iterable<Entry>, subjects: ReadonlySet<Subject>): Generator<Entry> {
  for (const entry of mounts) if (entry.snapshot?.mount && mayGet(entry.snapshot.mount, subjects)) yield entry;
}
