/** What is to be reached, and whether it was. */
import type { Row } from '../measure.ts';
import type { Goal } from '../workload.ts';
import { measurementOf, ownCPU, ownGrowth, ownMemory, rateOf, ratio } from './figures.ts';
import { figure, table } from './table.ts';

type Measured = NonNullable<ReturnType<typeof measurementOf>>;

/** What a goal compares; growth is compared with the contender's own memory. */
const VALUES: Readonly<Record<Exclude<Goal['of'], 'growth'>, (result: Measured) => number | undefined>> = {
  rate: rateOf,
  CPU: ownCPU,
  p99: ({ p99 }) => p99,
  memory: ownMemory,
};

/** Undefined where one side was not measured. */
function reached({ cells }: Row, { contender, of }: Goal): number | undefined {
  const result = measurementOf(cells, contender);
  if (result === undefined) return undefined;
  if (of === 'growth') return ratio(ownGrowth(result), ownMemory(result));
  const go = measurementOf(cells, 'kcp-go');
  return go && ratio(VALUES[of](result), VALUES[of](go));
}

const asked = ({ limit, of }: Goal): string =>
  of === 'growth' ? `≤ ${figure(limit)}× itself` : `${of === 'rate' ? '≥' : '≤'} ${figure(limit)}× Go`;

/** What goals in a failed cell, or beside one, have reached. */
const UNKNOWN = 'unknown';

function verdict({ limit, of }: Goal, value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  return (of === 'rate' ? value >= limit : value <= limit) ? 'yes' : 'no';
}

/** Undefined when nothing that has a goal took part beside kcp's own server. */
export function renderGoals(rows: readonly Row[], goals: readonly Goal[]): string | undefined {
  const lines = rows.flatMap(row => {
    const present = row.cells.map(({ contender }) => contender);
    const own = goals.filter(goal => goal.case === row.case.name && present.includes(goal.contender));
    return (present.includes('kcp-go') ? own : []).map(goal => {
      const value = reached(row, goal);
      const told = value === undefined ? figure(value) : `${figure(value)}×`;
      return [`\`${goal.case}\``, goal.contender, goal.of, asked(goal), told, verdict(goal, value)];
    });
  });
  if (lines.length === 0) return undefined;
  const met = lines.filter(line => line.at(-1) === 'yes').length;
  const heading = ['case', 'contender', 'of', 'asked', 'reached', 'met'];
  return `What was to be reached in this run (${met} of ${lines.length} met):\n\n${table([heading, ...lines])}`;
}
