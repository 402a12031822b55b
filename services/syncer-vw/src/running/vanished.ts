import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { intentKeys } from '../controllers/intent-keys.ts';
import { type MergePatch, patchOf } from '../controllers/merge-patch.ts';
import type { SyncTargets } from '../knowledge/knowledge.ts';
import { SYNCER_FINALIZER, type SyncTargetKey } from '../transform/names.ts';

/** When to look again where namespaces or targets are not all known. */
export const UNKNOWN_MS = 5_000;

type KnownTargets = Pick<SyncTargets, 'byKey' | 'complete'>;

/** Whether a key has to be taken for that of a SyncTarget: as long as not all are known, every key. */
export const mayBeTarget =
  (targets: KnownTargets) =>
  (key: SyncTargetKey): boolean =>
    targets.byKey(key) !== undefined || !targets.complete();

/** The keys of the syncers whose finalizers an object has. */
const syncersOf = ({ metadata }: KubeObject): readonly SyncTargetKey[] =>
  (metadata?.finalizers ?? []).filter(one => one.startsWith(SYNCER_FINALIZER)).map(one => one.slice(SYNCER_FINALIZER.length));

/** Whether something on the object is of a target that is not known. */
export const isOfUnknown = (object: KubeObject, targets: KnownTargets): boolean =>
  [...intentKeys(object), ...syncersOf(object)].some(key => targets.byKey(key) === undefined);

/** Takes the finalizers away that nobody is left to take away; undefined if there are none. */
export function vanishedFinalizersPatch(object: KubeObject, targets: KnownTargets): MergePatch | undefined {
  const isTarget = mayBeTarget(targets);
  if (syncersOf(object).every(isTarget)) return undefined;
  const finalizers = (object.metadata?.finalizers ?? []).filter(
    one => !one.startsWith(SYNCER_FINALIZER) || isTarget(one.slice(SYNCER_FINALIZER.length)),
  );
  return patchOf(object, { finalizers });
}
