/**
 * Runs the end-to-end tests on the dev shard, with our virtual workspaces in front of it. Nothing else is needed, and any free ports do.
 * Its last line counts the tests: `N passed, N failed, N skipped`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DevServers, writeTarget } from './harness/dev-servers.ts';
import { makePlans, type Plan } from './harness/plan.ts';
import { type Counts, runTests } from './harness/tests.ts';

const PROJECT = join(import.meta.dirname, '..');

/** For everything, both topologies included. */
const TIME_LIMIT = 20 * 60_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function stopSignal(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort());
  return AbortSignal.any([interrupted.signal, AbortSignal.timeout(TIME_LIMIT)]);
}

/** One shard, one run of all tests. The work directory stays behind when something failed. */
async function runPlan(plan: Plan, stop: AbortSignal): Promise<Counts> {
  const workDir = mkdtempSync(join(tmpdir(), 'kcp-vw-dev-e2e-'));
  const began = performance.now();
  const servers = await DevServers.start({ project: PROJECT, workDir, plan, stop });
  let succeeded = false;
  try {
    say(`${plan.name}: ready after ${Math.round(performance.now() - began)} ms in ${workDir}, running the tests`);
    const targetFile = writeTarget(servers, workDir);
    const counts = await runTests({ project: PROJECT, targetFile, workDir, parameters: process.argv.slice(2), stop });
    succeeded = counts.failed === 0;
    return counts;
  } finally {
    await servers.end();
    if (succeeded) rmSync(workDir, { recursive: true });
    else say(`${plan.name}: the logs are in ${join(workDir, 'logs')}`);
  }
}

/** Turns an error into one failure: the last line must count it, and another topology may still be worth running. */
async function counted(name: string, run: () => Promise<Counts>): Promise<Counts> {
  try {
    return await run();
  } catch (error) {
    say(`${name}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function main(): Promise<Counts> {
  const stop = stopSignal();
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const plan of makePlans(process.env, PROJECT)) {
    const counts = await counted(plan.name, () => runPlan(plan, stop));
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  return total;
}

const { passed, failed, skipped } = await counted('e2e', main);
say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
