import type { Condition } from './objects.ts';

export type Wish =
  | { readonly type: string; readonly status: 'True' }
  | {
      readonly type: string;
      readonly status: 'False';
      readonly severity: 'Error' | 'Warning' | 'Info';
      readonly reason: string;
      readonly message: string;
    };

/** The list with the condition as wished; its time changes with its state only. `Ready` goes first, the others by name. */
export function withCondition(
  conditions: readonly Condition[] = [],
  wish: Wish,
  now: () => Date = () => new Date(),
): Condition[] {
  const { type, status } = wish;
  const known = conditions.find(condition => condition.type === type);
  const details = wish.status === 'False' ? { severity: wish.severity, reason: wish.reason, message: wish.message } : {};
  const isSame =
    known?.status === status &&
    known.reason === (wish.status === 'False' ? wish.reason : undefined) &&
    known.message === (wish.status === 'False' ? wish.message : undefined);
  if (known && isSame) return [...conditions];
  const lastTransitionTime = `${now().toISOString().slice(0, 19)}Z`;
  const next = { type, status, ...details, lastTransitionTime };
  return [...conditions.filter(condition => condition.type !== type), next].sort(byRank);
}

const rank = ({ type }: Condition): string => (type === 'Ready' ? '' : type);
const byRank = (a: Condition, b: Condition): number => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0);

export const isTrue = (conditions: readonly Condition[] = [], type: string): boolean =>
  conditions.some(condition => condition.type === type && condition.status === 'True');
