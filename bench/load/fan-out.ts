import { setTimeout as sleep } from 'node:timers/promises';
import type { FanOutJob, Measurement } from './job.ts';
import { Meter } from './meter.ts';
import { openSender } from './sender.ts';
import { Watches } from './watches.ts';

/** Until the last event has arrived everywhere. */
const ARRIVAL_LIMIT = 60_000;
/** Before the first event: opening the watches must not be measured with it. */
const SETTLE = 1_500;
const WRITERS = 4;

/** Writes events at a fixed pace and takes how long each needs to each watcher, from when its write was sent. */
export async function runFanOut(job: FanOutJob): Promise<Measurement> {
  const { access, cleanUp, events, interval, path, perSession, processes, watchers, write, writer } = job;
  const sentAt: number[] = [];
  const latencies: number[] = [];
  const watches = new Watches(access, path);
  const sender = await openSender(writer, 'HTTP/1.1', WRITERS);
  try {
    await watches.open(watchers, perSession, index => {
      const sent = sentAt[index];
      if (sent !== undefined) latencies.push(performance.now() - sent);
    });
    await sleep(SETTLE);
    watches.forget();
    const meter = new Meter(processes);
    const run = `${process.pid}-${Math.round(performance.now())}`;
    for (let index = 0; index < events; index++) {
      const name = `event-${run}-${index}`;
      const step = { ...write, body: (write.body ?? '').replace('{name}', name) };
      sentAt.push(performance.now());
      // One after the other, so that the order of events is the order of writes.
      await Promise.all([sender.send(step), sleep(interval)]);
    }
    await arrived(() => latencies.length, watchers * events, watches);
    return meter.stop(latencies, 0);
  } finally {
    watches.close();
    try {
      await sender.send(cleanUp);
    } finally {
      await sender.close();
    }
  }
}

async function arrived(count: () => number, wanted: number, watches: Watches): Promise<void> {
  const deadline = performance.now() + ARRIVAL_LIMIT;
  while (count() < wanted) {
    if (watches.failed !== undefined) throw new Error(`${count()} of ${wanted} events had arrived: ${watches.failed.message}`);
    if (performance.now() > deadline) throw new Error(`only ${count()} of ${wanted} events have arrived`);
    await sleep(5);
  }
}
