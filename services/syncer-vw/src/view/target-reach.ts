import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type Consumers, type KnownSyncTarget, reaches } from '../knowledge/knowledge.ts';
import { ALL_CLUSTERS } from './target-scope.ts';

/** Which objects of one answer are of a logical cluster that the target reaches. */
export interface Reach {
  has(object: KubeObject): boolean;
  /** Whether what was kept from the caller would be shown to him now. */
  hasGrown(): boolean;
}

/** Logical clusters that are remembered to have been kept from a target. Objects can be labelled by whoever has them. */
const MAX_WITHHELD = 1_000;

/** Of one target and resource, the logical clusters whose objects were left out of lists and watches. */
export type Withheld = Set<string>;

/**
 * Of all logical clusters, or of the one that is asked for. A view may hear later of a binding than whoever schedules: what a list or watch
 * has left out for that would be missing for as long as it does not change, for all watches that go on from there.
 */
export function reachOf(
  cluster: string,
  { identity }: KnownSyncTarget,
  consumers: Pick<Consumers, 'binds'>,
  withheld: Withheld,
): Reach {
  const reached = (one: string): boolean => reaches(consumers, identity, one);
  const shownFromTheStart = new Set([...withheld].filter(reached));
  return {
    has(object) {
      const own = cluster === ALL_CLUSTERS ? clusterOf(object) : cluster;
      if (reached(own)) return true;
      if (withheld.size >= MAX_WITHHELD) for (const one of [...withheld].filter(reached)) withheld.delete(one);
      if (withheld.size < MAX_WITHHELD) withheld.add(own);
      shownFromTheStart.delete(own);
      return false;
    },
    hasGrown: () => [...withheld].some(one => !shownFromTheStart.has(one) && reached(one)),
  };
}
