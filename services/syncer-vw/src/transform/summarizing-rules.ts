import { type Fields, isFields } from '@kcp-vw/shared/kube/merge-patch.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { annotationJson } from './annotation-json.ts';
import { BrokenObject } from './broken-object.ts';
import type { FieldPath } from './field-path.ts';
import { RULES_ANNOTATION } from './names.ts';

/** A field that syncers may write. */
export interface SummarizingRule {
  /** `a.b`, the name of the value in view-diffs. */
  readonly path: string;
  readonly fields: FieldPath;
  /** Of the only target it is stored in the field itself, and always the syncer's; otherwise only ever in the target's view-diff. */
  readonly promotes: boolean;
  /** It is written by writes to `/status`; all others, those below `status` among them, by writes to the object. */
  readonly isStatus: boolean;
}

const ruleOf = (path: string, promotes: boolean): SummarizingRule => ({
  path,
  fields: path.split('.'),
  promotes,
  isStatus: path === 'status',
});

const DEFAULT_RULES: readonly SummarizingRule[] = [ruleOf('status', true)];

/** What a syncer may never be let to write: it is what objects are told apart and protected by. */
const NOT_SUMMARIZED: ReadonlySet<string> = new Set(['metadata', 'apiVersion', 'kind']);

/** Whoever has the object writes its rules, and each costs every reader of it: a view is made anew for each, and for each map on its way. */
const MOST_RULES = 100;
const MOST_NAMES = 100;

/** The rules of an upstream object, its own in the place of the default. Throws a BrokenObject. */
export function summarizingRules(object: KubeObject): readonly SummarizingRule[] {
  const rules = annotationJson(RULES_ANNOTATION, object.metadata?.annotations?.[RULES_ANNOTATION]);
  if (rules === undefined) return DEFAULT_RULES;
  // Go reads `null` as a list of none.
  if (rules === null) return [];
  if (!Array.isArray(rules)) throw new BrokenObject(`the annotation ${RULES_ANNOTATION} is no list`);
  if (rules.length > MOST_RULES)
    throw new BrokenObject(
      `the annotation ${RULES_ANNOTATION} has ${rules.length} rules, and not more than ${MOST_RULES} are allowed`,
    );
  return rules.map(ruleIn);
}

function ruleIn(value: unknown): SummarizingRule {
  const path = isFields(value) ? (member(value, 'fieldpath') ?? '') : undefined;
  const promotes = isFields(value) ? (member(value, 'promotetoupstream') ?? false) : undefined;
  if (typeof path !== 'string' || typeof promotes !== 'boolean')
    throw new BrokenObject(`the annotation ${RULES_ANNOTATION} has a rule that is none`);
  if (path.split('.', MOST_NAMES + 1).length > MOST_NAMES)
    throw new BrokenObject(`the annotation ${RULES_ANNOTATION} names a field that is more than ${MOST_NAMES} maps deep`);
  const rule = ruleOf(path, promotes);
  if (rule.fields.includes('') || NOT_SUMMARIZED.has(rule.fields[0] ?? ''))
    throw new BrokenObject(`the annotation ${RULES_ANNOTATION} names a field that cannot be summarized: ${JSON.stringify(path)}`);
  return rule;
}

/** Go does not tell capital letters in the names of JSON's members, and takes the last. */
const member = (value: Fields, lowerCase: string): unknown =>
  Object.entries(value).findLast(([name]) => name.toLowerCase() === lowerCase)?.[1];
