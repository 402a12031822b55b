import { isFields } from '@kcp-vw/shared/kube/merge-patch.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { annotationJson } from './annotation-json.ts';
import { BrokenObject } from './broken-object.ts';
import { type SyncTargetKey, syncerFinalizer, viewDiffAnnotation } from './names.ts';
import type { SummarizingRule } from './summarizing-rules.ts';

/** In the place of a value: it is in the upstream object's own field. */
export const PROMOTED = '##promoted##';

/** The values that a syncer has written, by field path; one may be `PROMOTED`. */
export type ViewDiff = ReadonlyMap<string, unknown>;

/** As it is stored; empty where there is none. Throws a BrokenObject. */
export function viewDiff(object: KubeObject, key: SyncTargetKey): ViewDiff {
  const name = viewDiffAnnotation(key);
  const value = annotationJson(name, object.metadata?.annotations?.[name]) ?? {};
  if (!isFields(value)) throw new BrokenObject(`the annotation ${name} is no map`);
  return new Map(Object.entries(value));
}

/**
 * The values of a syncer, without marks that say nothing: of a target whose syncer does not hold the object (it is of a former assignment,
 * and the field is another's now), or by a rule that no longer promotes.
 */
export function ownValues(object: KubeObject, key: SyncTargetKey, rules: readonly SummarizingRule[]): ViewDiff {
  const stored = viewDiff(object, key);
  if (![...stored.values()].includes(PROMOTED)) return stored;
  const isHeld = (object.metadata?.finalizers ?? []).includes(syncerFinalizer(key));
  const promotes = (path: string): boolean => isHeld && rules.some(rule => rule.path === path && rule.promotes);
  return new Map([...stored].filter(([path, value]) => value !== PROMOTED || promotes(path)));
}

/** As it is stored: the same text for the same values. */
export const encodeViewDiff = (diff: ViewDiff): string => JSON.stringify(sorted(Object.fromEntries(diff)));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(name => [name, sorted(value[name])]),
  );
}
