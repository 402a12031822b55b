import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TargetDescription } from '../target.ts';
import { makePlans, type Plan } from './plan.ts';
import { type Counts, runTests } from './tests.ts';

const PROJECT = join(import.meta.dirname, '../..');

export interface StageOptions {
  readonly project: string;
  /** Absolute; everything that the servers write goes below it. */
  readonly workDir: string;
  readonly plan: Plan;
  /** Default 1. */
  readonly shards?: number;
  /** Aborted when the run is to end early. */
  readonly stop: AbortSignal;
}

/** Servers that are ready for tests. */
export interface Servers {
  readonly description: TargetDescription;
  /** The last lines of every log. */
  logTails(): string;
  /** Throws when one survives. */
  end(): Promise<void>;
}

/** What the tests can run on. */
export interface Stage {
  readonly name: string;
  /** So many shards unless `E2E_SHARDS` says otherwise. */
  readonly shards: number;
  /** Milliseconds for everything, all topologies included. */
  readonly timeLimit: number;
  /** Leaves nothing running when it rejects. */
  start(options: StageOptions): Promise<Servers>;
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/**
 * Runs the end-to-end tests on a stage, once for each topology, and ends the process; `E2E_LONG=no` leaves out those that take long. Its last line counts the tests:
 * `N passed, N failed, N skipped`.
 */
export async function runEndToEnd(stage: Stage): Promise<never> {
  return finish(await runOnStage(stage, 'e2e', runJestTests));
}

/** Says the last line of a run, and ends the process. */
export function finish({ passed, failed, skipped }: Counts, subject = ''): never {
  say(`${subject}${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed === 0 ? 0 : 1);
}

/** Servers that are ready, and where they keep their files. */
export interface ReadyServers extends StageOptions {
  readonly servers: Servers;
}

/** Runs `tests` on the stage, once for each topology. What throws counts as one failure; the servers end in any case. */
export function runOnStage(stage: Stage, name: string, tests: Tests): Promise<Counts> {
  return counted(name, () => runPlans(stage, tests));
}

function runJestTests({ project, workDir, servers, stop }: ReadyServers): Promise<Counts> {
  const targetFile = join(workDir, 'target.json');
  writeFileSync(targetFile, JSON.stringify(servers.description, undefined, 2));
  return runTests({ project, targetFile, workDir, parameters: process.argv.slice(2), long: process.env.E2E_LONG !== 'no', stop });
}

type Tests = (ready: ReadyServers) => Promise<Counts>;

async function runPlans(stage: Stage, tests: Tests): Promise<Counts> {
  const shards = shardCount(stage);
  const stop = stopSignal(stage.timeLimit);
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const plan of makePlans({ E2E_VIEWS: 'workspaces,syncer', ...process.env }, PROJECT)) {
    const counts = await counted(plan.name, () => runPlan(stage, plan, shards, stop, tests));
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  return total;
}

function shardCount(stage: Stage): number {
  const wanted = process.env.E2E_SHARDS;
  const count = wanted === undefined ? stage.shards : Number(wanted);
  if (!Number.isInteger(count) || count < 1) throw new Error(`E2E_SHARDS is ${wanted}; it may be a number from 1`);
  return count;
}

/** Aborted by the time limit and by whoever interrupts the run: servers in groups of their own would outlive it otherwise. */
function stopSignal(timeLimit: number): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort());
  return AbortSignal.any([interrupted.signal, AbortSignal.timeout(timeLimit)]);
}

/** One start of the servers, one run of all tests. The work directory stays behind when something failed. */
async function runPlan(stage: Stage, plan: Plan, shards: number, stop: AbortSignal, tests: Tests): Promise<Counts> {
  const workDir = mkdtempSync(join(tmpdir(), `kcp-vw-e2e-${stage.name.replaceAll(' ', '-')}-`));
  const began = performance.now();
  let succeeded = false;
  try {
    say(`${plan.name}: starting ${stage.name} with shards: ${shards}, ${plan.executable}, in ${workDir}`);
    const options = { project: PROJECT, workDir, plan, shards, stop };
    const servers = await stage.start(options);
    try {
      say(`${plan.name}: ready after ${Math.round(performance.now() - began)} ms, running the tests`);
      const counts = await tests({ ...options, servers });
      succeeded = counts.failed === 0;
      return counts;
    } catch (error) {
      say(servers.logTails());
      throw error;
    } finally {
      await servers.end();
    }
  } finally {
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
