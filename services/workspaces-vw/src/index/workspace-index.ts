import { epochNow } from '@kcp-vw/shared/informer/event-window.ts';
import { EventLog } from './event-log.ts';
import type { BindingFacts, IndexWriter, LogicalClusterFacts, RoleFacts, WorkspaceObject } from './facts.ts';
import { Followers } from './followers.ts';
import { setBinding, setRole } from './grants.ts';
import { keyOf, merged, ofParent } from './postings.ts';
import { settle } from './settle.ts';
import type { Entrance, IndexEvent, IndexStats, Interest, Snapshot, WorkspaceIndex } from './snapshot.ts';
import { type Entry, IndexState } from './state.ts';
import { setLogicalCluster, setWorkspace, takeOut } from './write.ts';

export interface WorkspaceIndexOptions {
  /** The version before the first event; the default follows the time of day, so that no two processes share versions. */
  readonly epoch?: bigint;
  /** Events kept for those who resume; default 16,384. */
  readonly capacity?: number;
}

/** Who may enter which workspace, kept by what changes. It reads nothing and waits for nothing. */
export function createWorkspaceIndex(options: WorkspaceIndexOptions = {}): WorkspaceIndex & IndexWriter {
  return new Index(options);
}

class Index implements WorkspaceIndex, IndexWriter {
  readonly #state = new IndexState();
  readonly #log: EventLog;
  readonly #followers = new Followers();
  /** Events that followers have not been told yet. */
  readonly #untold: IndexEvent[] = [];
  #isTelling = false;
  /** Batches in batches end with the outermost. */
  #depth = 0;

  constructor({ epoch = epochNow(), capacity = 16_384 }: WorkspaceIndexOptions) {
    this.#log = new EventLog(capacity, epoch);
  }

  get version(): bigint {
    return this.#log.head;
  }

  find(parent: string, name: string): Snapshot | undefined {
    return this.#state.workspaces.get(keyOf(parent, name))?.snapshot;
  }

  byCluster(cluster: string): Snapshot | undefined {
    const { tenants = [], entrance } = this.#state.places.get(cluster) ?? {};
    // Several say that they are it: the one that the logical cluster itself names, if there is one.
    const [first, second] = tenants;
    if (!second) return first?.snapshot;
    const own = tenants.filter(({ shardWide }) => shardWide !== undefined);
    const best = own.find(({ snapshot }) => snapshot?.entrance === entrance) ?? own[0] ?? first;
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
      for (const { access, entered } of shards.values()) {
        if (access.edges.size > 0 && [...distinct].some(subject => access.edges.has(subject))) {
          sequences.push(ofParent(entered, parent));
        }
      }
      const created = creator === undefined ? undefined : byCreator.get(creator);
      if (created) sequences.push(ofParent(created, parent));
      for (const cluster of new Set(clusters)) {
        const tenants = places.get(cluster)?.tenants ?? [];
        sequences.push(tenants.filter(tenant => parent === undefined || tenant.parent.name === parent).values());
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
    if (ofFollowers.length > 0) throw new AggregateError([...failures, ...ofFollowers], 'followers of the index failed');
    if (failures.length > 0) throw failures[0];
  }

  /** All that followers have thrown. */
  #settle(): readonly unknown[] {
    for (const event of settle(this.#state, this.version)) {
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
}
