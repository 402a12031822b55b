import type { EdgeCounter } from './edges.ts';
import { type BindingFacts, type RoleFacts, SHARD_WIDE_CLUSTER, type Subject } from './facts.ts';
import { gives, normalRole, type Permission, sameRole } from './roles.ts';
import { emptyMap } from './sorted-map.ts';
import type { Binding, ClusterState, IndexState, Mount, NamedRole } from './state.ts';

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

  if (isShardWide(cluster)) {
    for (const target of shardWideTargets(cluster)) recount(index, target, bindings.values(), [before], [after]);
    for (const other of cluster.shard.byRole.get(name) ?? []) {
      if (other === cluster) continue;
      const { facts, bindings: ofOther } = named(other, name);
      if (ofOther.size === 0) continue;
      for (const target of localTargets(other, before, after)) {
        recount(index, target, ofOther.values(), [facts, before], [facts, after]);
      }
    }
  } else {
    const shardWide = named(shardWideOf(cluster), name);
    for (const target of localTargets(cluster, before, after)) {
      recount(index, target, bindings.values(), [shardWide.facts, before], [shardWide.facts, after]);
      recount(index, target, shardWide.bindings.values(), [before], [after]);
    }
  }
}

export function setBinding(index: IndexState, cluster: ClusterState, name: string, given: BindingFacts | undefined): void {
  const before = cluster.bindings.get(name);
  const after = given && {
    role: given.role,
    subjects: [...new Set(given.subjects)].sort().map(subject => index.subjects.use(subject)),
  };
  if (before && before.role === after?.role) {
    const [held, wanted] = [new Set(before.subjects), new Set(after.subjects)];
    grant(
      index,
      cluster,
      before.role,
      before.subjects.filter(subject => !wanted.has(subject)),
      -1,
    );
    grant(
      index,
      cluster,
      after.role,
      after.subjects.filter(subject => !held.has(subject)),
      1,
    );
  } else {
    if (before) grant(index, cluster, before.role, before.subjects, -1);
    if (after) grant(index, cluster, after.role, after.subjects, 1);
  }
  if (before && before.role !== after?.role) keepBinding(cluster, name, before.role, undefined);
  if (after) keepBinding(cluster, name, after.role, after);
  cluster.bindings = after ? cluster.bindings.with(name, after) : cluster.bindings.without(name);
  for (const subject of before?.subjects ?? []) index.subjects.release(subject);
}

/** Counts what a mount that has just become known has from the bindings that there are. */
export function countMount(index: IndexState, cluster: ClusterState, mount: Mount): void {
  const permission: Permission = { mount: mount.entry.name };
  const local: Target = { counter: mount.local, permission };
  const shardWide: Target = { counter: mount.shardWide, permission };
  const ofShard = shardWideOf(cluster);
  for (const binding of ofShard?.bindings.values() ?? []) {
    recount(index, shardWide, [binding], [], [named(ofShard, binding.role).facts]);
    if (ofShard !== cluster) recount(index, local, [binding], [], [named(cluster, binding.role).facts]);
  }
  if (ofShard === cluster) return;
  for (const binding of cluster.bindings.values()) {
    recount(index, local, [binding], [], [named(cluster, binding.role).facts, named(ofShard, binding.role).facts]);
  }
}

/** Counts subjects of a binding of `cluster` in or out, wherever it gives something. */
function grant(index: IndexState, cluster: ClusterState, role: string, subjects: readonly Subject[], change: 1 | -1): void {
  if (subjects.length === 0) return;
  const { facts } = named(cluster, role);
  if (isShardWide(cluster)) {
    for (const target of shardWideTargets(cluster)) count(index, target, subjects, [facts], change);
    for (const other of cluster.shard.byRole.get(role) ?? []) {
      const local = other === cluster ? undefined : named(other, role).facts;
      if (local) for (const target of localTargets(other, local)) count(index, target, subjects, [local], change);
    }
  } else {
    const shardWide = named(shardWideOf(cluster), role).facts;
    for (const target of localTargets(cluster, facts, shardWide)) count(index, target, subjects, [facts, shardWide], change);
  }
}

type Roles = readonly (RoleFacts | undefined)[];

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

/** All that these roles can give something in. */
function* localTargets(cluster: ClusterState, ...roles: Roles): Generator<Target> {
  yield { counter: cluster.access, permission: 'access' };
  for (const mount of mountsOf(cluster, roles)) yield { counter: mount.local, permission: { mount: mount.entry.name } };
}

function mountsOf(cluster: ClusterState, roles: Roles): Iterable<Mount> {
  const names = new Set<string>();
  if (cluster.mounts.size === 0) return [];
  for (const role of roles) {
    if (role?.getWorkspaces === '*') return cluster.mounts.values();
    for (const name of role?.getWorkspaces ?? []) names.add(name);
  }
  return [...names].map(name => cluster.mounts.get(name)).filter(mount => mount !== undefined);
}

function* shardWideTargets({ shard }: ClusterState): Generator<Target> {
  yield { counter: shard.access, permission: 'access' };
  for (const mount of shard.mounts) yield { counter: mount.shardWide, permission: { mount: mount.entry.name } };
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
