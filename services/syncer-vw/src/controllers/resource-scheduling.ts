import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import {
  deletionAnnotation,
  SYNC,
  SYNCER_FINALIZER,
  type SyncTargetKey,
  softFinalizersAnnotation,
  specDiffAnnotation,
  stateLabel,
  syncerFinalizer,
  UPSYNC,
  viewDiffAnnotation,
} from '../transform/names.ts';
import { intentKeys, keysAfter } from './intent-keys.ts';
import { type MergePatch, patchOf } from './merge-patch.ts';
import { formatTimestamp } from './timestamps.ts';

/** The targets that an object is to be on. */
export interface Expectation {
  readonly keys: readonly SyncTargetKey[];
  /** The timestamps at which the namespace has begun to leave targets, by key. */
  readonly removals: ReadonlyMap<SyncTargetKey, string>;
}

export interface ResourceSchedulingOptions {
  /** Whether there is a SyncTarget with this key. */
  readonly isTarget: (key: SyncTargetKey) => boolean;
  /** What an object begins as on a target: pending ones wait for somebody to say `Sync`. */
  readonly initialState: typeof SYNC | '';
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What becomes of an object; undefined if it is as it should be. */
export type ResourceDecision = { readonly patch: MergePatch } | { readonly deleteUid: string | undefined };

/** Objects of a namespace go where it is synced to; pending labels and others of its own do not count. */
export function expectationOfNamespace(namespace: KubeObject): Expectation {
  const { labels = {}, annotations = {} } = namespace.metadata ?? {};
  const removing = keysAfter(deletionAnnotation(''), annotations);
  return {
    keys: intentKeys(namespace).filter(key => labels[stateLabel(key)] === SYNC),
    removals: new Map(removing.map(key => [key, annotations[deletionAnnotation(key)] ?? ''])),
  };
}

/** Objects without a namespace go wherever a namespace of their logical cluster is placed. */
export const expectationOfCluster = (placements: readonly (readonly SyncTargetKey[])[]): Expectation => ({
  keys: [...new Set(placements.flat())].sort(),
  removals: new Map(),
});

/**
 * Brings an object to the targets that are expected. One that a target has made (`Upsync`) is left alone, and deleted with its
 * target. Of a target that it leaves, its label goes only when neither the syncer nor a soft finalizer holds it.
 */
export function resourceSchedulingDecision(
  object: KubeObject,
  expected: Expectation,
  options: ResourceSchedulingOptions,
): ResourceDecision | undefined {
  const upsynced = intentKeys(object).filter(key => object.metadata?.labels?.[stateLabel(key)] === UPSYNC);
  if (upsynced.length > 0) {
    return upsynced.every(options.isTarget) ? undefined : { deleteUid: object.metadata?.uid };
  }
  const { deletionTimestamp } = object.metadata ?? {};
  const changes = deletionTimestamp ? [deletionChanges(object, deletionTimestamp)] : placementChanges(object, expected, options);
  const finalizers = remainingFinalizers(object, options.isTarget);
  const patch = patchOf(object, {
    labels: Object.assign({}, ...changes.map(({ labels }) => labels)),
    annotations: Object.assign({}, ...changes.map(({ annotations }) => annotations)),
    ...(finalizers && { finalizers }),
  });
  return patch && { patch };
}

interface Changes {
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
}

/** An object that is deleted leaves all its targets; one that it was leaving already keeps its time. */
function deletionChanges(object: KubeObject, deletionTimestamp: string): Changes {
  const { annotations = {} } = object.metadata ?? {};
  const lacking = intentKeys(object).filter(key => !annotations[deletionAnnotation(key)]);
  return { annotations: Object.fromEntries(lacking.map(key => [deletionAnnotation(key), deletionTimestamp])) };
}

function placementChanges(
  object: KubeObject,
  { keys, removals }: Expectation,
  options: ResourceSchedulingOptions,
): readonly Changes[] {
  const current = intentKeys(object);
  const { annotations = {} } = object.metadata ?? {};
  const leaving = current.filter(key => !keys.includes(key)).map(key => leavingChanges(object, key, options));
  const staying = current
    .filter(key => keys.includes(key))
    .map(key => {
      const name = deletionAnnotation(key);
      const [removal, known] = [removals.get(key), annotations[name]];
      if (removal !== undefined && known === undefined) return { annotations: { [name]: removal } };
      return removal === undefined && known !== undefined ? { annotations: { [name]: null } } : {};
    });
  const coming = keys
    .filter(key => !current.includes(key) && !removals.has(key))
    .map(key => ({ labels: { [stateLabel(key)]: options.initialState } }));
  return [...leaving, ...staying, ...coming];
}

function leavingChanges({ metadata }: KubeObject, key: SyncTargetKey, { isTarget, now }: ResourceSchedulingOptions): Changes {
  const { annotations = {}, finalizers = [] } = metadata ?? {};
  // The finalizer of a syncer whose target is gone goes with this patch.
  const holdsSyncer = finalizers.includes(syncerFinalizer(key)) && isTarget(key);
  if (holdsSyncer || annotations[softFinalizersAnnotation(key)]) {
    const name = deletionAnnotation(key);
    return name in annotations ? {} : { annotations: { [name]: formatTimestamp(now) } };
  }
  // What the target has reported and what it was given go with it: they would be taken for new when it comes back.
  const left = [deletionAnnotation, viewDiffAnnotation, specDiffAnnotation].map(nameFor => nameFor(key));
  return {
    labels: { [stateLabel(key)]: null },
    annotations: Object.fromEntries(left.filter(name => name in annotations).map(name => [name, null])),
  };
}

/** Without those of the syncers of targets that are gone; undefined if all remain. */
function remainingFinalizers({ metadata }: KubeObject, isTarget: (key: SyncTargetKey) => boolean): readonly string[] | undefined {
  const { finalizers = [] } = metadata ?? {};
  const remaining = finalizers.filter(one => !one.startsWith(SYNCER_FINALIZER) || isTarget(one.slice(SYNCER_FINALIZER.length)));
  return remaining.length === finalizers.length ? undefined : remaining;
}
