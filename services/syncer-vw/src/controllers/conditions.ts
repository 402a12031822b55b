import type { SyncTargetCondition } from './sync-target.ts';
import { formatTimestamp } from './timestamps.ts';

export type Verdict = Omit<SyncTargetCondition, 'lastTransitionTime'>;

const READY = 'Ready';

/**
 * The conditions with one of them set, as kcp's conditions library leaves them: `Ready` first, the others by type. A condition
 * that says the same as before keeps its time.
 */
export function withCondition(
  conditions: readonly SyncTargetCondition[],
  verdict: Verdict,
  now: number,
): readonly SyncTargetCondition[] {
  const present = conditions.find(({ type }) => type === verdict.type);
  const lastTransitionTime = present && isSame(present, verdict) ? present.lastTransitionTime : formatTimestamp(now);
  const others = conditions.filter(({ type }) => type !== verdict.type);
  return [...others, { ...verdict, lastTransitionTime }].sort(byType);
}

/**
 * `Ready` as the first of these conditions that is not True has it; True if all are that are there. Without any, nothing is said.
 */
export function summaryOf(conditions: readonly SyncTargetCondition[], types: readonly string[]): Verdict | undefined {
  const present = types.flatMap(type => conditions.find(condition => condition.type === type) ?? []);
  const [first] = present;
  if (first === undefined) return undefined;
  const decisive =
    present.find(({ status }) => status === 'False') ?? present.find(({ status }) => status === 'Unknown') ?? first;
  const { lastTransitionTime: _, ...verdict } = decisive;
  return { ...verdict, type: READY };
}

export const isReady = (conditions: readonly SyncTargetCondition[] | undefined): boolean =>
  conditions?.some(({ type, status }) => type === READY && status === 'True') ?? false;

const isSame = (a: Verdict, b: Verdict): boolean =>
  a.status === b.status && a.severity === b.severity && a.reason === b.reason && a.message === b.message;

function byType(a: SyncTargetCondition, b: SyncTargetCondition): number {
  if (a.type === READY || b.type === READY) return a.type === READY ? -1 : 1;
  return a.type < b.type ? -1 : 1;
}
