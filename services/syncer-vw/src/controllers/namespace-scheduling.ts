import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { deletionAnnotation, SYNC, type SyncTargetKey, stateLabel } from '../transform/names.ts';
import { intentKeys } from './intent-keys.ts';
import { type MergePatch, patchOf } from './merge-patch.ts';
import type { PlacedNamespace } from './placement.ts';
import { formatTimestamp, parseTimestamp } from './timestamps.ts';

/** How long a namespace keeps the label of a target that it leaves, so that its objects hear of the deletion first. */
export const REMOVAL_GRACE_MS = 5_000;

/** Namespaces of Kubernetes and of kcp itself: nothing of them is ever synced. */
const NEVER_SYNCED = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'kcp-system']);

export const isNeverSynced = (namespace: string): boolean => NEVER_SYNCED.has(namespace);

export interface SchedulingDecision {
  /** Absent if there is nothing to change now. */
  readonly patch?: MergePatch;
  /** When to decide again although nothing has changed since. */
  readonly recheckAfterMs?: number;
}

/** A namespace as a placement looks at it: a target that it is leaving is one that it is not on. */
export function placedNamespace(namespace: KubeObject): PlacedNamespace {
  const current = intentKeys(namespace).filter(key => removalOf(namespace, key) === undefined);
  return { cluster: clusterOf(namespace), name: namespace.metadata?.name ?? '', current };
}

/**
 * Brings a namespace to the targets with these keys at `now` (milliseconds since the epoch). A target that it leaves is marked
 * with the time, and loses its label when the grace is over; it comes back as it would come for the first time.
 */
export function namespaceSchedulingPatch(
  namespace: KubeObject,
  wanted: readonly SyncTargetKey[],
  now: number,
): SchedulingDecision {
  const { name = '', deletionTimestamp } = namespace.metadata ?? {};
  // A namespace that goes brings its objects with it, one by one.
  if (isNeverSynced(name) || deletionTimestamp) return {};
  const labels: Record<string, string | null> = {};
  const annotations: Record<string, string | null> = {};
  const waits: number[] = [];
  const present = intentKeys(namespace);
  for (const key of present) {
    const removal = removalOf(namespace, key);
    if (removal === undefined) {
      if (wanted.includes(key)) continue;
      annotations[deletionAnnotation(key)] = formatTimestamp(now);
    } else if (now - removal >= REMOVAL_GRACE_MS) {
      labels[stateLabel(key)] = null;
      annotations[deletionAnnotation(key)] = null;
    } else {
      waits.push(Math.min(REMOVAL_GRACE_MS, removal + REMOVAL_GRACE_MS - now));
    }
  }
  for (const key of wanted) if (!present.includes(key)) labels[stateLabel(key)] = SYNC;
  const patch = patchOf(namespace, { labels, annotations });
  return { ...(patch && { patch }), ...(waits.length > 0 && { recheckAfterMs: Math.min(...waits) }) };
}

/** Since when it leaves a target. What is no timestamp is long ago: the removal has to end some time. */
function removalOf({ metadata }: KubeObject, key: SyncTargetKey): number | undefined {
  const text = metadata?.annotations?.[deletionAnnotation(key)];
  return text === undefined ? undefined : (parseTimestamp(text) ?? Number.NEGATIVE_INFINITY);
}
