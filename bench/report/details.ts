/** One table for each case. */
import type { Measurement } from '../load/job.ts';
import { isMeasurement, type Row } from '../measure.ts';
import {
  isLowerBound,
  measurementOf,
  ownCPU,
  ownGrowth,
  ownGrowthPerOperation,
  ownMemory,
  rateOf,
  ratio,
  shardCPU,
  shardMemory,
} from './figures.ts';
import { figure, table } from './table.ts';

const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;

interface Bases {
  readonly shard: Measurement | undefined;
  readonly go: Measurement | undefined;
  readonly passThrough: Measurement | undefined;
}

type Column = readonly [heading: string, value: (result: Measurement, bases: Bases) => number | undefined];

const per = (value: number | undefined, unit: number): number | undefined => (value === undefined ? undefined : value / unit);
const rateRatio = (result: Measurement, base: Measurement | undefined): number | undefined =>
  base && ratio(rateOf(result), rateOf(base));

const RATE_COLUMNS: readonly Column[] = [
  ['per s', rateOf],
  ['× shard', (result, { shard }) => rateRatio(result, shard)],
  ['× Go', (result, { go }) => rateRatio(result, go)],
  ['p50 ms', ({ p50 }) => p50],
  ['p99 ms', ({ p99 }) => p99],
  ['own CPU ms', ownCPU],
  ['× Go CPU', (result, { go }) => ratio(ownCPU(result), go && ownCPU(go))],
  ['× pass CPU', (result, { passThrough }) => ratio(ownCPU(result), passThrough && ownCPU(passThrough))],
  ["shard's CPU ms", shardCPU],
  ['own MB', result => per(ownMemory(result), MEGABYTE)],
  ["shard's MB", result => per(shardMemory(result), MEGABYTE)],
  ['KB received', ({ bytesPerOperation }) => bytesPerOperation / KILOBYTE],
  ['elsewhere %', ({ elsewhere }) => elsewhere * 100],
];

const LATENESS_COLUMNS = RATE_COLUMNS.filter(([heading]) => heading !== 'KB received' && heading !== '× pass CPU');

/** Under idle watches nothing is received, and what counts is what each of them holds. */
const MEMORY_COLUMNS: readonly Column[] = [
  ['own KB per watch', result => per(ownGrowthPerOperation(result), KILOBYTE)],
  ['own CPU ms to open', ownCPU],
  ["shard's CPU ms to open", shardCPU],
  ['p50 ms to open', ({ p50 }) => p50],
  ['own MB', result => per(ownMemory(result), MEGABYTE)],
  ['elsewhere %', ({ elsewhere }) => elsewhere * 100],
];

/** Under lists again and again. */
const GROWTH_COLUMNS: readonly Column[] = [
  ['per s', rateOf],
  ['most own MB', result => per(ownMemory(result), MEGABYTE)],
  ['grown by MB', result => per(ownGrowth(result), MEGABYTE)],
  ['× Go', (result, { go }) => ratio(ownMemory(result), go && ownMemory(go))],
  ['own CPU ms', ownCPU],
  ["shard's CPU ms", shardCPU],
  ["shard's MB", result => per(shardMemory(result), MEGABYTE)],
  ['elsewhere %', ({ elsewhere }) => elsewhere * 100],
];

const COLUMNS = { rate: RATE_COLUMNS, lateness: LATENESS_COLUMNS, memory: MEMORY_COLUMNS, growth: GROWTH_COLUMNS };

export function renderDetails({ case: { about, name, title, unit }, cells }: Row): string {
  const bases: Bases = {
    shard: measurementOf(cells, 'shard'),
    go: measurementOf(cells, 'kcp-go'),
    passThrough: measurementOf(cells, 'pass-through'),
  };
  const rows = cells.flatMap(({ contender, result }) =>
    isMeasurement(result) ? [{ contender, result, figures: COLUMNS[about].map(([, value]) => value(result, bases)) }] : [],
  );
  // A column of dashes, for a baseline that is not there, only takes room.
  const shown = COLUMNS[about].map((_, i) => rows.some(({ figures }) => figures[i] !== undefined));
  const only = <T>(values: readonly T[]): T[] => values.filter((_, i) => shown[i]);
  const lines = rows.map(({ contender, figures, result }) => {
    const [first = '', ...others] = only(figures).map(figure);
    return [contender, about === 'rate' && isLowerBound(result) ? `≥ ${first}` : first, ...others];
  });
  const failures = cells.flatMap(({ contender, result }) =>
    typeof result === 'object' && 'failed' in result ? [`- ${contender} failed: ${result.failed.replaceAll(/\s+/g, ' ')}`] : [],
  );
  return [
    `### \`${name}\`: ${title}${unit === 'requests' ? '' : ` (an operation is one of its ${unit})`}`,
    ...(rows.length > 0 ? [table([['contender', ...only(COLUMNS[about].map(([heading]) => heading))], ...lines])] : []),
    ...(failures.length > 0 ? [failures.join('\n')] : []),
  ].join('\n\n');
}
