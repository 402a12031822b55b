import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type Consumers, type KnownSyncTarget, reaches } from '../knowledge/knowledge.ts';
import { ALL_CLUSTERS } from './target-scope.ts';

/** Which objects of one answer are of a logical cluster that the target reaches. */
export interface Reach {
  has(object: KubeObject): boolean;
  /** Whether what was kept from the caller would be shown to him now, or what he was shown would not. */
  hasChanged(): boolean;
}

/** Logical clusters that are remembered of a target and a resource. Objects can be labelled by whoever has them. */
const MOST_REMEMBERED = 1_000;

/** Of one target and resource, the logical clusters whose objects were left out of lists and watches, and those whose objects were not. */
export interface Remembered {
  readonly withheld: Set<string>;
  readonly shown: Set<string>;
}

/**
 * Of all logical clusters, or of the one that is asked for. A view may hear later of a binding than whoever schedules: what a list or watch
 * has left out for that would be missing for as long as it does not change, for all watches that go on from there. And what is of a logical
 * cluster that has shut its door would seem to be there.
 */
export function reachOf(
  cluster: string,
  { identity }: KnownSyncTarget,
  consumers: Pick<Consumers, 'letsIn'>,
  { withheld, shown }: Remembered,
): Reach {
  const reached = (one: string): boolean => reaches(consumers, identity, one);
  const others = (one: string): boolean => !reached(one);
  const shownFromTheStart = new Set([...withheld].filter(reached));
  const goneBefore = new Set([...shown].filter(others));
  return {
    has(object) {
      const own = cluster === ALL_CLUSTERS ? clusterOf(object) : cluster;
      if (reached(own)) {
        remember(shown, own, others);
        goneBefore.delete(own);
        return true;
      }
      remember(withheld, own, reached);
      shownFromTheStart.delete(own);
      return false;
    },
    hasChanged: () =>
      [...withheld].some(one => !shownFromTheStart.has(one) && reached(one)) ||
      [...shown].some(one => !goneBefore.has(one) && others(one)),
  };
}

/** Where there are too many, those go that say nothing any more. */
function remember(all: Set<string>, one: string, isOver: (other: string) => boolean): void {
  if (all.has(one)) return;
  if (all.size >= MOST_REMEMBERED) for (const other of [...all].filter(isOver)) all.delete(other);
  if (all.size < MOST_REMEMBERED) all.add(one);
}
