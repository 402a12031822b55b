import { setTimeout as sleep } from 'node:timers/promises';
import type { IdleJob, Measurement } from './job.ts';
import { Meter } from './meter.ts';
import { Watches } from './watches.ts';

/** Before memory is read: garbage of the opening is not what a watch costs. */
const SETTLE = 3_000;

/** Opens watches and takes what they add to the memory of all who hold them. */
export async function runIdle({ access, path, perSession, processes, watches: count }: IdleJob): Promise<Measurement> {
  // What the first ones load and compile is not what a further one costs. They stay open: the room that they gave back would be taken
  // again before the process grew.
  const first = new Watches(access, path);
  const watches = new Watches(access, path);
  try {
    await first.open(perSession, perSession, () => undefined);
    await sleep(SETTLE);
    const meter = new Meter(processes);
    await watches.open(count, perSession, () => undefined);
    await sleep(SETTLE);
    const failed = first.failed ?? watches.failed;
    if (failed !== undefined) throw failed;
    return meter.stop(watches.opening, 0);
  } finally {
    first.close();
    watches.close();
  }
}
