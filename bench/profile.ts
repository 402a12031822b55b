/** Where the time of our processes goes: self time by function, out of the CPU profiles that Node has written. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const PROJECT = join(import.meta.dirname, '..');
const FUNCTIONS = 25;
const FILES = 12;
/** What is no work of a function, or of every one of them. */
const IDLE = ['(idle)', '(program)', '(root)'];

/** Microseconds of the machine's monotonic clock, which all of its processes share. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** Now, as a profile tells time. */
export const profileTime = (): number => Number(process.hrtime.bigint() / 1_000n);

/** The part of Chrome's format that is read here. Times are microseconds. */
interface CpuProfile {
  readonly startTime: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly children?: readonly number[];
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The profiles in the folder, the largest first: the supervisor's says little. */
export function profilesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.cpuprofile'))
    .map(name => join(folder, name))
    .toSorted((a, b) => statSync(b).size - statSync(a).size);
}

/** Where the process has spent the period: by function and by file, and by function with all that it calls. */
export function summarizeProfile(file: string, period: Period): string {
  const { byFile, own, total } = timesOf(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile, period);
  const busy = [...own].filter(([name]) => !IDLE.includes(name)).reduce((sum, [, time]) => sum + time, 0);
  const program = own.get('(program)') ?? 0;
  return [
    `${file}: ${ms(busy)} in JavaScript and its builtins, ${ms(program)} in native code outside of any function`,
    'functions by themselves:',
    ...largest(own, busy, FUNCTIONS),
    'functions by themselves, by file:',
    ...largest(byFile, busy, FILES),
    'functions with all that they call:',
    ...largest(total, busy, FUNCTIONS),
  ].join('\n');
}

function largest(times: ReadonlyMap<string, number>, busy: number, count: number): string[] {
  return [...times]
    .filter(([name]) => !IDLE.includes(name))
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, time]) => `${((time / busy) * 100).toFixed(1).padStart(6)} %  ${name}`);
}

interface Times {
  readonly own: Map<string, number>;
  readonly byFile: Map<string, number>;
  readonly total: Map<string, number>;
}

/** Microseconds within the period. A function that is on the stack twice counts once. */
function timesOf({ nodes, samples, startTime, timeDeltas }: CpuProfile, { from, to }: Period): Times {
  const frameOf = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const nameOf = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame)]));
  const parentOf = new Map(nodes.flatMap(({ id, children = [] }) => children.map(child => [child, id] as const)));
  const times: Times = { own: new Map(), byFile: new Map(), total: new Map() };
  let at = startTime;
  samples.forEach((sample, i) => {
    const time = timeDeltas[i] ?? 0;
    at += time;
    if (at < from || at > to) return;
    add(times.own, nameOf.get(sample) ?? '(unknown)', time);
    add(times.byFile, placeOf(frameOf.get(sample)), time);
    const stack = new Set<string>();
    for (let id: number | undefined = sample; id !== undefined; id = parentOf.get(id)) stack.add(nameOf.get(id) ?? '(unknown)');
    for (const name of stack) add(times.total, name, time);
  });
  return times;
}

const add = (times: Map<string, number>, name: string, time: number): void => void times.set(name, (times.get(name) ?? 0) + time);

const ms = (microseconds: number): string => `${Math.round(microseconds / 1000)} ms`;

type Frame = CpuProfile['nodes'][number]['callFrame'];

/** The file of a function, or what stands for it where it is none of ours. */
function placeOf(frame: Frame | undefined): string {
  if (frame === undefined) return '(unknown)';
  if (frame.url === '') return IDLE.includes(frame.functionName) ? frame.functionName : '(native)';
  if (!frame.url.startsWith('file://')) return frame.url;
  const path = relative(PROJECT, frame.url.slice('file://'.length));
  return path.slice(Math.max(0, path.indexOf('node_modules/')));
}

function describe(frame: Frame): string {
  const name = frame.functionName || '(anonymous)';
  return frame.url === '' ? name : `${name}  ${placeOf(frame)}:${frame.lineNumber + 1}`;
}
