import {
  badRequest,
  conflict,
  forbiddenObject,
  internalError,
  notFound,
  type ResourceRef,
  StatusError,
} from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { isTooDeep } from './annotation-json.ts';
import { asSeen, asShown, type Seen } from './as-seen.ts';
import { BrokenObject } from './broken-object.ts';
import { fieldOf } from './field-path.ts';
import {
  deletionAnnotation,
  type SyncTargetKey,
  specDiffAnnotation,
  stateLabel,
  syncerFinalizer,
  viewDiffAnnotation,
} from './names.ts';
import { promotionOfTheLast, unpromoted, withoutMarksOfOthers } from './promotion.ts';
import { type SummarizingRule, summarizingRules } from './summarizing-rules.ts';
import { type SyncIntent, syncIntents } from './sync-intents.ts';
import { addFinalizer, type Edit, inOrder, removeEntries, removeFinalizer, setField, setViewDiffs } from './upstream-edit.ts';
import { encodeViewDiff, ownValues, PROMOTED, type ViewDiff, viewDiff } from './view-diff.ts';

/** What a syncer asks to store. */
export interface SyncerWrite {
  readonly of: ResourceRef;
  readonly name: string;
  readonly key: SyncTargetKey;
  readonly subresource: '' | 'status';
  /** The upstream object as it is stored, read for this write; undefined: there is none. */
  readonly stored: KubeObject | undefined;
  /** The view as the syncer wants it, with the resourceVersion that it has seen. */
  readonly submitted: KubeObject;
}

/** One PUT upstream. */
export interface Put {
  readonly put: 'main' | 'status';
  /**
   * What is sent, made of the object as it is now: the stored one for the first PUT, the answer of the one before for the next. It takes
   * from there the resourceVersion, by which nobody else has come between, and the managedFields.
   */
  readonly object: (current: KubeObject) => KubeObject;
}

/**
 * `puts`: in this order; none where all is already as it is asked for, and the answer is made of the stored object. The first
 * error ends them and is the answer: the syncer's next try goes on from there. `answer`: what it sees of the last PUT's answer.
 */
export type WritePlan =
  | { readonly refusal: StatusError }
  | { readonly puts: readonly Put[]; readonly answer: (final: KubeObject) => Seen };

/**
 * What a PUT through the view does upstream. A shard stores no metadata with a status and no status with metadata, so that a status that is
 * promoted for the first time takes two: the value goes before the mark that says where it is. After the first the old state still stands,
 * with nothing lost; the other way round the view would show a status of somebody else, and the syncer's own would be gone.
 */
export function writePlan(write: SyncerWrite): WritePlan {
  try {
    return planned(write);
  } catch (error) {
    if (error instanceof StatusError) return { refusal: error };
    if (error instanceof BrokenObject) return { refusal: broken(write, error.message) };
    throw error;
  }
}

const broken = ({ of, name }: SyncerWrite, reason: string): StatusError =>
  internalError(`${of.resource} "${name}" cannot be written: ${reason}`);

function planned(write: SyncerWrite): WritePlan {
  const { of, name, key, subresource, stored, submitted } = write;
  const seen = stored && asSeen(stored, key);
  if (!stored || !seen || 'hidden' in seen) throw notFound(of, name);
  if (stored.metadata?.resourceVersion !== submitted.metadata?.resourceVersion || !submitted.metadata?.resourceVersion)
    throw conflict(of, name, 'the resource has been modified in the meantime');
  if ('broken' in seen) throw broken(write, seen.broken);
  const intents = syncIntents(stored);
  const { finalizers }: { readonly finalizers?: unknown } = submitted.metadata;
  if (Array.isArray(finalizers) && finalizers.includes(syncerFinalizer(key))) return ordinary(write, stored, intents);
  if (subresource === '' && submitted.metadata.deletionTimestamp) return removal(write, stored, intents);
  const where = `${subresource ? `${of.resource}/${subresource}` : of.resource}(${stored.metadata?.namespace ?? ''}/${name})`;
  throw internalError(`tried to write resource ${where} though it is not owning it (syncer finalizer doesn't exist)`);
}

type Intents = ReadonlyMap<SyncTargetKey, SyncIntent>;

/** The syncer lets go of the object: it has nothing of it any more. Not before kcp has asked for that, and nobody holds it back. */
function removal({ of, name, key }: SyncerWrite, stored: KubeObject, intents: Intents): WritePlan {
  const { deletion, softFinalizers = '' } = intents.get(key) ?? {};
  if (!deletion)
    throw forbiddenObject(
      of,
      name,
      `its removal from this SyncTarget has not been requested; there is no ${deletionAnnotation(key)}`,
    );
  if (softFinalizers !== '') throw forbiddenObject(of, name, `its removal from this SyncTarget waits for ${softFinalizers}`);
  const { fields, marked, others } = promotionOfTheLast(stored, key, intents, summarizingRules(stored));
  const edits = [
    ...fields.map(({ rule, value }) => ({ fields: rule.fields, edit: setField(rule.fields, value) })),
    setViewDiffs(marked),
    removeEntries('labels', [stateLabel(key)]),
    removeFinalizer(syncerFinalizer(key)),
    removeEntries('annotations', [viewDiffAnnotation(key), deletionAnnotation(key), specDiffAnnotation(key)]),
  ];
  return { puts: puts(stored, setViewDiffs(others), edits), answer: final => asShown(final, key) };
}

/** Any other write: the fields that are the syncer's go into its view-diff, or upstream if it is the only one. All else is as it was. */
function ordinary(write: SyncerWrite, stored: KubeObject, intents: Intents): WritePlan {
  const { key, subresource, submitted } = write;
  const rules = summarizingRules(stored);
  const isSole = intents.size === 1;
  const unmarked = isSole ? new Map<SyncTargetKey, ViewDiff>() : unpromoted(stored, intents, rules);
  const before = unmarked.get(key) ?? ownValues(stored, key, rules);
  const isPromoted = (rule: SummarizingRule): boolean => isSole && rule.promotes;
  const written = rules
    .filter(({ isStatus }) => isStatus === (subresource === 'status'))
    .map(rule => ({ rule, value: storable(rule, fieldOf(submitted, rule.fields)) }))
    .filter(({ value }) => value !== undefined);
  const promoted = written.filter(({ rule }) => isPromoted(rule));
  const own = new Map([
    ...[...before].filter(([path]) => rules.some(rule => rule.path === path && rule.isStatus !== (subresource === 'status'))),
    ...written.map(({ rule, value }) => [rule.path, isPromoted(rule) ? PROMOTED : value] as const),
  ]);
  const others = promoted.length > 0 ? withoutMarksOfOthers(stored, key, intents, rules) : new Map<SyncTargetKey, ViewDiff>();
  const edits = [
    ...promoted.map(({ rule, value }) => ({ fields: rule.fields, edit: setField(rule.fields, value) })),
    setViewDiffs(unmarked),
    isStored(stored, key, own) ? UNCHANGED : setViewDiffs(new Map([[key, own]])),
    addFinalizer(syncerFinalizer(key)),
  ];
  return { puts: puts(stored, setViewDiffs(others), edits), answer: final => asSeen(final, key) };
}

const UNCHANGED: Edit = object => object;

/** The values may be stored in other words: Go writes `<` as `\u003c`. */
const isStored = (stored: KubeObject, key: SyncTargetKey, own: ViewDiff): boolean =>
  stored.metadata?.annotations?.[viewDiffAnnotation(key)] !== undefined &&
  encodeViewDiff(viewDiff(stored, key)) === encodeViewDiff(own);

function storable({ path }: SummarizingRule, value: unknown): unknown {
  if (value === PROMOTED) throw badRequest(`${path}: the value ${JSON.stringify(value)} is reserved`);
  if (isTooDeep(value)) throw badRequest(`${path}: the value is nested too deeply`);
  return value;
}

type FieldEdit = { readonly fields: readonly string[]; readonly edit: Edit };

/**
 * What takes others' marks off a field goes before the field's new value, and that before its own mark. The edits of the status are one PUT,
 * all others the next; without those that change nothing.
 */
function puts(stored: KubeObject, unmarkOthers: Edit, edits: readonly (Edit | FieldEdit)[]): readonly Put[] {
  const isOfStatus = (edit: Edit | FieldEdit): boolean => typeof edit !== 'function' && edit.fields[0] === 'status';
  const edited = (of: boolean): Edit =>
    inOrder(edits.filter(edit => isOfStatus(edit) === of).map(edit => (typeof edit === 'function' ? edit : edit.edit)));
  const all: readonly Put[] = [
    { put: 'main', object: unmarkOthers },
    { put: 'status', object: edited(true) },
    { put: 'main', object: edited(false) },
  ];
  return all.filter(({ object }) => object(stored) !== stored);
}
