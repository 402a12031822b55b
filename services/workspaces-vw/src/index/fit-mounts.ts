import { countMounts } from './grants.ts';
import { Mounts } from './mounts.ts';
import type { ClusterState, Entry, IndexState } from './state.ts';
import { isMount } from './workspace-object.ts';

/** Makes a mount known, or forgets it, as its object says. */
export function fitMount(index: IndexState, cluster: ClusterState, entry: Entry): void {
  const copy = entry.copies.find(({ state }) => state === cluster);
  if (copy && isMount(copy.object)) addMount(index, cluster, entry);
  else if (cluster.mounts) removeMount(index, cluster.mounts, entry);
}

function addMount(index: IndexState, cluster: ClusterState, entry: Entry): void {
  const mounts = cluster.mounts ?? new Mounts(cluster);
  if (mounts.open.has(entry.name) || mounts.shut.has(entry.name)) return;
  if (!cluster.mounts) {
    cluster.mounts = mounts;
    countMounts(index, mounts);
  }
  if (mounts.open.size < index.mostMounts) openMount(mounts, entry);
  else {
    mounts.shut = mounts.shut.with(entry.name, entry);
    if (mounts.shut.size === 1) index.onMountShut(cluster.name);
  }
}

function openMount(mounts: Mounts, entry: Entry): void {
  const { shard } = mounts.cluster;
  mounts.open = mounts.open.with(entry.name, entry);
  shard.mounts = shard.mounts.with(entry.key, entry);
}

function removeMount(index: IndexState, mounts: Mounts, { name, key }: Entry): void {
  const { cluster } = mounts;
  mounts.shut = mounts.shut.without(name);
  if (mounts.open.has(name)) {
    mounts.open = mounts.open.without(name);
    cluster.shard.mounts = cluster.shard.mounts.without(key);
    const [next] = mounts.shut.values();
    if (next) {
      mounts.shut = mounts.shut.without(next.name);
      openMount(mounts, next);
      index.touched.entries.set(next.key, next);
    }
  }
  if (mounts.open.size > 0) return;
  cluster.mounts = undefined;
  for (const counter of mounts.counters()) {
    index.touched.counters.delete(counter);
    index.edges -= counter.edges.size;
  }
  for (const subject of mounts.anybody.edges.subjects()) cluster.shard.readable.delete(subject, mounts);
}
