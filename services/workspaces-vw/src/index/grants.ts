import type { EdgeCounter } from './edges.ts';
import { type BindingFacts, type RoleFacts, SHARD_WIDE_CLUSTER, type Subject } from './facts.ts';
import type { Mounts, Readers } from './mounts.ts';
import { gives, namesIn, normalRole, type Permission, type Role, sameRole } from './roles.ts';
import { emptyMap } from './sorted-map.ts';
import type { Binding, ClusterState, Entry, IndexState, NamedRole, ShardState } from './state.ts';

/*
 * kcp merges, for each logical cluster, its own ClusterRoles with those of the same name in `system:admin` of its shard, and applies its own
 * bindings and those of `system:admin` to the result. So a binding of the cluster gives what either role gives; one of `system:admin` gives
 * everywhere what the role there gives, and in a logical cluster with a role of that name what this one gives, too.
 */

const NO_ROLE: NamedRole = { facts: undefined, bindings: emptyMap() };

const named = (cluster: ClusterState | undefined, role: string): NamedRole => cluster?.roles.get(role) ?? NO_ROLE;

const isShardWide = (cluster: ClusterState): boolean => cluster.name === SHARD_WIDE_CLUSTER;

const shardWideOf = ({ shard }: ClusterState): ClusterState | undefined => shard.clusters.get(SHARD_WIDE_CLUSTER);

/** Edges that a permission gives. */
interface Target {
  readonly counter: EdgeCounter;
  readonly permission: Permission;
}

export function setRole(index: IndexState, cluster: ClusterState, name: string, given: RoleFacts | undefined): void {
  const { facts: before, bindings } = named(cluster, name);
  const after = normalRole(given);
  if (sameRole(before, after)) return;
  keep(cluster, name, { facts: after, bindings });
  keepNames(index, cluster, name, before, after);

  if (isShardWide(cluster)) {
    for (const target of shardWideTargets(cluster, name)) recount(index, target, bindings.values(), [before], [after]);
    for (const other of cluster.shard.byRole.get(name) ?? []) {
      if (other === cluster) continue;
      const { facts, bindings: ofOther } = named(other, name);
      if (ofOther.size === 0) continue;
      for (const target of localTargets(other, name)) {
        recount(index, target, ofOther.values(), [facts, before], [facts, after]);
      }
    }
  } else {
    const shardWide = named(shardWideOf(cluster), name);
    for (const target of localTargets(cluster, name)) {
      recount(index, target, bindings.values(), [shardWide.facts, before], [shardWide.facts, after]);
      recount(index, target, shardWide.bindings.values(), [before], [after]);
    }
  }
}

/** Takes away before it gives: should it fail in between, nobody has what he had no more. */
export function setBinding(index: IndexState, cluster: ClusterState, name: string, given: BindingFacts | undefined): void {
  const before = cluster.bindings.get(name);
  const wanted = new Set(given?.subjects);
  const held = new Set(before?.subjects);
  const isSameRole = before?.role === given?.role;
  if (before) {
    const lost = isSameRole ? before.subjects.filter(subject => !wanted.has(subject)) : before.subjects;
    grant(index, cluster, before.role, lost, -1);
  }
  const after = given && { role: given.role, subjects: [...wanted].sort().map(subject => index.subjects.use(subject)) };
  if (after) {
    const gained = isSameRole ? after.subjects.filter(subject => !held.has(subject)) : after.subjects;
    grant(index, cluster, after.role, gained, 1);
  }
  if (before && !isSameRole) keepBinding(cluster, name, before.role, undefined);
  if (after) keepBinding(cluster, name, after.role, after);
  cluster.bindings = after ? cluster.bindings.with(name, after) : cluster.bindings.without(name);
  for (const subject of before?.subjects ?? []) index.subjects.release(subject);
}

/** Counts what the first mount of a logical cluster finds there. */
export function countMounts(index: IndexState, mounts: Mounts): void {
  const { cluster, readers } = mounts;
  const ofShard = shardWideOf(cluster);
  if (ofShard === cluster) return;
  for (const [name, { facts }] of cluster.roles.entries()) for (const named of namesIn(facts)) readers.namedBy.add(named, name);
  const count = (role: string, binding: Binding, roles: Roles): void => {
    for (const target of mountTargets(mounts, role)) recount(index, target, [binding], [], roles);
  };
  for (const binding of ofShard?.bindings.values() ?? []) {
    const { facts } = named(cluster, binding.role);
    if (facts) count(binding.role, binding, [facts]);
  }
  for (const binding of cluster.bindings.values()) {
    count(binding.role, binding, [named(cluster, binding.role).facts, named(ofShard, binding.role).facts]);
  }
}

/** The mounts that a role of a logical cluster, with that of the whole shard, gives by name. */
export function mountsNamedBy({ cluster, open }: Mounts, role: string): Iterable<Entry> {
  const roles = [named(cluster, role).facts, named(shardWideOf(cluster), role).facts];
  return new Set(roles.flatMap(one => entriesOf(open, namesIn(one))));
}

const entriesOf = (open: Mounts['open'], names: ReadonlySet<string>): Entry[] =>
  names.size < open.size
    ? [...names].map(name => open.get(name)).filter(entry => entry !== undefined)
    : [...open.values()].filter(({ name }) => names.has(name));

/** Those of a whole shard. */
export function* shardWideMountsNamedBy({ clusters, mounts }: ShardState, role: string): Generator<Entry> {
  const names = namesIn(named(clusters.get(SHARD_WIDE_CLUSTER), role).facts);
  for (const entry of mounts.values()) if (names.has(entry.name)) yield entry;
}

/** Counts subjects of a binding of `cluster` in or out, wherever it gives something. */
function grant(index: IndexState, cluster: ClusterState, role: string, subjects: readonly Subject[], change: 1 | -1): void {
  if (subjects.length === 0) return;
  const { facts } = named(cluster, role);
  if (isShardWide(cluster)) {
    for (const target of shardWideTargets(cluster, role)) count(index, target, subjects, [facts], change);
    for (const other of cluster.shard.byRole.get(role) ?? []) {
      const local = other === cluster ? undefined : named(other, role).facts;
      if (local) for (const target of localTargets(other, role)) count(index, target, subjects, [local], change);
    }
  } else {
    const shardWide = named(shardWideOf(cluster), role).facts;
    for (const target of localTargets(cluster, role)) count(index, target, subjects, [facts, shardWide], change);
  }
}

type Roles = readonly (Role | undefined)[];

const anyGives = (roles: Roles, permission: Permission): boolean => roles.some(role => gives(role, permission));

function count(index: IndexState, target: Target, subjects: readonly Subject[], roles: Roles, change: 1 | -1): void {
  if (!anyGives(roles, target.permission)) return;
  target.counter.count(subjects, change);
  index.touched.counters.add(target.counter);
}

/** Counts bindings whose roles have changed. */
function recount(index: IndexState, target: Target, bindings: Iterable<Binding>, before: Roles, after: Roles): void {
  const gave = anyGives(before, target.permission);
  if (gave === anyGives(after, target.permission)) return;
  for (const { subjects } of bindings) {
    target.counter.count(subjects, gave ? -1 : 1);
    index.touched.counters.add(target.counter);
  }
}

/** All that a role of this name can give something in. */
function* localTargets({ access, mounts }: ClusterState, role: string): Generator<Target> {
  yield { counter: access, permission: 'access' };
  if (mounts) yield* mountTargets(mounts, role);
}

function* mountTargets({ anybody, readers }: Mounts, role: string): Generator<Target> {
  yield { counter: anybody, permission: 'get any' };
  yield* readerTargets(readers, role);
}

function* shardWideTargets({ shard }: ClusterState, role: string): Generator<Target> {
  yield { counter: shard.access, permission: 'access' };
  yield* readerTargets(shard.readers, role);
}

function* readerTargets(readers: Readers, role: string): Generator<Target> {
  yield { counter: readers.all, permission: 'get all' };
  yield {
    // Only of a role that somebody has.
    get counter() {
      return readers.ofRole(role);
    },
    permission: 'get some',
  };
}

/** Which workspaces a role gives by name. */
function keepNames(
  index: IndexState,
  cluster: ClusterState,
  role: string,
  before: Role | undefined,
  after: Role | undefined,
): void {
  const { mounts, shard } = cluster;
  const readers = isShardWide(cluster) ? shard.readers : mounts?.readers;
  if (!readers) return;
  const [were, are] = [namesIn(before), namesIn(after)];
  for (const name of were) if (!are.has(name)) readers.namedBy.delete(name, role);
  for (const name of are) if (!were.has(name)) readers.namedBy.add(name, role);
  const changed = new Set([...[...were].filter(name => !are.has(name)), ...[...are].filter(name => !were.has(name))]);
  if (changed.size === 0) return;
  const entries = isShardWide(cluster) ? [...shard.mounts.values()].filter(({ name }) => changed.has(name)) : undefined;
  for (const entry of entries ?? (mounts ? entriesOf(mounts.open, changed) : [])) index.touched.entries.set(entry.key, entry);
}

function keepBinding(cluster: ClusterState, name: string, role: string, binding: Binding | undefined): void {
  const { facts, bindings } = named(cluster, role);
  keep(cluster, role, { facts, bindings: binding ? bindings.with(name, binding) : bindings.without(name) });
}

function keep(cluster: ClusterState, name: string, role: NamedRole): void {
  if (role.facts || role.bindings.size > 0) {
    cluster.roles = cluster.roles.with(name, role);
    cluster.shard.byRole.add(name, cluster);
  } else {
    cluster.roles = cluster.roles.without(name);
    cluster.shard.byRole.delete(name, cluster);
  }
}
