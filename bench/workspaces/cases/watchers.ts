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
  const opened = async (): Promise<Watches> => {
    const watches = new Watches(socketPath);
    await openAll(run, watches, count);
    return watches;
  };
  // Once before: what is remembered of callers, for whoever comes again, is no watcher's.
  (await opened()).close();
  const before = (await untilGone(run)).memory;
  const idle = await opened();
  const { followers, memory } = await server.measure();
  if (followers !== count) throw new Error(`${followers} watch, not ${count}`);
  idle.close();
  const after = (await untilGone(run)).memory;
  const watches = await opened();
  const { all, one, ten } = world.watched;
  const events = [
    await measureEvents(run, watches, one.index, 1),
    await measureEvents(run, watches, ten.index, TEN),
    await measureEvents(run, watches, all.index, count),
  ];
  watches.close();
  return {
    watchers: count,
    heap: (memory.heap - before.heap) / count,
    left: (after.heap - before.heap) / count,
    events,
  };
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
  let cpu = 0;
  let sent = 0;
  let milliseconds = 0;
  while (milliseconds < pace.sustained) {
    const from = revision();
    for (let at = 1; at < events; at += 1) revision();
    const arrived = watches.next(lines * events);
    const [done] = await Promise.all([server.burst(index, from, events), arrived]);
    milliseconds += Number((watches.arrivals.at(-1) ?? 0n) - BigInt(done.began)) / 1e6;
    cpu += done.cpu;
    sent += events;
  }
  return { perSecond: (sent * 1_000) / milliseconds, cpuPerLine: cpu / sent / lines };
}

async function untilGone({ server }: Run): Promise<Measured> {
  for (;;) {
    const measured = await server.measure();
    if (measured.followers === 0) return measured;
    await sleep(SETTLE);
  }
}
