import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { forward, transform, type View } from '@kcp-vw/shared/view/view.ts';
import type { ViewWrite, ViewWritePlan } from '@kcp-vw/shared/view/view-write.ts';
import { isUpsynced, upsyncCreate, upsyncUpdate } from '../transform/upsync-write.ts';
import { UPSYNCER } from './api-flavour.ts';
import type { TargetScope } from './target-scope.ts';
import { traceOf } from './target-trace.ts';
import { type RoutedCall, type TargetViewDependencies, targetView } from './target-view.ts';

/** What a SyncTarget's syncer has brought up from its cluster, and owns: it makes it, changes all of it and deletes it. Nobody else's. */
export const upsyncerView = (dependencies: TargetViewDependencies): View<TargetScope> =>
  targetView(UPSYNCER, dependencies, routed => {
    const { call, target, plan, route, reach } = routed;
    const isOwn = (object: KubeObject): boolean => isUpsynced(object, target.key) && reach.has(object);
    // The shard is asked for the object that was looked at, by its uid and version.
    if (call.request.verb === 'delete') return forward({ ...plan, guard: { visible: isOwn } });
    return transform({
      ...plan,
      of: route.of,
      reads: 'object',
      object: object => (isOwn(object) ? object : undefined),
      deleted: object => (reach.has(object) ? object : traceOf(object)),
      write: write => upsyncWritePlan(write, routed),
    });
  });

function upsyncWritePlan(
  { verb, subresource, stored, submitted }: ViewWrite,
  { call, target, refusal }: RoutedCall,
): ViewWritePlan {
  const refused = refusal();
  if (refused) return { refusal: refused };
  const { apiGroup: group, resource } = call.request;
  const name = call.request.name || (submitted.metadata?.name ?? '');
  const write = { of: { group, resource }, name, key: target.key, submitted };
  const upsynced = verb === 'create' ? upsyncCreate(write) : upsyncUpdate({ ...write, stored });
  if ('refusal' in upsynced) return upsynced;
  const step = { subresource: subresource === 'status' ? 'status' : '', object: () => upsynced.object } as const;
  return { steps: [step], answer: final => final };
}
