import type { Memory } from '../measure.ts';
import { figure, table } from './table.ts';

const MEGABYTE = 1024 ** 2;

/** Resident memory of each contender over the whole run; undefined when nobody has processes. */
export function renderMemory(memory: readonly Memory[]): string | undefined {
  if (memory.length === 0) return undefined;
  const lines = memory.map(({ after, before, contender }) => [
    contender,
    ...[before, after, after - before].map(bytes => figure(bytes / MEGABYTE)),
  ]);
  return `Resident memory:\n\n${table([['contender', 'MB before all cases', 'MB after them', 'grown by MB'], ...lines])}`;
}
