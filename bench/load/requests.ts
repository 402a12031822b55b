import { setTimeout as sleep } from 'node:timers/promises';
import type { Measurement, RequestsJob, Step } from './job.ts';
import { Meter } from './meter.ts';
import { openSender, type Sender } from './sender.ts';

let operations = 0;

/** Operations of each lane, on average, below which a measurement says nothing: it goes on until there are so many. */
const LEAST_PER_LANE = 4;
/** Milliseconds by which that may prolong it. */
const PROLONGED = 20_000;
const LOOK = 20;

/** Fills a step's placeholders. */
function named(step: Step, name: string, lane: number): Step {
  const fill = (text: string): string => text.replaceAll('{name}', name).replaceAll('{lane}', String(lane));
  const filled = { ...step, path: fill(step.path) };
  return step.body === undefined ? filled : { ...filled, body: fill(step.body) };
}

/** Sends the operation on every lane again and again, and measures what ends within the duration. */
export async function runRequests(job: RequestsJob): Promise<Measurement> {
  const { access, concurrency, duration, protocol, processes, sessions, steps, warmUp } = job;
  const sender = await openSender(access, protocol, protocol === 'HTTP/2' ? sessions : concurrency);
  const results = { latencies: [] as number[], bytes: 0 };
  const state = { measuring: false, stopped: false };
  const lanes = Promise.all(Array.from({ length: concurrency }, (_, i) => runLane(i, sender, steps, results, state)));
  try {
    // A lane that fails ends the job at once.
    await Promise.race([sleep(warmUp), lanes]);
    const meter = new Meter(processes, job.sampling);
    state.measuring = true;
    const enough = (): boolean => results.latencies.length >= concurrency * LEAST_PER_LANE;
    await Promise.race([untilEnough(duration, enough), lanes]).finally(() => meter.endSampling());
    state.measuring = false;
    const measurement = meter.stop(results.latencies, results.bytes);
    state.stopped = true;
    await lanes;
    return measurement;
  } finally {
    state.stopped = true;
    await sender.close();
  }
}

/** Resolves after the duration, and later while there are not enough operations on a slow server. */
async function untilEnough(duration: number, enough: () => boolean): Promise<void> {
  await sleep(duration);
  const deadline = performance.now() + PROLONGED;
  while (!enough() && performance.now() < deadline) await sleep(LOOK);
}

async function runLane(
  lane: number,
  sender: Sender,
  steps: readonly Step[],
  results: { readonly latencies: number[]; bytes: number },
  state: { readonly measuring: boolean; readonly stopped: boolean },
): Promise<void> {
  while (!state.stopped) {
    const name = `bench-${process.pid}-${operations++}`;
    const started = performance.now();
    let bytes = 0;
    for (const step of steps) bytes += await sender.send(named(step, name, lane));
    if (!state.measuring) continue;
    results.latencies.push(performance.now() - started);
    results.bytes += bytes;
  }
}
