/** A kcp with many workspaces in a few parents: what is in it follows from its size alone. */
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { code, pick } from './numbers.ts';
import { type Child, clusterRole, clusterRoleBinding, type Grant, logicalCluster, workspace } from './objects.ts';

export interface WorldSize {
  /** In parents of equal size. */
  readonly workspaces: number;
  readonly parents: number;
  /** Who have created them. */
  readonly users: number;
  /** Beside the one that each workspace has for its creator. */
  readonly bindings: number;
}

export type Resource = 'clusterroles' | 'clusterrolebindings' | 'logicalclusters' | 'workspaces';

/** Somebody who is measured. */
export interface Person {
  readonly name: string;
  readonly groups: readonly string[];
}

export const ACCESS_ROLE = 'system:kcp:workspace:access';
const ADMIN_ROLE = 'cluster-admin';
const ACCESS = { nonResourceURLs: ['/'], verbs: ['access'] };

/** Everybody is in it, so that required groups are asked for and found. */
const STAFF = 'staff';
export const WATCHERS = 'watchers';
const KCP_ADMINS = 'system:kcp:admin';

/** How many workspaces of the first parent those see who see so many. */
export const SEEN = [10, 100, 1_000] as const;
export const SCATTERED = 50;
export const TEN = 10;

const user = (index: number): string => `user-${String(index).padStart(4, '0')}@example.com`;
const person = (name: string, ...groups: readonly string[]): Person => ({
  name,
  groups: [...groups, STAFF, 'system:authenticated'],
});

export class World {
  readonly size: WorldSize;
  /** Paths of the parents. The one after them is small whatever the size of the world. */
  readonly orgs: readonly Child[];
  readonly smallOrg: Child;
  /** Of watchers: workspaces in the first parent that one, ten and all of them see. */
  readonly watched: { readonly one: Child; readonly ten: Child; readonly all: Child };
  readonly #small: readonly Child[];

  constructor(size: WorldSize) {
    this.size = size;
    const after = (index: number): number => size.workspaces + index;
    const org = (name: string, index: number): Child => ({
      ...{ index: after(index), parent: 'root', parentPath: 'root', name },
      ...{ cluster: code('org', index, 16), creator: user(0) },
    });
    this.orgs = Array.from({ length: size.parents }, (_, index) => org(`org-${String(index).padStart(2, '0')}`, index));
    this.smallOrg = org('small', size.parents);
    const special = (of: Child, name: string, index: number): Child => ({
      ...{ index: after(1_000 + index), parent: of.cluster, parentPath: `root:${of.name}`, name },
      ...{ cluster: code('special', index, 16), creator: 'nobody' },
    });
    this.#small = Array.from({ length: TEN }, (_, index) => special(this.smallOrg, `small-${index}`, index));
    const first = this.#org(0);
    this.watched = {
      one: special(first, 'watched-by-one', 101),
      ten: special(first, 'watched-by-ten', 102),
      all: special(first, 'watched-by-all', 103),
    };
  }

  /** Of the first parent, those apart that watchers are told of. */
  get inFirst(): number {
    return Math.ceil(this.size.workspaces / this.size.parents);
  }

  /** The workspace of this number: one of the many, or one of those apart. */
  child(index: number): Child {
    if (index >= this.size.workspaces) return this.#apart(index);
    const org = this.#org(index % this.size.parents);
    return {
      ...{ index, parent: org.cluster, parentPath: `root:${org.name}` },
      name: `ws-${String(index).padStart(6, '0')}-${code('name', index, 5)}`,
      cluster: code('cluster', index, 16),
      creator: user(pick('creator', index, this.size.users)),
      ...(index % 100 === 7 && { requiredGroups: [STAFF] }),
    };
  }

  /** Evenly spread over the first parent; none where it has not so many. */
  seenBy(count: number): readonly number[] {
    const step = Math.floor(this.inFirst / count);
    return step === 0 ? [] : Array.from({ length: count }, (_, at) => at * step * this.size.parents);
  }

  /** Over all parents. */
  get scattered(): readonly number[] {
    const step = Math.floor(this.size.workspaces / SCATTERED / this.size.parents) * this.size.parents;
    return Array.from({ length: SCATTERED }, (_, at) => at * Math.max(step, 1) + (step > 0 ? at % this.size.parents : 0));
  }

  /** Every workspace of the first parent, those apart that watchers are told of. */
  get first(): readonly number[] {
    return Array.from({ length: this.inFirst }, (_, at) => at * this.size.parents);
  }

  sees(count: number): Person {
    return person(`sees-${count}@example.com`);
  }

  readonly scatteredPerson = person('scattered@example.com');
  readonly member = person('member@example.com', 'first-org');
  readonly administrator = person('administrator@example.com', KCP_ADMINS);

  watcher(index: number): Person {
    return person(user(index), WATCHERS);
  }

  /** What a shard would list, object by object. */
  *objects(resource: Resource): Generator<KubeObject> {
    switch (resource) {
      case 'clusterroles':
        yield* this.#roles();
        return;
      case 'clusterrolebindings':
        yield clusterRoleBinding('system:admin', { name: 'admins', role: ADMIN_ROLE, subjects: [`g:${KCP_ADMINS}`] });
        yield clusterRoleBinding('root', { name: 'access', role: ACCESS_ROLE, subjects: ['g:system:authenticated'] });
        for (const child of this.#children()) {
          for (const grant of this.#grants(child)) yield clusterRoleBinding(child.cluster, grant);
        }
        yield* this.#further();
        return;
      case 'logicalclusters':
        yield logicalCluster('root');
        for (const child of this.#children()) yield logicalCluster(child.cluster, child);
        return;
      case 'workspaces':
        for (const child of this.#children()) yield workspace(child, 0);
    }
  }

  #org(index: number): Child {
    const org = this.orgs[index];
    if (org === undefined) throw new Error(`there is no parent ${index}`);
    return org;
  }

  get #apartFromMany(): readonly Child[] {
    return [...this.orgs, this.smallOrg, ...this.#small, ...Object.values(this.watched)];
  }

  #apart(index: number): Child {
    const found = this.#apartFromMany.find(child => child.index === index);
    if (found === undefined) throw new Error(`there is no workspace ${index}`);
    return found;
  }

  /** Those apart, among them the parents, and the many. */
  *#children(): Generator<Child> {
    yield* this.#apartFromMany;
    for (let index = 0; index < this.size.workspaces; index += 1) yield this.child(index);
  }

  *#roles(): Generator<KubeObject> {
    yield clusterRole('system:admin', ADMIN_ROLE, [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ]);
    yield clusterRole('system:admin', ACCESS_ROLE, [ACCESS]);
  }

  *#grants(child: Child): Generator<Grant> {
    const { index } = child;
    yield { name: 'workspace-admin', role: ADMIN_ROLE, subjects: [`u:${child.creator}`] };
    if (child.parent === this.#org(0).cluster) {
      yield { name: 'everybody-of-the-first', role: ACCESS_ROLE, subjects: ['g:first-org'] };
    }
    const probes = [
      ...SEEN.filter(count => this.#isSeenBy(count, index)).map(count => this.sees(count)),
      ...(this.#scattered.has(index) ? [this.scatteredPerson] : []),
    ];
    for (const { name } of probes) yield { name: `access-of-${name}`, role: ACCESS_ROLE, subjects: [`u:${name}`] };
    const { all, one, ten } = this.watched;
    const watched = new Map([
      [one, [`u:${user(1)}`]],
      [ten, Array.from({ length: TEN }, (_, at) => `u:${user(1 + at)}`)],
      [all, [`g:${WATCHERS}`]],
    ]).get(child);
    if (watched) yield { name: 'watchers', role: ACCESS_ROLE, subjects: watched };
  }

  /** To users and groups, one to five in each. */
  *#further(): Generator<KubeObject> {
    for (let index = 0; index < this.size.bindings; index += 1) {
      const subjects = Array.from({ length: 1 + pick('subjects', index, 5) }, (_, at) => {
        const which = index * 5 + at;
        return pick('kind', which, 3) === 0
          ? `g:group-${pick('group', which, 200)}`
          : `u:${user(pick('user', which, this.size.users))}`;
      });
      const { cluster } = this.child(pick('bound', index, this.size.workspaces));
      yield clusterRoleBinding(cluster, { name: `further-${index}`, role: ACCESS_ROLE, subjects });
    }
  }

  readonly #sets = new Map<number, ReadonlySet<number>>();

  #isSeenBy(count: number, index: number): boolean {
    const seen = this.#sets.get(count) ?? new Set(this.seenBy(count));
    this.#sets.set(count, seen);
    return seen.has(index);
  }

  #known: ReadonlySet<number> | undefined;

  get #scattered(): ReadonlySet<number> {
    this.#known ??= new Set(this.scattered);
    return this.#known;
  }
}
