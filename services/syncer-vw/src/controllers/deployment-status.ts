import { isDeepStrictEqual } from 'node:util';
import { type Fields, isFields } from '@kcp-vw/shared/kube/merge-patch.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { BrokenObject } from '../transform/broken-object.ts';
import { type SyncTargetKey, VIEW_DIFF_ANNOTATION, viewDiffAnnotation } from '../transform/names.ts';
import { summarizingRules } from '../transform/summarizing-rules.ts';
import { ownValues, PROMOTED } from '../transform/view-diff.ts';
import { intentKeys } from './intent-keys.ts';
import { type MergePatch, patchOf } from './merge-patch.ts';

type Status = Fields;
interface Condition extends Status {
  readonly type: string;
}

/** The counts of an apps/v1 DeploymentStatus, each the sum of the targets'. */
const COUNTS = [
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
] as const;

/** What wins where targets differ, first the strongest; anything else is weaker. */
const STRENGTH = ['True', 'False', 'Unknown'];

/**
 * The status of a Deployment that two or more targets share, from what each of them reported into its view-diff. Undefined if
 * there is nothing to change: with one target its status is promoted and says it itself. Statuses are taken from the view-diffs
 * and not from the views, since a view may show the status upstream, which is the sum. Throws a BrokenObject for what cannot be
 * read.
 */
export function deploymentStatusPatch(deployment: KubeObject): MergePatch | undefined {
  const keys = intentKeys(deployment);
  if (keys.length < 2) return undefined;
  const rules = summarizingRules(deployment);
  // Then it is of somebody else.
  if (!rules.some(({ isStatus }) => isStatus)) return undefined;
  const stored = keys.map(key => reportedStatus(key, ownValues(deployment, key, rules).get('status')));
  // A target whose status is still in the field itself: it has to be moved to its view-diff first, by its own or another syncer's
  // write.
  if (stored.includes(PROMOTED)) return undefined;
  const reported = stored.filter(status => typeof status === 'object').filter(isFilled);
  if (reported.length === 0) return undefined;
  return patchOf(deployment, { status: changeOf(statusOf(deployment), aggregate(deployment, reported)) });
}

/** Whether two states of a Deployment have the same targets, and those have reported the same. */
export const areReportsAlike = (before: KubeObject, after: KubeObject): boolean =>
  isDeepStrictEqual(intentKeys(before), intentKeys(after)) && isDeepStrictEqual(viewDiffs(before), viewDiffs(after));

function aggregate(deployment: KubeObject, statuses: readonly Status[]): Status {
  const counts = COUNTS.map(name => [name, sum(statuses.map(status => countOf(status, name)))] as const);
  const conditions = strongest(statuses.flatMap(conditionsOf));
  const observedGeneration = leastObserved(deployment, statuses);
  return {
    ...(observedGeneration !== undefined && { observedGeneration }),
    // As Kubernetes writes them: none is not said.
    ...Object.fromEntries(counts.filter(([, count]) => count !== 0)),
    ...(conditions.length > 0 && { conditions }),
  };
}

/** One of each type, sorted by type; of equals the first, so that it does not change as long as the targets are the same. */
function strongest(conditions: readonly Condition[]): readonly Condition[] {
  const chosen = new Map<string, Condition>();
  for (const condition of conditions) {
    const present = chosen.get(condition.type);
    if (present === undefined || weakness(condition) < weakness(present)) chosen.set(condition.type, condition);
  }
  return [...chosen.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
}

function weakness({ status }: Condition): number {
  const index = STRENGTH.indexOf(String(status));
  return index < 0 ? STRENGTH.length : index;
}

/**
 * The generations that targets observe are those of their copies, which have numbers of their own: a hint, but without one
 * `kubectl rollout status` waits for ever. The least of them is said, never more than there is, and nothing unless all have one:
 * rather late than too early.
 */
function leastObserved(deployment: KubeObject, statuses: readonly Status[]): number | undefined {
  const observed = statuses.map(({ observedGeneration }) => observedGeneration);
  const { generation } = deployment.metadata ?? {};
  if (!observed.every(one => typeof one === 'number') || typeof generation !== 'number') return undefined;
  return Math.min(generation, ...observed);
}

/** The merge patch from one status to the other: what is no longer said is taken away. */
function changeOf(before: Status, after: Status): Status {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return Object.fromEntries(
    names.filter(name => !isDeepStrictEqual(before[name], after[name])).map(name => [name, after[name] ?? null]),
  );
}

/** What a target has reported, the marker if it is promoted, or undefined. */
function reportedStatus(key: SyncTargetKey, status: unknown): Status | typeof PROMOTED | undefined {
  if (status === undefined || status === null) return undefined;
  if (status === PROMOTED || isFields(status)) return status;
  throw new BrokenObject(`the status in the annotation ${viewDiffAnnotation(key)} is no map`);
}

function countOf(status: Status, name: string): number {
  const count = status[name] ?? 0;
  if (typeof count === 'number' && Number.isInteger(count)) return count;
  throw new BrokenObject(`a target reports ${name}: ${JSON.stringify(count)}`);
}

function conditionsOf({ conditions = [] }: Status): readonly Condition[] {
  if (Array.isArray(conditions) && conditions.every(isCondition)) return conditions;
  throw new BrokenObject(`a target reports conditions: ${JSON.stringify(conditions)}`);
}

const isCondition = (value: unknown): value is Condition => isFields(value) && typeof value.type === 'string';
const isFilled = (status: Status): boolean => Object.keys(status).length > 0;
const statusOf = ({ status }: KubeObject): Status => (isFields(status) ? status : {});
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const viewDiffs = ({ metadata }: KubeObject): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata?.annotations ?? {}).filter(([name]) => name.startsWith(VIEW_DIFF_ANNOTATION)));
