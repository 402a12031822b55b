import { isDeepStrictEqual } from 'node:util';
import { type LogicalClusterFacts, SHARD_WIDE_CLUSTER, type WorkspaceObject } from './facts.ts';
import { setBinding, setRole } from './grants.ts';
import { keyOf } from './postings.ts';
import { type ClusterState, type Copy, Entry, type IndexState, type ShardState } from './state.ts';
import { isMount, readObject } from './workspace-object.ts';

export function setLogicalCluster(index: IndexState, cluster: ClusterState, given: LogicalClusterFacts | undefined): void {
  const before = cluster.facts;
  // Of its path the index knows nothing.
  const { path: _, ...facts } = given ?? { phase: '' };
  const after = given && facts;
  if (isDeepStrictEqual(before, after)) return;
  cluster.facts = after;
  const place = index.place(cluster.name);
  if (before && !after) place.states = place.states.filter(state => state !== cluster);
  if (!before && after) place.states = [...place.states, cluster].sort(byShard);
}

export function setWorkspace(index: IndexState, cluster: ClusterState, name: string, given: WorkspaceObject | undefined): void {
  const key = keyOf(cluster.name, name);
  const entry =
    index.touched.entries.get(key) ??
    index.workspaces.get(key) ??
    // Of a batch that could not be ended.
    cluster.workspaces.get(name) ??
    (given && new Entry(index.place(cluster.name), name));
  if (!entry) return;
  const before = entry.copies.find(({ state }) => state === cluster);
  if (before ? given && isSame(before, given) : !given) return;

  const others = entry.copies.filter(copy => copy !== before);
  const after: Copy | undefined = given && { ...readObject(given), state: cluster };
  entry.copies = after ? [...others, after].sort((a, b) => byShard(a.state, b.state)) : others;
  cluster.workspaces = after ? cluster.workspaces.with(name, entry) : cluster.workspaces.without(name);
  index.touched.entries.set(key, entry);
  if ((before && isMount(before.object)) || (after && isMount(after.object))) index.touched.mounts.push([cluster, entry]);
}

/** Takes out all that a shard has given. What counts everywhere goes last: it then has nothing left to count for. */
export function takeOut(index: IndexState, shard: ShardState): void {
  const isShardWide = ({ name }: ClusterState): boolean => name === SHARD_WIDE_CLUSTER;
  for (const { name } of [...shard.clusters.values()].sort((a, b) => Number(isShardWide(a)) - Number(isShardWide(b)))) {
    const cluster = index.cluster(shard.name, name);
    setLogicalCluster(index, cluster, undefined);
    for (const workspace of [...cluster.workspaces.keys()]) setWorkspace(index, cluster, workspace, undefined);
    for (const binding of [...cluster.bindings.keys()]) setBinding(index, cluster, binding, undefined);
    for (const role of [...cluster.roles.keys()]) setRole(index, cluster, role, undefined);
  }
}

/** An object without a version may be another each time. */
const isSame = ({ uid, upstreamVersion }: Copy, { metadata }: WorkspaceObject): boolean =>
  upstreamVersion !== '' && upstreamVersion === metadata?.resourceVersion && uid === (metadata.uid ?? '');

const byShard = (a: ClusterState, b: ClusterState): number => (a.shard.name < b.shard.name ? -1 : 1);
