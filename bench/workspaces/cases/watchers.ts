import { setTimeout as sleep } from 'node:timers/promises';
import { Watches } from '../client.ts';
import type { Measured } from '../protocol.ts';
import type { EventResult, WatchersResult } from '../results.ts';
import { type Run, timesOf } from '../run.ts';
import { TEN } from '../world.ts';
import { versionFor } from './changes.ts';

/** Of so many, one watches all parents. */
const ONE_OF = 10;
const AT_ONCE = 20;
/** Lines of a burst: fewer than what may wait for a watcher, and enough to keep everybody busy. */
const BURST_LINES = 5_000;
const LONGEST_BURST = 400;
const SETTLE = 500;

export async function measureWatchers(run: Run, count: number): Promise<WatchersResult> {
  const { server, socketPath, world } = run;
  // Once before: what is remembered of callers, for whoever comes again, is no watcher's.
  const earlier = new Watches(socketPath);
  await openAll(run, earlier, count);
  earlier.close();
  const before = (await untilGone(run)).memory;
  const watches = new Watches(socketPath);
  try {
    await openAll(run, watches, count);
    const { followers, memory } = await server.measure();
    if (followers !== count) throw new Error(`${followers} watch, not ${count}`);
    const { all, one, ten } = world.watched;
    const events = [
      await measureEvents(run, watches, one.index, 1),
      await measureEvents(run, watches, ten.index, TEN),
      await measureEvents(run, watches, all.index, count),
    ];
    watches.close();
    const after = (await untilGone(run)).memory;
    return {
      watchers: count,
      heap: (memory.heap - before.heap) / count,
      resident: (memory.resident - before.resident) / count,
      left: (after.heap - before.heap) / count,
      events,
    };
  } finally {
    watches.close();
  }
}

/** Each of another user, most of the first parent. */
async function openAll(run: Run, watches: Watches, count: number): Promise<void> {
  const open = async (index: number): Promise<void> => {
    const who = run.world.watcher(index);
    const parent = index % ONE_OF === 0 ? '*' : 'root:org-00';
    await watches.open(who, parent, await versionFor(run, who, parent));
  };
  for (let index = 0; index < count; index += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - index) }, (_, at) => open(index + at)));
  }
  await sleep(SETTLE);
}

async function measureEvents(run: Run, watches: Watches, index: number, lines: number): Promise<EventResult> {
  const { pace, revision, server } = run;
  const writes: number[] = [];
  const arrivals: number[] = [];
  for (let at = 0; at < pace.events + 2; at += 1) {
    const arrived = watches.next(lines);
    const [{ began, took }] = await Promise.all([server.write({ renew: [index], revision: revision() }), arrived]);
    if (at < 2) continue;
    writes.push(took);
    arrivals.push(Number((watches.arrivals.at(-1) ?? 0n) - BigInt(began)) / 1e6);
  }
  const name = lines === 1 ? 'one' : lines === TEN ? 'ten' : 'all';
  return {
    name,
    lines,
    write: timesOf(writes),
    arrival: timesOf(arrivals),
    ...(await measureBursts(run, watches, index, lines)),
  };
}

/** As many as there can be: each burst begins when the last line of the one before is read. */
async function measureBursts(
  { pace, revision, server }: Run,
  watches: Watches,
  index: number,
  lines: number,
): Promise<Pick<EventResult, 'perSecond' | 'cpuPerLine'>> {
  const events = Math.min(LONGEST_BURST, Math.ceil(BURST_LINES / lines));
  const cpu = await server.cpu();
  const began = performance.now();
  let sent = 0;
  while (performance.now() - began < pace.sustained) {
    const from = revision();
    for (let at = 1; at < events; at += 1) revision();
    const arrived = watches.next(lines * events);
    await Promise.all([server.burst(index, from, events), arrived]);
    sent += events;
  }
  const seconds = (performance.now() - began) / 1_000;
  return { perSecond: sent / seconds, cpuPerLine: ((await server.cpu()) - cpu) / sent / lines };
}

async function untilGone({ server }: Run): Promise<Measured> {
  for (;;) {
    const measured = await server.measure();
    if (measured.followers === 0) return measured;
    await sleep(SETTLE);
  }
}
