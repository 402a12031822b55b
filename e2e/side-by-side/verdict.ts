import { type Difference, firstDifference } from './differences.ts';
import type { Expected } from './expected/expected.ts';
import type { Answer } from './normalise.ts';

/** What came of one row: equal, different as declared, or a failure. */
export type Verdict =
  | { readonly kind: 'equal' }
  | { readonly kind: 'declared'; readonly what: string }
  /** Ours answers otherwise, and not as declared, if anything is. */
  | { readonly kind: 'different'; readonly difference: Difference; readonly what?: string }
  /** A difference is declared, and there is none. */
  | { readonly kind: 'stale'; readonly what: string };

/** `id` is `subject/name`. */
export function judge(id: string, [kcp, ours]: readonly [Answer, Answer], expected: readonly Expected[]): Verdict {
  const difference = firstDifference(kcp, ours);
  const declared = expected.filter(({ rows, when }) => rows.test(id) && when?.(kcp) !== false);
  if (declared.length === 0) return difference === undefined ? { kind: 'equal' } : { kind: 'different', difference };
  const what = declared.map(one => one.what).join(' + ');
  if (difference === undefined) return { kind: 'stale', what };
  const left = undeclared(declared, kcp, ours);
  return left === undefined ? { kind: 'declared', what } : { kind: 'different', difference: left, what };
}

/** What the declarations leave unexplained. Several may hold for one row; one that says how ours answers says all. */
function undeclared(declared: readonly Expected[], kcp: Answer, ours: Answer): Difference | undefined {
  const wanted = declared.find(({ answer }) => answer !== undefined)?.answer;
  if (wanted !== undefined) return firstDifference(wanted, onlyWhatIsIn(wanted, ours));
  const leave = (answer: Answer): Answer => declared.reduce((left, { without }) => without?.(left) ?? left, answer);
  return firstDifference(leave(kcp), leave(ours));
}

/** The fields of `value` that `wanted` has, too. */
function onlyWhatIsIn(wanted: unknown, value: unknown): unknown {
  if (typeof wanted !== 'object' || wanted === null || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(wanted).map(([name, inner]) => [name, onlyWhatIsIn(inner, Reflect.get(value, name))]));
}
