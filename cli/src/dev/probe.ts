import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningProgram } from './program.ts';

const LOOK_AGAIN_MS = 100;
const LIMIT_MS = 60_000;

/** Resolves when `url` answers 200. Throws with the end of the program's log when the program ends before, or after a minute. */
export async function untilReady(url: string, caFile: string, program: RunningProgram): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await answers(url, caFile))) {
    if (program.ended !== undefined) throw new Error(`${program.name} ended: ${program.ended}\n${program.tail()}`);
    if (performance.now() > deadline) throw new Error(`${program.name} is not ready after a minute\n${program.tail()}`);
    await sleep(LOOK_AGAIN_MS);
  }
}

/** A server that is not there, or whose certificates are not there yet, does not answer. */
async function answers(url: string, caFile: string): Promise<boolean> {
  try {
    const ca = readFileSync(caFile);
    return await new Promise<boolean>((resolve, reject) => {
      const probe = request(url, { ca, timeout: 2_000 }, response => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      probe.once('error', reject);
      probe.once('timeout', () => probe.destroy(new Error('no answer')));
      probe.end();
    });
  } catch (error) {
    if (EXPECTED.includes((error as NodeJS.ErrnoException).code ?? '') || (error as Error).message === 'no answer') return false;
    throw error;
  }
}

const EXPECTED = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET'];
