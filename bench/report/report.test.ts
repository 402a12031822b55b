import { expect, test } from '@jest/globals';
import type { Case } from '../case.ts';
import type { Measurement } from '../load/job.ts';
import { type Cell, type Row, summarize } from '../measure.ts';
import { OURS, SHARD } from '../target.ts';
import type { Goal, WorkloadKind } from '../workload.ts';
import { renderDetails } from './details.ts';
import { renderReport } from './report.ts';
import { renderBudget, renderSummary } from './summary.ts';

const caseOf = (name: string, about: Case['about'] = 'rate'): Case => ({
  name,
  title: `${name} of something`,
  unit: 'requests',
  about,
  job: () => undefined,
});

/** A thousand requests a second at `own` and `shard` milliseconds of CPU. */
const measurement = (own: number, changes: Partial<Measurement> = {}): Measurement => ({
  operations: 2_000,
  seconds: 2,
  p50: 5,
  p99: 20,
  bytesPerOperation: 2_048,
  cpu: { [OURS]: own, [SHARD]: 0.5 },
  resident: { [OURS]: own === 0 ? 0 : 100 * 2 ** 20, [SHARD]: 2 ** 30 },
  grown: { [OURS]: 2_000 * 50 * 1_024, [SHARD]: 0 },
  generator: 0.4,
  elsewhere: 0.01,
  ...changes,
});

const cells: Cell[] = [
  { contender: 'shard', result: measurement(0) },
  { contender: 'fleet', result: measurement(0.3, { seconds: 4 }) },
  { contender: 'pass-through', result: measurement(0.25) },
];
const row: Row = { case: caseOf('get'), cells };

const lineOf = (text: string, start: string): string[] =>
  text
    .split('\n')
    .find(line => line.startsWith(`| ${start} `))
    ?.split('|')
    .map(cell => cell.trim())
    .filter(Boolean) ?? [];

test('the summary holds for each case the rate against the shard, and the CPU of the contender itself', () => {
  expect(lineOf(renderSummary([row]), '`get`')).toEqual(['`get`', '1.00×', '0.50×, 0.30 ms', '1.00×, 0.25 ms']);
});

test('a contender that failed, or has no such thing, is told apart from one that is slow', () => {
  const failed: Row = { case: caseOf('list'), cells: [{ contender: 'shard', result: { failed: 'it broke' } }] };
  const absent: Row = { case: caseOf('idle', 'memory'), cells: [{ contender: 'shard', result: 'not applicable' }] };
  expect(renderSummary([failed, absent])).toContain('| `list` | failed |');
  expect(renderSummary([failed, absent])).toContain('| `idle` |        |');
});

test('the budget compares the CPU of a GET with that of two hops that check nothing', () => {
  expect(renderBudget([row])).toContain('0.30 ms of CPU and the two hops of the pass-through 0.25 ms: 20 % more.');
  expect(renderBudget([{ case: caseOf('list'), cells }])).toBeUndefined();
});

test('columns whose baseline was not measured are left out', () => {
  const text = renderDetails(row);
  expect(text).toContain('× shard');
  expect(text).not.toContain('× Go');
});

test('a failure stands below the table and does not widen it', () => {
  const reason = `a long reason\nof two lines ${'x'.repeat(100)}`;
  const text = renderDetails({ ...row, cells: [...cells, { contender: 'kcp-go', result: { failed: reason } }] });
  const table = text.split('\n').filter(line => line.startsWith('|'));
  expect(new Set(table.map(line => line.length)).size).toBe(1);
  expect(table.join('\n')).not.toContain('kcp-go');
  expect(text).toContain('- kcp-go failed: a long reason of two lines x');
});

test('where the load generator had no time left, the rate is a lower bound', () => {
  const limited: Row = { ...row, cells: [{ contender: 'shard', result: measurement(0, { generator: 0.97 }) }] };
  expect(lineOf(renderDetails(limited), 'shard')[1]).toBe('≥ 1,000');
  expect(renderSummary([limited])).toContain('≥ 1.00×');
});

test('of an open watch the memory is told, by watch', () => {
  const idle: Row = { case: caseOf('idle', 'memory'), cells };
  expect(lineOf(renderDetails(idle), 'fleet')[1]).toBe('50.0');
});

test('under repeated lists the most memory is told, and by how much it has grown', () => {
  const repeated: Row = { case: caseOf('repeated-lists', 'growth'), cells };
  expect(lineOf(renderSummary([repeated]), '`repeated-lists`')[2]).toBe('100 MB, +97.7 MB');
  expect(lineOf(renderDetails(repeated), 'fleet').slice(2, 4)).toEqual(['100', '97.7']);
});

test('a cell is the median of its rounds, and a failure when one of them has failed', () => {
  const rounds = [measurement(0.2), measurement(0.9), measurement(0.3)];
  expect(summarize(rounds)).toMatchObject({ cpu: { [OURS]: 0.3 }, operations: 2_000, seconds: 2 });
  expect(summarize([...rounds, { failed: 'once' }])).toEqual({ failed: 'once' });
  expect(summarize([])).toBe('not applicable');
});

test('the report begins with how it was made and goes from the whole to the details', () => {
  const timing = { compilation: 1, warmUp: 500, duration: 2_000 };
  const day = new Date('2026-11-22T10:00:00Z');
  const workload = { goals: [] as readonly Goal[] } as WorkloadKind;
  const circumstances = { command: 'npm run bench', target: 'a shard', day, rounds: 3, timing, workload };
  const text = renderReport({ rows: [row], memory: [] }, circumstances);
  expect(text).toMatch(/^`npm run bench` on 2026-11-22: a shard; .*Medians of 3 rounds, each cell 2 s after 0\.5 s of warm-up\./);
  expect(text.indexOf('| case')).toBeLessThan(text.indexOf('### `get`'));
});
