import { eventually } from '@kcp-vw/e2e/support/eventually.ts';
import type { Case, Timing } from './case.ts';
import type { Job, Measurement } from './load/job.ts';
import type { LoadProcess } from './load-process.ts';
import { residentOf } from './proc/usage.ts';
import { DISTURBED, type Patience } from './quiet.ts';
import { median } from './statistics.ts';
import { type Contender, type ContenderName, OURS, SHARD, type Target } from './target.ts';

/** The medians of one contender in one case, or why there are none. */
export interface Cell {
  readonly contender: ContenderName;
  readonly result: Measurement | { readonly failed: string } | 'not applicable';
}

export interface Row {
  readonly case: Case;
  readonly cells: readonly Cell[];
}

/** Bytes that a contender holds before the first case and after the last; of the shard as a contender, the shard's. */
export interface Memory {
  readonly contender: ContenderName;
  readonly before: number;
  readonly after: number;
}

export interface Results {
  readonly rows: readonly Row[];
  readonly memory: readonly Memory[];
}

export interface Run {
  readonly target: Target;
  /** The request that everybody answers. */
  readonly probe: Case;
  readonly load: LoadProcess;
  readonly timing: Timing;
  readonly patience: Patience;
  readonly stop: AbortSignal;
  readonly say: (text: string) => void;
}

/** Measures every case on every contender, in each round in another order: whoever comes first finds a quieter machine. */
export async function measure(run: Run, cases: readonly Case[], rounds: number): Promise<Results> {
  const { contenders } = run.target;
  const rows: Row[] = [];
  for (const contender of contenders) await untilServed(run, contender);
  const before = memoryOf(run.target);
  let isCompiled = false;
  for (const current of cases) {
    // Before memory is looked at nothing else may have grown it.
    if (!isCompiled && current.about !== 'memory') {
      for (const contender of contenders) await compile(run, contender);
      isCompiled = true;
    }
    const results = new Map<ContenderName, Cell['result'][]>(contenders.map(({ name }) => [name, []]));
    for (let round = 0; round < (current.once ? 1 : rounds * (current.rounds ?? 1)); round++) {
      const shift = round % contenders.length;
      for (const contender of [...contenders.slice(shift), ...contenders.slice(0, shift)]) {
        results.get(contender.name)?.push(await measureCell(run, current, contender));
      }
    }
    rows.push({ case: current, cells: [...results].map(([contender, all]) => ({ contender, result: summarize(all) })) });
  }
  const after = memoryOf(run.target);
  const memory = Object.entries(before).map(([name, bytes]) => ({
    contender: name as ContenderName,
    before: bytes,
    after: after[name] ?? Number.NaN,
  }));
  return { rows, memory };
}

/** By the contender's name; the shard's is its own, and in somebody's name it is the same one. */
function memoryOf({ contenders, processes }: Target): Record<string, number> {
  const own = contenders.filter(({ pids }) => pids.length > 0).map(({ name, pids }) => [name, pids] as const);
  return residentOf({ shard: processes[SHARD] ?? [], ...Object.fromEntries(own) });
}

/** Milliseconds. */
const FIRST_REQUESTS = 300;

/** A server that says that it is ready may still have to hear of what it is asked for. One that never does fails in each case, and tells. */
async function untilServed(run: Run, contender: Contender): Promise<void> {
  const timing = { compilation: 0, warmUp: 0, duration: FIRST_REQUESTS };
  const job = jobOf({ ...run, timing }, run.probe, contender);
  if (job === undefined) return;
  try {
    await eventually(`an answer of ${contender.name}`, async () => {
      run.stop.throwIfAborted();
      await run.load.run(job);
    });
  } catch (error) {
    run.stop.throwIfAborted();
    run.say(`${contender.name}: FAILED: ${messageOf(error)}`);
  }
}

/** What fails here fails again, and is told, when it is measured. */
async function compile(run: Run, contender: Contender): Promise<void> {
  run.stop.throwIfAborted();
  const { timing } = run;
  const job = jobOf({ ...run, timing: { ...timing, warmUp: 0, duration: timing.compilation } }, run.probe, contender);
  if (job === undefined) return;
  try {
    await run.load.run(job);
  } catch (error) {
    run.say(`warming up ${contender.name}: FAILED: ${messageOf(error)}`);
  }
}

function jobOf({ target, timing }: Run, current: Case, contender: Contender): Job | undefined {
  const processes = { ...target.processes, [OURS]: contender.pids };
  return current.job(contender, { processes, timing, writer: target.writer });
}

/** How often a disturbed measurement is made again. */
const REPETITIONS = 2;

/** One measurement, the least disturbed of a few where others use the machine. A failure is a result too: it must not cost the run. */
export async function measureCell(run: Run, current: Case, contender: Contender): Promise<Cell['result']> {
  const { patience, say, stop } = run;
  stop.throwIfAborted();
  const job = jobOf(run, current, contender);
  if (job === undefined) return 'not applicable';
  try {
    let best = await runOnce(run, job);
    // Memory shows how it grows the first time only.
    const repetitions = current.about === 'memory' || current.about === 'growth' ? 0 : REPETITIONS;
    for (let i = 0; i < repetitions && best.elsewhere > DISTURBED && !patience.isOver; i++) {
      const began = performance.now();
      const again = await runOnce(run, job);
      patience.take(performance.now() - began);
      if (again.elsewhere < best.elsewhere) best = again;
    }
    say(`${current.name} ${contender.name}: ${describe(best)}`);
    return best;
  } catch (error) {
    stop.throwIfAborted();
    say(`${current.name} ${contender.name}: FAILED: ${messageOf(error)}`);
    return { failed: messageOf(error) };
  }
}

async function runOnce({ load, patience }: Run, job: Job): Promise<Measurement> {
  await patience.untilQuiet();
  return load.run(job);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function describe({ cpu, elsewhere, operations, p50, p99, seconds }: Measurement): string {
  const rate = (operations / seconds).toFixed(1);
  const own = (cpu[OURS] ?? 0) === 0 ? '' : `${cpu[OURS]?.toFixed(3)} ms of CPU, `;
  return `${rate}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${own}${Math.round(elsewhere * 100)} % of the machine elsewhere`;
}

export function isMeasurement(result: Cell['result'] | undefined): result is Measurement {
  return typeof result === 'object' && !('failed' in result);
}

/** The medians over the rounds. A round that failed makes the whole cell a failure: the others would hide it. */
export function summarize(results: readonly Cell['result'][]): Cell['result'] {
  const measured = results.filter(isMeasurement);
  const other = results.find(result => !isMeasurement(result));
  if (other !== undefined || measured.length === 0) return other ?? 'not applicable';
  const of = (value: (result: Measurement) => number): number => median(measured.map(value));
  const perGroup = (groups: (result: Measurement) => Readonly<Record<string, number>>): Record<string, number> => {
    const names = new Set(measured.flatMap(result => Object.keys(groups(result))));
    return Object.fromEntries([...names].map(name => [name, of(result => groups(result)[name] ?? 0)]));
  };
  const operations = of(result => result.operations);
  return {
    operations,
    // So that the rate is the median of the rates.
    seconds: operations / of(result => result.operations / result.seconds),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    bytesPerOperation: of(({ bytesPerOperation }) => bytesPerOperation),
    cpu: perGroup(({ cpu }) => cpu),
    resident: perGroup(({ resident }) => resident),
    grown: perGroup(({ grown }) => grown),
    generator: of(({ generator }) => generator),
    elsewhere: of(({ elsewhere }) => elsewhere),
  };
}
