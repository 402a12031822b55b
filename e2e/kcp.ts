/**
 * Runs the end-to-end tests on a real kcp, with our virtual workspaces in place of kcp's own.
 * Its last line counts the tests: `N passed, N failed, N skipped`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Binaries, findBinaries } from './harness/binaries.ts';
import { describeWorkDir } from './harness/describe-work-dir.ts';
import { KcpServer } from './harness/kcp-server.ts';
import { makePlans, type Plan, writeStarter } from './harness/plan.ts';
import { requireFreePorts } from './harness/ports.ts';
import { type Counts, runTests } from './harness/tests.ts';

const PROJECT = join(import.meta.dirname, '..');

/** For everything, both topologies included. */
const TIME_LIMIT = 25 * 60_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Aborted by the time limit and by whoever interrupts the run: servers in groups of their own would outlive it otherwise. */
function stopSignal(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort());
  return AbortSignal.any([interrupted.signal, AbortSignal.timeout(TIME_LIMIT)]);
}

/** One kcp, one run of all tests. The work directory stays behind when something failed. */
async function runPlan(plan: Plan, binaries: Binaries & { readonly found: true }, stop: AbortSignal): Promise<Counts> {
  await requireFreePorts();
  const workDir = mkdtempSync(join(tmpdir(), 'kcp-vw-e2e-'));
  say(`${plan.name}: starting kcp with ${plan.executable} in ${workDir}`);
  const kcp = KcpServer.start({ binaries, workDir, virtualWorkspaces: writeStarter(plan, workDir), stop });
  let succeeded = false;
  try {
    await kcp.untilReady();
    const targetFile = join(workDir, 'target.json');
    writeFileSync(targetFile, JSON.stringify(describeWorkDir(workDir, plan), undefined, 2));
    say(`${plan.name}: kcp is ready, running the tests`);
    const counts = await runTests({ project: PROJECT, targetFile, workDir, parameters: process.argv.slice(2), stop });
    succeeded = counts.failed === 0;
    return counts;
  } catch (error) {
    say(kcp.logTails());
    throw error;
  } finally {
    await kcp.end();
    if (succeeded) rmSync(workDir, { recursive: true });
    else say(`${plan.name}: the logs are in ${join(workDir, 'logs')}`);
  }
}

async function main(): Promise<Counts> {
  const binaries = findBinaries(process.env);
  if (!binaries.found) {
    say(`SKIPPED: the end-to-end tests need a real kcp v0.32.3, and there is ${binaries.why}.`);
    say("Build kcp's programs and name their folder in KCP_BIN to run them.");
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const stop = stopSignal();
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const plan of makePlans(process.env, PROJECT)) {
    const counts = await counted(plan.name, () => runPlan(plan, binaries, stop));
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  return total;
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

const { passed, failed, skipped } = await counted('e2e', main);
say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
