import { setTimeout as sleep } from 'node:timers/promises';
import type { Memory } from './protocol.ts';

/** What the process holds when garbage has been collected. */
export async function memoryNow(): Promise<Memory> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('memory can only be measured with --expose-gc');
  // What has ended is let go of a few turns later.
  for (let round = 0; round < 3; round += 1) {
    await sleep(20);
    gc();
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, resident: rss };
}

export const grown = (before: Memory, after: Memory): Memory => ({
  heap: after.heap - before.heap,
  resident: after.resident - before.resident,
});
