/** What a run has shown, as a table. */
import type { Measurement } from '../load/job.ts';
import { figure, table } from '../report/table.ts';
import { median } from '../statistics.ts';
import type { ContenderName } from './cases.ts';
import { FLEET, SERVICES, SHARD } from './stage.ts';

const MEGABYTE = 1024 ** 2;
const KILOBYTE = 1024;

export interface SyncerRow {
  readonly title: string;
  readonly unit: string;
  /** By contender, the measurement of each round. */
  readonly measured: ReadonlyMap<ContenderName, readonly Measurement[]>;
}

type Value = (measurement: Measurement) => number;

const cpuOf =
  (group: string): Value =>
  ({ cpu }) =>
    cpu[group] ?? 0;
const ofAll: Value = measurement => cpuOf(FLEET)(measurement) + cpuOf(SHARD)(measurement);
const memoryOf =
  (group: string): Value =>
  ({ resident }) =>
    (resident[group] ?? 0) / MEGABYTE;

const medianOf = (value: Value, measurements: readonly Measurement[] | undefined): number =>
  median((measurements ?? []).map(value));

/** Of one row, a value by the same of another contender; nothing for that one itself. */
const against = (base: ContenderName, value: Value, { measured }: SyncerRow, contender: ContenderName): string =>
  contender === base || !measured.has(base)
    ? figure(undefined)
    : figure(medianOf(value, measured.get(contender)) / medianOf(value, measured.get(base)));

const HEADING = [
  ...['', 'asked', 'per s', 'p50 ms', ...SERVICES.map(name => `${name} ms`), 'fleet CPU ms', '× pass-through', 'shard CPU ms'],
  ...['× shard in all', 'KB', 'fleet MB', 'syncer-vw MB'],
];

/** `text`: command and machine, for the beginning. */
export function renderReport(rows: readonly SyncerRow[], text: string): string {
  return [text, 'CPU and KB are of one operation:', renderTable(rows)].join('\n\n');
}

export const renderTable = (rows: readonly SyncerRow[]): string => table([HEADING, ...rows.flatMap(linesOf)]);

function linesOf(row: SyncerRow): string[][] {
  return [...row.measured].map(([contender, measurements]) => {
    const of = (value: Value): string => figure(medianOf(value, measurements));
    const isShard = contender === 'shard';
    const own = (value: Value): string => (isShard ? figure(undefined) : of(value));
    return [
      ...[`${row.title}, a ${row.unit}`, contender, of(({ operations, seconds }) => operations / seconds), of(({ p50 }) => p50)],
      ...SERVICES.map(name => own(cpuOf(name))),
      ...[
        own(cpuOf(FLEET)),
        isShard ? figure(undefined) : against('pass-through', cpuOf(FLEET), row, contender),
        of(cpuOf(SHARD)),
      ],
      ...[against('shard', ofAll, row, contender), of(({ bytesPerOperation }) => bytesPerOperation / KILOBYTE || Number.NaN)],
      ...[own(memoryOf(FLEET)), own(memoryOf('syncer-vw'))],
    ];
  });
}
