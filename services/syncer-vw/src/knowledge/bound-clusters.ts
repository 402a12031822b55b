/** How many bindings of one export the logical clusters have. */
export interface BoundClusters {
  /** Always the same set; it changes. */
  readonly clusters: ReadonlySet<string>;
  /** Whether the set has changed by it. */
  add(cluster: string, difference: 1 | -1): boolean;
}

/** A logical cluster may bind an export twice: it has bound it until both bindings are gone. */
export function countBound(): BoundClusters {
  const counts = new Map<string, number>();
  const clusters = new Set<string>();
  return {
    clusters,
    add(cluster, difference) {
      const count = (counts.get(cluster) ?? 0) + difference;
      if (count > 0) counts.set(cluster, count);
      else counts.delete(cluster);
      if (count > 0 === clusters.has(cluster)) return false;
      if (count > 0) clusters.add(cluster);
      else clusters.delete(cluster);
      return true;
    },
  };
}
