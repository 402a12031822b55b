/** What a cell says of its contender alone. */
import type { Measurement } from '../load/job.ts';
import { type Cell, isMeasurement } from '../measure.ts';
import { type ContenderName, OURS, SHARD } from '../target.ts';

export const rateOf = ({ operations, seconds }: Measurement): number => operations / seconds;

/** Share of a processor beyond which a generator of one thread has no time left for more requests. */
const SATURATED = 0.85;

/** Whether the rate says how fast the load generator is: the server could have done more. */
export const isLowerBound = ({ generator }: Measurement): boolean => generator > SATURATED;

/** The shard as a contender has no processes of its own. */
const hasOwn = ({ resident }: Measurement): boolean => (resident[OURS] ?? 0) > 0;

/** Milliseconds per operation, without the shard's; undefined for the shard itself. */
export const ownCPU = (result: Measurement): number | undefined => (hasOwn(result) ? result.cpu[OURS] : undefined);
export const shardCPU = ({ cpu }: Measurement): number | undefined => cpu[SHARD];
/** Bytes; undefined for the shard. */
export const ownMemory = (result: Measurement): number | undefined => (hasOwn(result) ? result.resident[OURS] : undefined);
/** Bytes; undefined for the shard. */
export const ownGrowth = (result: Measurement): number | undefined =>
  hasOwn(result) ? (result.grown[OURS] ?? Number.NaN) : undefined;
/** Bytes for each operation. */
export const ownGrowthPerOperation = (result: Measurement): number | undefined => ratio(ownGrowth(result), result.operations);
/** Bytes of the shard. */
export const shardMemory = ({ resident }: Measurement): number | undefined => resident[SHARD];

/** The measurement of the contender in a row, if it has one. */
export function measurementOf(cells: readonly Cell[], contender: ContenderName): Measurement | undefined {
  const result = cells.find(cell => cell.contender === contender)?.result;
  return isMeasurement(result) ? result : undefined;
}

/** One by the other, where there are both. */
export const ratio = (value: number | undefined, base: number | undefined): number | undefined =>
  value === undefined || base === undefined ? undefined : value / base;
