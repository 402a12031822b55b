import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { kubernetesTime } from './deletion-time.ts';
import {
  deletionAnnotation,
  STATE_LABEL,
  type SyncTargetKey,
  softFinalizersAnnotation,
  stateLabel,
  syncerFinalizer,
} from './names.ts';

/** `timestamp`: since when, as Kubernetes writes it; `unparseable`: what the annotation says instead. */
export type Deletion = { readonly timestamp: string } | { readonly unparseable: string };

/** What an object says of one SyncTarget. */
export interface SyncIntent {
  /** `Sync`, `Upsync`, or the empty text of a pending one; others mean nothing to anybody. */
  readonly state: string;
  /** Present: the object is to leave the target. */
  readonly deletion?: Deletion;
  /** Not empty: the target is not told of the deletion yet. */
  readonly softFinalizers: string;
  /** The target's syncer has taken it. */
  readonly hasFinalizer: boolean;
}

/** What an object says of one target; undefined: it is not for that one. */
export function syncIntent(object: KubeObject, key: SyncTargetKey): SyncIntent | undefined {
  const { labels, annotations, finalizers } = object.metadata ?? {};
  const state = labels?.[stateLabel(key)];
  if (state === undefined) return undefined;
  const deletion = annotations?.[deletionAnnotation(key)];
  return {
    state,
    ...(deletion !== undefined && { deletion: deletionIn(deletion) }),
    softFinalizers: annotations?.[softFinalizersAnnotation(key)] ?? '',
    hasFinalizer: (finalizers ?? []).includes(syncerFinalizer(key)),
  };
}

function deletionIn(text: string): Deletion {
  const timestamp = kubernetesTime(text);
  return timestamp === undefined ? { unparseable: text } : { timestamp };
}

/** Of every target that an object has a state label for, pending ones included, by key, sorted. */
export function syncIntents(object: KubeObject): ReadonlyMap<SyncTargetKey, SyncIntent> {
  const keys = Object.keys(object.metadata?.labels ?? {})
    .filter(name => name.startsWith(STATE_LABEL))
    .map(name => name.slice(STATE_LABEL.length))
    .sort();
  const intents = new Map<SyncTargetKey, SyncIntent>();
  for (const key of keys) {
    const intent = syncIntent(object, key);
    if (intent) intents.set(key, intent);
  }
  return intents;
}
