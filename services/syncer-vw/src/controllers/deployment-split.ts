import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { BrokenObject } from '../transform/broken-object.ts';
import { deletionAnnotation, SYNC, type SyncTargetKey, specDiffAnnotation, stateLabel } from '../transform/names.ts';
import { type SyncIntent, syncIntents } from '../transform/sync-intents.ts';
import { keysAfter } from './intent-keys.ts';
import { type MergePatch, patchOf } from './merge-patch.ts';

export interface SplitOptions {
  /**
   * Whether a pending target gets its share, and becomes `Sync` in the same write. This is for deployments that the scheduler
   * starts pending: no target ever sees all replicas because its share is not written yet. Otherwise pending targets get none.
   */
  readonly admitPending?: boolean;
}

/**
 * Divides the replicas of a Deployment among the targets that it is synced to, as a spec-diff for each. Draining targets take no
 * part and keep the spec-diff that they have until their label goes: without it, a target that a soft finalizer keeps from seeing
 * its deletion would see all replicas again. Undefined if there is nothing to change. Throws a BrokenObject for a bad deletion
 * annotation.
 */
export function deploymentSplitPatch(
  deployment: KubeObject,
  { admitPending = false }: SplitOptions = {},
): MergePatch | undefined {
  // Its targets are about to drain, all of them.
  if (deployment.metadata?.deletionTimestamp) return undefined;
  const intents = readableIntents(deployment);
  const targets = [...intents].filter(([, intent]) => takesPart(intent, admitPending)).map(([key]) => key);
  const stored = deployment.metadata?.annotations ?? {};
  const wanted = specDiffs(deployment, targets);

  const annotations: Record<string, string | null> = {};
  for (const key of keysAfter(specDiffAnnotation(''), stored)) {
    if (!wanted.has(key) && !isDraining(intents.get(key))) annotations[specDiffAnnotation(key)] = null;
  }
  for (const [key, operations] of wanted) {
    if (!isStored(operations, stored[specDiffAnnotation(key)])) {
      annotations[specDiffAnnotation(key)] = JSON.stringify(operations);
    }
  }
  const admitted = targets.filter(key => intents.get(key)?.state === '').map(key => [stateLabel(key), SYNC]);
  return patchOf(deployment, { labels: Object.fromEntries(admitted), annotations });
}

/** So many replicas each, the first also what is left: 11 in 3 shares are 5, 3 and 3. */
export function shares(replicas: number, count: number): readonly number[] {
  const each = Math.floor(replicas / count);
  return Array.from({ length: count }, (_, index) => (index === 0 ? each + (replicas % count) : each));
}

/** Whether two states of a Deployment get the same split: labels, annotations but for the spec-diffs themselves, and replicas. */
export function isSplitAlike(before: KubeObject, after: KubeObject): boolean {
  return (
    isDeepStrictEqual(before.metadata?.labels ?? {}, after.metadata?.labels ?? {}) &&
    isDeepStrictEqual(otherAnnotations(before), otherAnnotations(after)) &&
    storedReplicas(before) === storedReplicas(after)
  );
}

/** To take a target for one that stays because nobody can read when it is to go would give it replicas that are to go. */
function readableIntents(deployment: KubeObject): ReadonlyMap<SyncTargetKey, SyncIntent> {
  const intents = syncIntents(deployment);
  for (const [key, { deletion }] of intents) {
    if (deletion === undefined || 'timestamp' in deletion) continue;
    throw new BrokenObject(
      `the annotation ${deletionAnnotation(key)} is no timestamp of RFC 3339: ${JSON.stringify(deletion.unparseable)}`,
    );
  }
  return intents;
}

const isDraining = (intent: SyncIntent | undefined): boolean => intent?.deletion !== undefined;

const takesPart = (intent: SyncIntent, admitPending: boolean): boolean =>
  !isDraining(intent) && (intent.state === SYNC || (admitPending && intent.state === ''));

/** Operations of RFC 6902, rooted at `.spec`. */
type SpecDiff = readonly { readonly op: 'add' | 'replace'; readonly path: '/replicas'; readonly value: number }[];

function specDiffs(deployment: KubeObject, targets: readonly string[]): ReadonlyMap<string, SpecDiff> {
  const replicas = storedReplicas(deployment);
  // RFC 6902 §4.3: what is to be replaced has to be there.
  const op = replicas === undefined ? 'add' : 'replace';
  const values = shares(replicas ?? DEFAULT_REPLICAS, targets.length);
  return new Map(targets.map((key, index) => [key, [{ op, path: '/replicas', value: values[index] ?? 0 }]]));
}

/** apps/v1 `SetDefaults_Deployment`. */
const DEFAULT_REPLICAS = 1;

function storedReplicas({ spec }: KubeObject): number | undefined {
  const replicas = (spec as { replicas?: unknown } | undefined)?.replicas ?? undefined;
  if (replicas === undefined) return undefined;
  if (typeof replicas === 'number' && Number.isInteger(replicas) && replicas >= 0) return replicas;
  throw new BrokenObject(`spec.replicas is no number of replicas: ${JSON.stringify(replicas)}`);
}

/** Whether the annotation says the same, in whatever spelling: other coordinators put blanks into it. */
function isStored(operations: SpecDiff, annotation: string | undefined): boolean {
  if (annotation === undefined) return false;
  try {
    return isDeepStrictEqual(JSON.parse(annotation), operations);
  } catch {
    // What is no JSON is written anew.
    return false;
  }
}

const otherAnnotations = ({ metadata }: KubeObject): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata?.annotations ?? {}).filter(([name]) => !name.startsWith(specDiffAnnotation(''))));
