import { expect, test } from '@jest/globals';
import type { Measurement } from '../load/job.ts';
import type { Row } from '../measure.ts';
import { type ContenderName, OURS } from '../target.ts';
import type { Goal } from '../workload.ts';
import { renderGoals } from './goals.ts';

const measurement = (changes: Partial<Measurement>): Measurement => ({
  operations: 1_000,
  seconds: 1,
  p50: 1,
  p99: 10,
  bytesPerOperation: 1,
  cpu: { [OURS]: 1 },
  resident: { [OURS]: 200 },
  grown: { [OURS]: 20 },
  generator: 0,
  elsewhere: 0,
  ...changes,
});

const rowOf = (cells: Partial<Record<ContenderName, Measurement>>): Row => ({
  case: { name: 'get', title: 'GET', unit: 'requests', about: 'rate', job: () => undefined },
  cells: Object.entries(cells).map(([contender, result]) => ({ contender: contender as ContenderName, result })),
});

const row = rowOf({
  'kcp-go': measurement({}),
  fleet: measurement({ operations: 2_600, cpu: { [OURS]: 0.3 }, p99: 2, resident: { [OURS]: 250 } }),
});

const goal = (of: Goal['of'], limit: number, contender: ContenderName = 'fleet'): Goal => ({ case: 'get', contender, of, limit });

/** What the only goal's line says of how much was reached, and whether that is enough. */
const told = (goals: readonly Goal[], rows = [row]): string[] | undefined =>
  renderGoals(rows, goals)
    ?.split('\n')
    .at(-1)
    ?.split('|')
    .slice(-3, -1)
    .map(cell => cell.trim());

test('a rate has to be at least so many times that of kcp’s own server', () => {
  expect(told([goal('rate', 2.5)])).toEqual(['2.60×', 'yes']);
  expect(told([goal('rate', 3)])).toEqual(['2.60×', 'no']);
});

test('CPU, p99 and memory may be at most so much of that of kcp’s own server', () => {
  expect(told([goal('CPU', 1 / 3)])).toEqual(['0.30×', 'yes']);
  expect(told([goal('p99', 0.1)])).toEqual(['0.20×', 'no']);
  expect(told([goal('memory', 1)])).toEqual(['1.25×', 'no']);
});

test('growth is compared with the memory itself', () => {
  expect(told([goal('growth', 0.05)])).toEqual(['0.080×', 'no']);
});

test('a goal in a cell that failed, or beside one, is unknown and not met', () => {
  const failed: Row = { ...row, cells: [...row.cells, { contender: 'single', result: { failed: 'it broke' } }] };
  expect(told([goal('rate', 3, 'single')], [failed])).toEqual(['–', 'unknown']);
  expect(renderGoals([failed], [goal('rate', 2.5), goal('rate', 3, 'single')])).toContain('(1 of 2 met)');
});

test('a goal is left out where one of the two takes no part, and the table where all are', () => {
  expect(renderGoals([row], [goal('rate', 2.5), goal('rate', 3, 'single')])).toContain('(1 of 1 met)');
  expect(renderGoals([rowOf({ fleet: measurement({}) })], [goal('rate', 2.5)])).toBeUndefined();
});
