import { internalError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { transform, type View } from '@kcp-vw/shared/view/view.ts';
import type { KnownSyncTarget } from '../knowledge/knowledge.ts';
import { asSeen, asShown } from '../transform/as-seen.ts';
import { SYNCER } from './api-flavour.ts';
import { syncerWritePlan } from './syncer-write.ts';
import type { TargetScope } from './target-scope.ts';
import { traceOf } from './target-trace.ts';
import { type RoutedCall, type TargetViewDependencies, targetView } from './target-view.ts';

export interface SyncerViewDependencies extends TargetViewDependencies {
  /** Told of each object that is left out of a list or watch because of what is written on it for this target. */
  readonly onBroken: (target: KnownSyncTarget, object: KubeObject, reason: string) => void;
}

/**
 * What is assigned to a SyncTarget, as its syncer sees it: the spec of its share, the status that it has written itself, and a deletion when
 * it is to let go. It may write its status, what rules besides give it, and its finalizer.
 */
export const syncerView = (dependencies: SyncerViewDependencies): View<TargetScope> =>
  targetView(SYNCER, dependencies, routed => {
    const { call, target, plan, route, reach, refusal } = routed;
    const { apiGroup: group, resource, name } = call.request;
    return transform({
      ...plan,
      of: route.of,
      reads: 'object',
      object: object => seenOf(object, routed, dependencies),
      deleted: object => (reach.has(object) ? lastSeenOf(object, target) : traceOf(object)),
      write(write) {
        const refused = refusal();
        if (refused) return { refusal: refused };
        return syncerWritePlan(write, { of: { group, resource }, name, key: target.key });
      },
    });
  });

/** One object that is broken is nobody's reason to see no other. */
function seenOf(
  object: KubeObject,
  { call, target, reach }: RoutedCall,
  { onBroken }: SyncerViewDependencies,
): KubeObject | undefined {
  const seen = reach.has(object) ? asSeen(object, target.key) : { hidden: true };
  if ('seen' in seen) return seen.seen;
  if ('hidden' in seen) return undefined;
  const { verb, resource, name } = call.request;
  if (verb !== 'list' && verb !== 'watch') throw internalError(`${resource} "${name}" cannot be shown: ${seen.broken}`);
  onBroken(target, object, seen.broken);
  return undefined;
}

/** Also of one that was broken, or not assigned any more when it was deleted: the syncer has what it has seen before. */
function lastSeenOf(object: KubeObject, { key }: KnownSyncTarget): KubeObject {
  const shown = asShown(object, key);
  return 'seen' in shown ? shown.seen : traceOf(object);
}
