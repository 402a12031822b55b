import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { createWorkQueue, type WorkOutcome } from '@kcp-vw/shared/informer/work-queue.ts';
import { heartbeatVerdict } from '../controllers/heartbeat.ts';
import type { MergePatch } from '../controllers/merge-patch.ts';
import { GROUP, RESOURCE, type SyncTarget, VERSION } from '../controllers/sync-target.ts';
import { syncTargetUrlPatches } from '../controllers/sync-target-urls.ts';
import {
  type Connections,
  type Exports,
  exportUrl,
  type KnownExport,
  type KnownSyncTarget,
  type Shards,
  type SyncTargets,
} from '../knowledge/knowledge.ts';
import type { BrokenObjects } from './broken-objects.ts';
import type { ErrorLog } from './error-log.ts';
import { knownResourcesPatch } from './known-resources.ts';
import { objectsShownPatch } from './objects-shown.ts';
import { type Exchange, objectPath, sendPatch } from './patch.ts';
import type { Controller } from './scheduler.ts';

export interface SyncTargetControllerOptions {
  readonly targets: SyncTargets;
  readonly shards: Shards;
  readonly exports: Exports;
  readonly broken: Pick<BrokenObjects, 'of' | 'isComplete' | 'onChange'>;
  readonly connections: Pick<Connections, 'at'>;
  /** The export of SyncTargets. */
  readonly workload: Pick<KnownExport, 'cluster' | 'name'>;
  readonly errors: ErrorLog;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly clock?: Clock;
}

/** A part of what a SyncTarget is told, decided over the object as the part before has left it. */
type Decider = (target: SyncTarget) => { readonly patch?: MergePatch | undefined; readonly recheckAfterMs?: number };

const SYNC_TARGETS = { group: GROUP, version: VERSION, resource: RESOURCE };
/** When to look again whether a condition that nobody knows the reason of may go. */
const INCOMPLETE_MS = 10_000;

/** Tells SyncTargets their key, URLs and resources, whether their syncers are alive, and what cannot be shown to them. */
export function startSyncTargetController(options: SyncTargetControllerOptions): Controller {
  const { targets, shards, exports, broken, errors, now, clock = systemClock } = options;

  const deciders: readonly Decider[] = [
    target => (shards.missing() === undefined ? { patch: syncTargetUrlPatches(target, shards.list()).metadata } : {}),
    target => (shards.missing() === undefined ? { patch: syncTargetUrlPatches(target, shards.list()).status } : {}),
    target => (exports.missing() === undefined ? { patch: knownResourcesPatch(target, exports) } : {}),
    target => heartbeatVerdict(target, now()),
    target => shown(target),
  ];
  const shown = (target: SyncTarget): ReturnType<Decider> => {
    const key = targets.get(target.metadata?.annotations?.['kcp.io/cluster'] ?? '', target.metadata?.name ?? '')?.key;
    const found = key === undefined ? undefined : broken.of(key);
    const patch = objectsShownPatch(target, found, now());
    // What the leader before has found stays until all has been looked at.
    if (patch && found === undefined && !broken.isComplete()) return { recheckAfterMs: INCOMPLETE_MS };
    return { patch };
  };

  const queue = createWorkQueue({
    clock,
    onError: (key, err, attempt) => errors({ err, attempt, syncTarget: key }, 'the SyncTarget is not up to date; trying again'),
    async work(key, signal) {
      const [cluster = '', name = ''] = key.split('/');
      const target = targets.get(cluster, name);
      if (target === undefined || target.object.metadata?.deletionTimestamp) return undefined;
      return update(target, deciders, { upstream: upstreamOf(target, options), signal });
    },
  });

  const add = ({ identity }: KnownSyncTarget): void => queue.add(`${identity.cluster}/${identity.name}`);
  const addAll = (): void => {
    for (const target of targets.list()) add(target);
  };
  const stops = [
    targets.onChange(({ type, target }) => {
      if (type !== 'DELETED') add(target);
    }),
    shards.onChange(addAll),
    exports.onChange(addAll),
    broken.onChange(key => {
      const target = targets.byKey(key);
      if (target) add(target);
    }),
  ];
  addAll();
  return {
    stats: () => queue.stats(),
    isIdle: () => queue.isIdle(),
    stop() {
      for (const stop of stops) stop();
      return queue.stop();
    },
  };
}

/** On the shard that has it. */
const upstreamOf = ({ base }: KnownSyncTarget, { connections, workload }: SyncTargetControllerOptions) =>
  connections.at(exportUrl(base, workload), 'control');

/** One part after the other, so that none is made of what the other has changed. What fails of one does not hold up the others. */
async function update(
  { identity, object }: KnownSyncTarget,
  deciders: readonly Decider[],
  exchange: Exchange,
): Promise<WorkOutcome | undefined> {
  const path = objectPath(SYNC_TARGETS, { cluster: identity.cluster, name: identity.name });
  const failures: unknown[] = [];
  const waits: number[] = [];
  let current = object;
  for (const decide of deciders) {
    try {
      const { patch, recheckAfterMs } = decide(current);
      if (recheckAfterMs !== undefined) waits.push(recheckAfterMs);
      if (patch === undefined) continue;
      const outcome = await sendPatch(exchange, path, patch);
      if (outcome === 'changed' || outcome === 'gone') return { again: true };
      current = outcome.stored as SyncTarget;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, failures.join('; '));
  return waits.length > 0 ? { recheckAfterMs: Math.min(...waits) } : undefined;
}
