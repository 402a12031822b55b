import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { BrokenObject } from './broken-object.ts';
import { fieldOf } from './field-path.ts';
import { SYNC, type SyncTargetKey, VIEW_DIFF_ANNOTATION } from './names.ts';
import type { SummarizingRule } from './summarizing-rules.ts';
import type { SyncIntent } from './sync-intents.ts';
import { ownValues, PROMOTED, type ViewDiff, viewDiff } from './view-diff.ts';

type ViewDiffs = ReadonlyMap<SyncTargetKey, ViewDiff>;

/**
 * As soon as there are several targets, the upstream field is no single one's: the view-diffs of those whose values it has held, with the
 * values in them. Only what changes. The field itself stays as it is, for whoever makes one value of many. A view-diff that is broken has no
 * mark to take off, and is its own target's affair.
 */
export function unpromoted(
  object: KubeObject,
  intents: ReadonlyMap<SyncTargetKey, SyncIntent>,
  rules: readonly SummarizingRule[],
): ViewDiffs {
  const changed = new Map<SyncTargetKey, ViewDiff>();
  for (const key of intents.keys()) {
    const values = unlessBroken(() => ownValues(object, key, rules));
    if (!values || ![...values.values()].includes(PROMOTED)) continue;
    changed.set(key, withUpstreamValues(object, values, rules));
  }
  return changed;
}

/** A value that is no longer there is none: the mark alone would show the value of whoever sets the field next. */
function withUpstreamValues(object: KubeObject, values: ViewDiff, rules: readonly SummarizingRule[]): ViewDiff {
  const whole = (path: string, value: unknown): unknown => {
    const rule = value === PROMOTED ? rules.find(one => one.path === path) : undefined;
    return rule ? fieldOf(object, rule.fields) : value;
  };
  return new Map(
    [...values].map(([path, value]) => [path, whole(path, value)] as const).filter(([, value]) => value !== undefined),
  );
}

/** What makes a target's values those of the upstream object. */
export interface Promotion {
  readonly fields: readonly { readonly rule: SummarizingRule; readonly value: unknown }[];
  /** The target's view-diff, with the marks. */
  readonly marked: ViewDiffs;
  /** See `withoutMarksOfOthers`. */
  readonly others: ViewDiffs;
}

const NO_PROMOTION: Promotion = { fields: [], marked: new Map(), others: new Map() };

/**
 * What is promoted when the target `leaving` is gone: the values of the one that remains, if it is only one, and holds the object. Its
 * view-diff may be broken: that is its own affair, and keeps nobody from leaving.
 */
export function promotionOfTheLast(
  object: KubeObject,
  leaving: SyncTargetKey,
  intents: ReadonlyMap<SyncTargetKey, SyncIntent>,
  rules: readonly SummarizingRule[],
): Promotion {
  const [remaining, ...others] = [...intents].filter(([key]) => key !== leaving);
  if (remaining === undefined || others.length > 0) return NO_PROMOTION;
  const [key, { state, hasFinalizer }] = remaining;
  const values = state === SYNC && hasFinalizer ? unlessBroken(() => ownValues(object, key, rules)) : undefined;
  if (!values) return NO_PROMOTION;
  const fields = rules
    .filter(({ path, promotes }) => promotes && values.has(path) && values.get(path) !== PROMOTED)
    .map(rule => ({ rule, value: values.get(rule.path) }));
  if (fields.length === 0) return NO_PROMOTION;
  const marked = new Map([...values, ...fields.map(({ rule }) => [rule.path, PROMOTED] as const)]);
  return { fields, marked: new Map([[key, marked]]), others: withoutMarksOfOthers(object, key, intents, rules) };
}

/**
 * The view-diffs, changed, of others that claim fields which are to hold this target's values: those of targets that still have the object get
 * the values they have now; of those that were taken off it without their syncers there is nothing to keep.
 */
export function withoutMarksOfOthers(
  object: KubeObject,
  key: SyncTargetKey,
  intents: ReadonlyMap<SyncTargetKey, SyncIntent>,
  rules: readonly SummarizingRule[],
): ViewDiffs {
  const changed = new Map<SyncTargetKey, ViewDiff>();
  for (const name of Object.keys(object.metadata?.annotations ?? {})) {
    const other = name.startsWith(VIEW_DIFF_ANNOTATION) ? name.slice(VIEW_DIFF_ANNOTATION.length) : key;
    const values = other === key ? undefined : unlessBroken(() => viewDiff(object, other));
    if (!values || ![...values.values()].includes(PROMOTED)) continue;
    const kept = intents.has(other) ? withUpstreamValues(object, ownValues(object, other, rules), rules) : values;
    changed.set(other, new Map([...kept].filter(([, value]) => value !== PROMOTED)));
  }
  return changed;
}

function unlessBroken<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof BrokenObject) return undefined;
    throw error;
  }
}
