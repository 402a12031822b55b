import type { Goal, WorkloadKind } from '../workload.ts';
import { CASES, GET } from './cases.ts';
import type { ExportPaths } from './paths.ts';

const OURS = ['fleet', 'single'] as const;

const goals = (of: Goal['of'], limit: number, cases: readonly string[]): Goal[] =>
  cases.flatMap(name => OURS.map(contender => ({ case: name, contender, of, limit })));

const PLAIN_LISTS = ['list-500', 'list-5000'];
const GZIP_LISTS = ['list-500-gzip', 'list-500-gzip-h2', 'list-5000-gzip', 'list-5000-gzip-h2'];
const GETS = ['get', 'get-h2'];

const GOALS: readonly Goal[] = [
  ...GETS.map((name): Goal => ({ case: name, contender: 'fleet', of: 'rate', limit: 2.5 })),
  ...GETS.map((name): Goal => ({ case: name, contender: 'single', of: 'rate', limit: 3 })),
  ...GETS.map((name): Goal => ({ case: name, contender: 'fleet-impersonate', of: 'rate', limit: 1.6 })),
  ...goals('rate', 2.5, [...PLAIN_LISTS, ...GZIP_LISTS]),
  ...goals('CPU', 0.2, PLAIN_LISTS),
  ...goals('CPU', 0.1, GZIP_LISTS),
  ...goals('rate', 10, ['discovery']),
  ...goals('p99', 0.2, ['fan-out', 'fan-out-burst']),
  ...goals('CPU', 1 / 3, ['fan-out', 'fan-out-burst']),
  { case: 'repeated-lists', contender: 'single', of: 'memory', limit: 1 },
  { case: 'repeated-lists', contender: 'single', of: 'growth', limit: 0.05 },
];

/** An export with ten consumers, as a controller uses it. */
export const EXPORT: WorkloadKind<ExportPaths> = {
  name: 'export',
  cases: CASES,
  probe: GET,
  contenders: [
    'shard',
    'shard-as-caller',
    'fleet',
    'fleet-impersonate',
    'fleet-registered',
    'single',
    'kcp-go',
    'pass-through',
    'nginx',
  ],
  named: ['shard-as-caller', 'fleet-registered', 'pass-through', 'nginx'],
  full: { timing: { compilation: 30_000, warmUp: 400, duration: 1_500 }, rounds: 3, patience: 60_000 },
  quick: { timing: { compilation: 2_000, warmUp: 300, duration: 1_000 }, rounds: 1, patience: 10_000 },
  goals: GOALS,
  create: async (say, stop) => (await import('./create.ts')).createExportWorkload(say, stop),
};
