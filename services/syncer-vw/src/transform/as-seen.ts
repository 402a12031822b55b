import type { KubeObject, ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import { BrokenObject } from './broken-object.ts';
import { fieldOf, withFieldSet, withoutField } from './field-path.ts';
import { deletionAnnotation, SYNC, type SyncTargetKey, stateLabel, syncerFinalizer, VIEW_DIFF_ANNOTATION } from './names.ts';
import { withSpecDiff } from './spec-diff.ts';
import { type SummarizingRule, summarizingRules } from './summarizing-rules.ts';
import { type SyncIntent, syncIntent } from './sync-intents.ts';
import { ownValues, PROMOTED, type ViewDiff } from './view-diff.ts';

/**
 * An upstream object as one syncer sees it. `hidden`: it is not assigned to that target. `broken`: it is, and cannot be shown, for this
 * reason; only what is written for this target can break its view.
 */
export type Seen = { readonly seen: KubeObject } | { readonly hidden: true } | { readonly broken: string };

/** What a target's syncer sees of an upstream object, which it shares with what it shows and does not change. */
export const asSeen = (object: KubeObject, key: SyncTargetKey): Seen =>
  object.metadata?.labels?.[stateLabel(key)] === SYNC ? asShown(object, key) : { hidden: true };

/** As `asSeen`, whether or not the object is assigned: what its syncer is answered that has just let go of it. */
export function asShown(object: KubeObject, key: SyncTargetKey): Seen {
  try {
    return { seen: viewOf(object, key) };
  } catch (error) {
    if (error instanceof BrokenObject) return { broken: error.message };
    throw error;
  }
}

function viewOf(object: KubeObject, key: SyncTargetKey): KubeObject {
  const intent = syncIntent(object, key);
  const rules = summarizingRules(object);
  const values = ownValues(object, key, rules);
  const metadata = metadataOf(object.metadata ?? {}, key, intent);
  return rules.reduce<KubeObject>((view, rule) => ruled(view, rule, values, object), { ...withSpecDiff(object, key), metadata });
}

/** No trace of whether the upstream object itself is going away, nor of what syncers have written. */
function metadataOf(metadata: ObjectMeta, key: SyncTargetKey, intent: SyncIntent | undefined): ObjectMeta {
  const { finalizers = [], deletionTimestamp: _, deletionGracePeriodSeconds: __, annotations = {}, ...rest } = metadata;
  const others = Object.entries(annotations ?? {}).filter(([name]) => !name.startsWith(VIEW_DIFF_ANNOTATION));
  const deletion = toldDeletion(key, intent);
  return {
    ...rest,
    ...(others.length > 0 && { annotations: Object.fromEntries(others) }),
    ...((finalizers ?? []).includes(syncerFinalizer(key)) && { finalizers: [syncerFinalizer(key)] }),
    ...(deletion !== undefined && { deletionTimestamp: deletion }),
  };
}

function toldDeletion(key: SyncTargetKey, intent: SyncIntent | undefined): string | undefined {
  if (intent?.deletion === undefined) return undefined;
  if ('unparseable' in intent.deletion)
    throw new BrokenObject(
      `the annotation ${deletionAnnotation(key)} is no timestamp of RFC 3339: ${JSON.stringify(intent.deletion.unparseable)}`,
    );
  return intent.softFinalizers === '' ? intent.deletion.timestamp : undefined;
}

function ruled(
  view: KubeObject,
  { path, fields, promotes }: SummarizingRule,
  values: ViewDiff,
  upstream: KubeObject,
): KubeObject {
  // What can be promoted is always the syncer's: a value that it has not written is of somebody else, or of a former assignment.
  if (!values.has(path)) return promotes ? withoutField(view, fields) : view;
  const stored = values.get(path);
  const value = stored === PROMOTED ? fieldOf(upstream, fields) : stored;
  return value === undefined ? withoutField(view, fields) : withFieldSet(view, fields, value);
}
