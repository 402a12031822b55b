import { setTimeout as sleep } from 'node:timers/promises';
import type { Measurement, RequestsJob, Step } from './job.ts';
import { Meter } from './meter.ts';
import { openSender, type Sender } from './sender.ts';

let operations = 0;

/** Fills a step's placeholders. */
function named(step: Step, name: string): Step {
  const filled = { ...step, path: step.path.replace('{name}', name) };
  return step.body === undefined ? filled : { ...filled, body: step.body.replace('{name}', name) };
}

/** Sends the operation on every lane again and again, and measures what ends within the duration. */
export async function runRequests(job: RequestsJob): Promise<Measurement> {
  const { access, concurrency, duration, protocol, processes, sessions, steps, warmUp } = job;
  const sender = await openSender(access, protocol, protocol === 'HTTP/2' ? sessions : concurrency);
  const results = { latencies: [] as number[], bytes: 0 };
  const state = { measuring: false, stopped: false };
  const lanes = Promise.all(Array.from({ length: concurrency }, () => lane(sender, steps, results, state)));
  try {
    // A lane that fails ends the job at once.
    await Promise.race([sleep(warmUp), lanes]);
    const meter = new Meter(processes);
    state.measuring = true;
    await Promise.race([sleep(duration), lanes]);
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

async function lane(
  sender: Sender,
  steps: readonly Step[],
  results: { readonly latencies: number[]; bytes: number },
  state: { readonly measuring: boolean; readonly stopped: boolean },
): Promise<void> {
  while (!state.stopped) {
    const name = `bench-${process.pid}-${operations++}`;
    const started = performance.now();
    let bytes = 0;
    for (const step of steps) bytes += await sender.send(named(step, name));
    if (!state.measuring) continue;
    results.latencies.push(performance.now() - started);
    results.bytes += bytes;
  }
}
