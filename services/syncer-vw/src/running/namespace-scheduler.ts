import type { WorkOutcome } from '@kcp-vw/shared/informer/work-queue.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { isNeverSynced, namespaceSchedulingPatch, placedNamespace } from '../controllers/namespace-scheduling.ts';
import { type Placement, type PlacementDecision, placementOf } from '../controllers/placement.ts';
import type { SyncTarget } from '../controllers/sync-target.ts';
import { type Consumers, type KnownSyncTarget, reaches, type SyncTargets } from '../knowledge/knowledge.ts';
import type { SyncTargetKey } from '../transform/names.ts';
import { type FedObject, pathOf } from './object-feeds.ts';
import { sendPatch } from './patch.ts';
import { placementFrom } from './placement-annotations.ts';
import { isOfUnknown, mayBeTarget, UNKNOWN_MS, vanishedFinalizersPatch } from './vanished.ts';

export interface NamespaceSchedulerOptions {
  readonly targets: Pick<SyncTargets, 'list' | 'byKey' | 'complete'>;
  readonly consumers: Pick<Consumers, 'letsIn' | 'missingOf'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told why a namespace stays where it is, each time that it is looked at. */
  readonly onProblem: (namespace: KubeObject, problem: string) => void;
}

/** Brings a namespace to the targets that it is to be on: of those that have to do with its logical cluster, and no others. */
export async function scheduleNamespace(
  fed: FedObject,
  options: NamespaceSchedulerOptions,
  signal: AbortSignal,
): Promise<WorkOutcome | undefined> {
  const { feed, object } = fed;
  const { targets, now } = options;
  if (isNeverSynced(object.metadata?.name ?? '')) return undefined;
  const placed = placement(object, options);
  const scheduled = namespaceSchedulingPatch(object, placed.keys, now());
  const patch = scheduled.patch ?? vanishedFinalizersPatch(object, targets);
  if (patch) {
    const outcome = await sendPatch({ upstream: feed.upstream, signal }, pathOf(fed), patch);
    if (outcome === 'changed' || outcome === 'gone') return { again: true };
  }
  const unknown = isOfUnknown(object, targets) && !targets.complete() ? UNKNOWN_MS : undefined;
  const waits = [placed.recheckAfterMs, scheduled.recheckAfterMs, unknown].filter(wait => wait !== undefined);
  return waits.length > 0 ? { recheckAfterMs: Math.min(...waits) } : undefined;
}

function placement(namespace: KubeObject, options: NamespaceSchedulerOptions): PlacementDecision {
  const { targets, consumers, now, onProblem } = options;
  const cluster = clusterOf(namespace);
  const placed = placedNamespace(namespace);
  // Who has been let in stays as long as nobody knows that he is not any more.
  const mayStay = ({ identity, key }: KnownSyncTarget): boolean =>
    placed.current.includes(key) && consumers.missingOf(identity.cluster) !== undefined;
  const eligible = targets.list().filter(target => reaches(consumers, target.identity, cluster) || mayStay(target));
  const candidates = new Map<SyncTargetKey, SyncTarget>(eligible.map(({ key, object }) => [key, object]));
  const wanted = placementFrom(namespace);
  if ('problem' in wanted) {
    onProblem(namespace, wanted.problem);
    // It stays where it may stay, and goes nowhere else: nobody knows where its owner wants it.
    const current = new Map([...candidates].filter(([key]) => placed.current.includes(key)));
    return withUnknown({ selector: [], spread: placed.current.length }, current);
  }
  return withUnknown(wanted, candidates);

  /** A target on a shard that is not heard of now may be as well as ever: to leave it would end what runs there. */
  function withUnknown(placement: Placement, from: ReadonlyMap<SyncTargetKey, SyncTarget>): PlacementDecision {
    const isUnknown = (key: SyncTargetKey): boolean => targets.byKey(key) === undefined && mayBeTarget(targets)(key);
    const unknown = placed.current.filter(isUnknown).slice(0, placement.spread);
    if (unknown.length === 0) return placementOf(placed, placement, from, now());
    const decision = placementOf(placed, { ...placement, spread: placement.spread - unknown.length }, from, now());
    return { ...decision, keys: [...decision.keys, ...unknown].sort() };
  }
}
