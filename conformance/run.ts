/**
 * Runs the Go clients of conformance/ against our virtual workspaces, on the dev shard or, with `KCP_BIN`, on a real kcp. Its last line
 * counts the tests: `conformance: N passed, N failed, N skipped`. Parameters are those of `go test`: `-run TestDiscovery`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePlans, type Plan } from '../e2e/harness/plan.ts';
import { say } from '../e2e/harness/run.ts';
import { findGo, GoModule } from './go.ts';
import type { GoCounts } from './go-report.ts';
import { choosePlatform, type Platform } from './servers.ts';

const PROJECT = join(import.meta.dirname, '..');
const TIME_LIMIT = 20 * 60_000;
const TESTS_AT_A_TIME = 6;

function finish({ passed, failed, skipped }: GoCounts): never {
  say(`conformance: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed === 0 ? 0 : 1);
}

/** One start of the servers, one run of the tests. The work directory stays behind when something failed. */
async function runOn(platform: Platform, plan: Plan, module: GoModule, shards: number, stop: AbortSignal): Promise<GoCounts> {
  const workDir = mkdtempSync(join(tmpdir(), 'kcp-vw-conformance-'));
  let succeeded = false;
  try {
    say(`${plan.name}: starting ${platform.name} with shards: ${shards}, ${plan.executable}, in ${workDir}`);
    const servers = await platform.start({ project: PROJECT, workDir, plan, shards, stop });
    try {
      const users = Object.entries(servers.description.userTokens).map(([name, token]) => `${name}=${token}`);
      const counts = await module.test([`-parallel=${TESTS_AT_A_TIME}`, ...process.argv.slice(2)], {
        ...platform.variables(workDir),
        CONFORMANCE_VIRTUAL_WORKSPACES: plan.implementation,
        CONFORMANCE_USER_TOKENS: users.join(','),
      });
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

function shardCount(environment: NodeJS.ProcessEnv): number {
  const count = Number(environment.E2E_SHARDS ?? 2);
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`E2E_SHARDS is ${environment.E2E_SHARDS}; it may be a number from 1`);
  return count;
}

function stopSignal(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort());
  return AbortSignal.any([interrupted.signal, AbortSignal.timeout(TIME_LIMIT)]);
}

const go = findGo(process.env);
if (go === undefined) {
  say('SKIPPED: the conformance tests are Go programs, and there is no program go on PATH.');
  finish({ passed: 0, failed: 0, skipped: 1 });
}
const total = { passed: 0, failed: 0, skipped: 0 };
try {
  const stop = stopSignal();
  const shards = shardCount(process.env);
  const platform = choosePlatform(process.env, shards);
  const module = new GoModule(go, import.meta.dirname, stop);
  await module.vet();
  for (const plan of makePlans(process.env, PROJECT)) {
    const counts = await runOn(platform, plan, module, shards, stop);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
} catch (error) {
  // The last line must count it.
  say(`conformance: FAILED: ${error instanceof Error ? error.message : String(error)}`);
  total.failed += 1;
}
finish(total);
