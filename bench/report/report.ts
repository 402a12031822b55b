/** What a run has measured, as the README holds it. */
import { cpus, totalmem } from 'node:os';
import type { Results } from '../measure.ts';
import type { BenchOptions } from '../options.ts';
import { renderDetails } from './details.ts';
import { renderGoals } from './goals.ts';
import { renderMemory } from './memory.ts';
import { renderBudget, renderSummary } from './summary.ts';

const GIGABYTE = 1024 ** 3;

const LEGEND = [
  'Requests: rate against the bare shard, own CPU per request.',
  'Fan-out: p99, own CPU per delivery.',
  'Idle watches: memory of each.',
  'Repeated lists: the most memory, and by how much its last quarter is above its first.',
].join(' ');

export interface Circumstances extends Pick<BenchOptions, 'rounds' | 'timing' | 'workload'> {
  readonly command: string;
  /** The shard, in a few words. */
  readonly target: string;
  readonly day: Date;
}

export function renderReport(
  { memory, rows }: Results,
  { command, day, rounds, target, timing, workload }: Circumstances,
): string {
  const time = `${timing.duration / 1000} s after ${timing.warmUp / 1000} s of warm-up`;
  const rule = `Medians of ${rounds} round${rounds === 1 ? '' : 's'}, each cell ${time}.`;
  return [
    `\`${command}\` on ${day.toISOString().slice(0, 10)}: ${target}; ${describeMachine()}. ${rule}`,
    renderSummary(rows),
    LEGEND,
    renderGoals(rows, workload.goals),
    renderBudget(rows),
    renderMemory(memory),
    ...rows.map(renderDetails),
  ]
    .filter(part => part !== undefined)
    .join('\n\n');
}

export function describeMachine(): string {
  const processors = cpus();
  const model = processors[0]?.model ?? 'unknown processors';
  return `${processors.length} × ${model}, ${Math.round(totalmem() / GIGABYTE)} GB, Node ${process.versions.node}, Linux`;
}
