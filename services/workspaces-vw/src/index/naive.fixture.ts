import type { BindingFacts, IndexWriter, LogicalClusterFacts, RoleFacts, Subject, WorkspaceObject } from './facts.ts';
import type { Edges, Entrance, Interest, Snapshot } from './snapshot.ts';

/*
 * The index as it would be without any care for its cost: facts in lists, and every answer worked out anew from all of them. It shares no code
 * with the real one, which has to give the same answers.
 */

interface Fact<T> {
  readonly shard: string;
  readonly cluster: string;
  readonly name: string;
  readonly facts: T;
}

class Facts<T> {
  list: Fact<T>[] = [];

  set(shard: string, cluster: string, name: string, facts: T | undefined): void {
    this.list = this.list.filter(fact => fact.shard !== shard || fact.cluster !== cluster || fact.name !== name);
    if (facts !== undefined) this.list.push({ shard, cluster, name, facts });
  }

  in(shard: string, cluster: string): Fact<T>[] {
    return this.list.filter(fact => fact.shard === shard && fact.cluster === cluster);
  }
}

/** An entrance without versions, fit to be compared. */
export interface PlainEntrance {
  readonly cluster: string;
  readonly shard: string;
  readonly open: boolean;
  readonly requiredGroups: readonly (readonly string[])[] | null;
  readonly edges: readonly Subject[];
  readonly shardWide: readonly Subject[];
}

/** A snapshot without versions of the index, fit to be compared. */
export interface PlainSnapshot {
  readonly parent: string;
  readonly name: string;
  readonly shard: string;
  readonly uid: string;
  readonly upstreamVersion: string;
  readonly spec: unknown;
  readonly status: unknown;
  readonly ownerAnnotation: string | null;
  readonly creator: unknown;
  readonly entrance: PlainEntrance;
  /** Those of the whole shard among the others. */
  readonly mount: { readonly edges: readonly Subject[]; readonly shardWide: readonly Subject[] } | null;
}

const groupsIn = (text: string | undefined): string[][] | null => text?.split(';').map(groups => groups.split(',')) ?? null;

const sorted = (subjects: Iterable<Subject>): Subject[] => [...new Set(subjects)].sort();

const OWNER = 'experimental.tenancy.kcp.io/owner';
const OPEN = ['Initializing', 'Ready', 'Inactive', 'Terminating', 'Deleting'];

export class NaiveIndex implements IndexWriter {
  readonly #roles = new Facts<RoleFacts>();
  readonly #bindings = new Facts<BindingFacts>();
  readonly #clusters = new Facts<LogicalClusterFacts>();
  readonly #workspaces = new Facts<WorkspaceObject>();

  role(shard: string, cluster: string, name: string, facts: RoleFacts | undefined): void {
    this.#roles.set(shard, cluster, name, facts);
  }

  binding(shard: string, cluster: string, name: string, facts: BindingFacts | undefined): void {
    this.#bindings.set(shard, cluster, name, facts);
  }

  logicalCluster(shard: string, cluster: string, facts: LogicalClusterFacts | undefined): void {
    this.#clusters.set(shard, cluster, '', facts);
  }

  workspace(shard: string, cluster: string, name: string, object: WorkspaceObject | undefined): void {
    this.#workspaces.set(shard, cluster, name, object);
  }

  forgetShard(shard: string): void {
    for (const facts of [this.#roles, this.#bindings, this.#clusters, this.#workspaces]) {
      facts.list = facts.list.filter(fact => fact.shard !== shard) as never[];
    }
  }

  batch(work: () => void): void {
    work();
  }

  all(): PlainSnapshot[] {
    const keys = new Set(this.#workspaces.list.map(({ cluster, name }) => `${cluster}\0${name}`));
    return [...keys].sort().map(key => {
      const [parent = '', name = ''] = key.split('\0');
      return this.find(parent, name) as PlainSnapshot;
    });
  }

  find(parent: string, name: string): PlainSnapshot | undefined {
    const copy = this.#copyOf(parent, name);
    if (!copy) return undefined;
    const { shard, facts: object } = copy;
    const isMount = object.spec?.mount !== undefined;
    const owner = object.metadata?.annotations?.[OWNER] ?? null;
    return {
      ...{ parent, name, shard, spec: object.spec, status: object.status, ownerAnnotation: owner },
      uid: object.metadata?.uid ?? '',
      upstreamVersion: object.metadata?.resourceVersion ?? '',
      creator: ['', 'Scheduling', 'Initializing'].includes(object.status?.phase ?? '') && owner ? creatorIn(owner) : null,
      entrance: isMount ? (this.entrance(parent) ?? closed(parent)) : this.#entranceOf(parent, name, object),
      mount: isMount ? this.#readers(shard, parent, name) : null,
    };
  }

  entrance(cluster: string): PlainEntrance | undefined {
    const found = this.#shardsWith(cluster);
    const chosen = found.find(isOpen) ?? found[0];
    return chosen && this.#enter(chosen);
  }

  candidates({ parent, subjects, clusters, creator }: Interest): PlainSnapshot[] {
    const wanted = subjects && new Set(subjects);
    const names = new Set(clusters);
    return this.all().filter(workspace => {
      if (parent !== undefined && workspace.parent !== parent) return false;
      if (!wanted) return true;
      const cluster = workspace.mount ? '' : (workspace.spec as WorkspaceObject['spec'])?.cluster;
      const isCreator = creator !== undefined && (workspace.creator as Snapshot['creator'] | null)?.name === creator;
      return isCreator || (cluster && names.has(cluster)) || edgesOf(workspace).some(subject => wanted.has(subject));
    });
  }

  shardsOf(parent: string): Set<string> {
    const children = this.all().filter(workspace => workspace.parent === parent);
    const shards = new Set(children.flatMap(({ shard, entrance }) => [shard, entrance.shard]));
    shards.add(this.entrance(parent)?.shard ?? '');
    shards.delete('');
    return shards;
  }

  hasUnresolved(parent?: string): boolean {
    return this.all().some(workspace => {
      if (parent !== undefined && workspace.parent !== parent) return false;
      const { metadata, spec, status } = this.#copyOf(workspace.parent, workspace.name)?.facts ?? {};
      if (workspace.mount) return false;
      if (metadata?.deletionTimestamp || status?.phase === 'Terminating' || status?.phase === 'Deleting') return false;
      return Boolean(spec?.cluster) && this.#shardsWith(spec?.cluster ?? '').length === 0;
    });
  }

  /** While a parent moves to another shard, two have its workspaces: the one counts that it is entered on. */
  #copyOf(parent: string, name: string): Fact<WorkspaceObject> | undefined {
    const copies = this.#workspaces.list.filter(fact => fact.cluster === parent && fact.name === name);
    const home = this.entrance(parent)?.shard;
    return copies.find(({ shard }) => shard === home) ?? copies.sort((a, b) => (a.shard < b.shard ? -1 : 1))[0];
  }

  #shardsWith(cluster: string): Fact<LogicalClusterFacts>[] {
    return this.#clusters.list.filter(fact => fact.cluster === cluster).sort((a, b) => (a.shard < b.shard ? -1 : 1));
  }

  #entranceOf(parent: string, name: string, { spec, metadata }: WorkspaceObject): PlainEntrance {
    const cluster = spec?.cluster ?? '';
    const found = cluster ? this.#shardsWith(cluster) : [];
    const own = found.filter(
      ({ facts: { owner } }) => owner?.cluster === parent && owner.name === name && owner.uid === metadata?.uid,
    );
    const chosen = own.find(isOpen) ?? own[0];
    return chosen ? this.#enter(chosen) : closed(cluster, found[0]?.shard);
  }

  #enter(cluster: Fact<LogicalClusterFacts>): PlainEntrance {
    return {
      ...{ cluster: cluster.cluster, shard: cluster.shard, open: isOpen(cluster) },
      requiredGroups: groupsIn(cluster.facts.requiredGroups),
      ...this.#subjects(cluster.shard, cluster.cluster, ({ access }) => access),
    };
  }

  #readers(shard: string, parent: string, name: string): PlainSnapshot['mount'] {
    const { edges, shardWide } = this.#subjects(
      shard,
      parent,
      ({ getWorkspaces }) => getWorkspaces === '*' || getWorkspaces?.includes(name) === true,
    );
    return { edges: sorted([...edges, ...shardWide]), shardWide: [] };
  }

  /** Who has a permission in a logical cluster of a shard, by whose bindings. */
  #subjects(shard: string, cluster: string, gives: (role: RoleFacts) => boolean): { edges: Subject[]; shardWide: Subject[] } {
    const ofCluster = cluster === 'system:admin' ? [] : this.#roles.in(shard, cluster).filter(({ facts }) => gives(facts));
    const ofShard = this.#roles.in(shard, 'system:admin').filter(({ facts }) => gives(facts));
    const by = (bindings: Fact<BindingFacts>[], roles: Fact<RoleFacts>[]): Subject[] =>
      bindings.filter(({ facts }) => roles.some(({ name }) => name === facts.role)).flatMap(({ facts }) => facts.subjects);
    const shardWide = this.#bindings.in(shard, 'system:admin');
    const local = cluster === 'system:admin' ? [] : this.#bindings.in(shard, cluster);
    return {
      edges: sorted([...by(local, [...ofCluster, ...ofShard]), ...by(shardWide, ofCluster)]),
      shardWide: sorted(by(shardWide, ofShard)),
    };
  }
}

const isOpen = ({ facts }: Fact<LogicalClusterFacts>): boolean => OPEN.includes(facts.phase);

const closed = (cluster: string, shard = ''): PlainEntrance => ({
  ...{ cluster, shard, open: false, requiredGroups: null, edges: [], shardWide: [] },
});

/** Those that make a workspace a candidate. */
export const edgesOf = ({ entrance, mount }: PlainSnapshot): Subject[] => [
  ...(mount ?? entrance).edges,
  ...(mount ?? entrance).shardWide,
];

function creatorIn(annotation: string): unknown {
  let user: { username?: unknown; extra?: Record<string, string[]> } | null = null;
  try {
    user = JSON.parse(annotation);
  } catch {
    // Nobody, then.
  }
  if (typeof user?.username !== 'string' || user.username === '') return null;
  if (!user.username.startsWith('system:serviceaccount:')) return { name: user.username };
  const cluster = user.extra?.['authentication.kcp.io/cluster-name']?.[0];
  return cluster ? { name: user.username, cluster } : null;
}

const subjectsIn = (edges: Edges): Subject[] => [...edges.subjects()];

/** What the real index says, in the same form. */
export const plainEntrance = ({ cluster, shard, open, requiredGroups, edges, shardWide }: Entrance): PlainEntrance => ({
  ...{ cluster, shard, open, requiredGroups: groupsIn(requiredGroups) },
  ...{ edges: subjectsIn(edges), shardWide: subjectsIn(shardWide) },
});

export const plainSnapshot = (snapshot: Snapshot): PlainSnapshot => ({
  ...{ parent: snapshot.parent, name: snapshot.name, shard: snapshot.shard, upstreamVersion: snapshot.upstreamVersion },
  ...{ uid: snapshot.object.metadata?.uid ?? '', spec: snapshot.object.spec, status: snapshot.object.status },
  ownerAnnotation: snapshot.ownerAnnotation ?? null,
  creator: snapshot.creator ?? null,
  entrance: plainEntrance(snapshot.entrance),
  mount: snapshot.mount
    ? { edges: sorted([...subjectsIn(snapshot.mount.edges), ...subjectsIn(snapshot.mount.shardWide)]), shardWide: [] }
    : null,
});
