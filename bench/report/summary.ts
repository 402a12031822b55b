/** The whole comparison at a glance. */
import type { Measurement } from '../load/job.ts';
import type { Row } from '../measure.ts';
import { CONTENDERS, type ContenderName } from '../target.ts';
import { isLowerBound, measurementOf, ownCPU, ownGrowth, ownGrowthPerOperation, ownMemory, rateOf, ratio } from './figures.ts';
import { figure, table } from './table.ts';

/** What one cell of the summary says, the base being the bare shard's. */
const SAYS: Readonly<Record<Row['case']['about'], (result: Measurement, base: Measurement | undefined) => string[]>> = {
  rate: (result, base) => [
    `${isLowerBound(result) ? '≥ ' : ''}${figure(base && ratio(rateOf(result), rateOf(base)))}×`,
    milliseconds(ownCPU(result)),
  ],
  lateness: result => [`p99 ${figure(result.p99)} ms`, milliseconds(ownCPU(result))],
  memory: result => [kilobytes(ownGrowthPerOperation(result))],
  growth: result => [megabytes(ownMemory(result)), signed(megabytes(ownGrowth(result)))],
};

const milliseconds = (value: number | undefined): string => (value === undefined ? '' : `${figure(value)} ms`);

const kilobytes = (value: number | undefined): string => (value === undefined ? '' : `${figure(value / 1024)} KB`);

const megabytes = (value: number | undefined): string => (value === undefined ? '' : `${figure(value / 1024 ** 2)} MB`);

const signed = (text: string): string => (text === '' || text.startsWith('-') ? text : `+${text}`);

export function renderSummary(rows: readonly Row[]): string {
  const present = CONTENDERS.filter(name => rows.some(({ cells }) => cells.some(({ contender }) => contender === name)));
  const lines = rows.map(({ case: { about, name }, cells }) => {
    const base = measurementOf(cells, 'shard');
    return [`\`${name}\``, ...present.map(contender => cellOf(cells, contender, result => SAYS[about](result, base)))];
  });
  return table([['case', ...present], ...lines]);
}

function cellOf(cells: Row['cells'], contender: ContenderName, says: (result: Measurement) => string[]): string {
  const cell = cells.find(candidate => candidate.contender === contender);
  if (cell === undefined || cell.result === 'not applicable') return '';
  if ('failed' in cell.result) return 'failed';
  return says(cell.result).filter(Boolean).join(', ');
}

/** What our stages add to the two hops that do nothing else; undefined where one of the two was not measured. */
export function renderBudget(rows: readonly Row[]): string | undefined {
  const get = rows.find(({ case: { name } }) => name === 'get');
  const own = (contender: ContenderName): number | undefined => {
    const result = get && measurementOf(get.cells, contender);
    return result && ownCPU(result);
  };
  const fleet = own('fleet');
  const passThrough = own('pass-through');
  if (fleet === undefined || passThrough === undefined) return undefined;
  const more = Math.round((fleet / passThrough - 1) * 100);
  const direction = more < 0 ? `${-more} % less` : `${more} % more`;
  return `A GET costs the fleet ${figure(fleet)} ms of CPU and the two hops of the pass-through ${figure(passThrough)} ms: ${direction}.`;
}
