/** What groups of processes have cost. */
import { readdirSync, readFileSync } from 'node:fs';
import { type MachineUsage, type ProcessStat, parseMachine, parseSchedstat, parseStat } from './files.ts';
import { treeOf } from './tree.ts';

/** Process ids of groups of processes by the group's name; each stands for itself and all of its descendants. */
export type Processes = Readonly<Record<string, readonly number[]>>;

export interface Usage {
  /** Milliseconds of CPU so far by thread: a thread that ends must not take from what the others have used. */
  readonly cpu: ReadonlyMap<number, number>;
  /** Bytes now, summed: pages that processes share count for each. */
  readonly resident: number;
}

/** The file, or undefined when its process has gone in the meantime. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');

type Found = ProcessStat & { readonly pid: number };

function all(): Found[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      const text = read(`/proc/${name}/stat`);
      return text === undefined ? [] : [{ pid: Number(name), ...parseStat(text) }];
    });
}

/** The descendants of this process with that command name. */
export function descendantsNamed(command: string): number[] {
  return treeOf([process.pid], all())
    .filter(found => found.command === command)
    .map(({ pid }) => pid);
}

/** The child of this process with that text in its command line, which nginx rewrites as one word. */
export function childWithParameter(text: string): number | undefined {
  return all().find(({ pid, parent }) => parent === process.pid && read(`/proc/${pid}/cmdline`)?.includes(text))?.pid;
}

/** Threads of the process; none when it has gone. */
function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/**
 * `stat` counts in steps of 10 ms, in which a cheap server's work of a second gets lost; the scheduler's own account is exact.
 * A kernel without one leaves the steps.
 */
const EXACT = Number((read('/proc/self/schedstat') ?? '0').split(' ', 1)[0]) > 0;

function threadTimes({ pid, cpu }: Found): (readonly [number, number])[] {
  if (!EXACT) return [[pid, cpu]];
  return threadsOf(pid).flatMap(thread => {
    const text = read(`/proc/${pid}/task/${thread}/schedstat`);
    return text === undefined ? [] : [[Number(thread), parseSchedstat(text)] as const];
  });
}

const residentIn = (tree: readonly Found[]): number => tree.reduce((sum, process) => sum + process.resident, 0);

/** Bytes that each group of processes holds now, summed as in `Usage`. */
export function residentOf(groups: Processes): Record<string, number> {
  const processes = all();
  return Object.fromEntries(Object.entries(groups).map(([name, roots]) => [name, residentIn(treeOf(roots, processes))]));
}

/** What each group of processes has used so far, and holds now. */
export function usageOf(groups: Processes): Record<string, Usage> {
  const processes = all();
  return Object.fromEntries(
    Object.entries(groups).map(([name, roots]) => {
      const tree = treeOf(roots, processes);
      return [name, { cpu: new Map(tree.flatMap(threadTimes)), resident: residentIn(tree) }];
    }),
  );
}

/** Milliseconds of CPU between two looks at a group. What a thread used that has ended in between is lost. */
export function spent(before: Usage | undefined, after: Usage): number {
  let sum = 0;
  for (const [thread, used] of after.cpu) sum += Math.max(0, used - (before?.cpu.get(thread) ?? 0));
  return sum;
}

export function machineUsage(): MachineUsage {
  return parseMachine(readFileSync('/proc/stat', 'utf8'));
}
