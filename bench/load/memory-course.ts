/** What becomes of memory, out of looks at it at equal intervals. */
import type { Measurement } from './job.ts';

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The most that each group held, and what it held on average in the last quarter more than in the first: collectors of garbage give back late. */
export function courseOf(samples: readonly Readonly<Record<string, number>>[]): Pick<Measurement, 'resident' | 'grown'> {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const names = Object.keys(samples[0] ?? {});
  const perGroup = (value: (course: readonly number[]) => number): Record<string, number> =>
    Object.fromEntries(names.map(name => [name, value(samples.map(sample => sample[name] ?? 0))]));
  return {
    resident: perGroup(course => Math.max(...course)),
    grown: perGroup(course => mean(course.slice(-quarter)) - mean(course.slice(0, quarter))),
  };
}
