/**
 * Runs the Go clients of conformance/ against our virtual workspaces, on the dev shard or, with `KCP_BIN`, on a real kcp. Its last line
 * counts the tests: `conformance: N passed, N failed, N skipped`. Parameters are those of `go test`: `-run TestDiscovery`.
 */
import { finish, runOnStage, say } from '../e2e/harness/run.ts';
import { findGo, GoModule } from './go.ts';
import { choosePlatform, type Platform } from './servers.ts';

const SUBJECT = 'conformance: ';
const TESTS_AT_A_TIME = 6;

const go = findGo(process.env);
if (go === undefined) {
  say('SKIPPED: the conformance tests are Go programs, and there is no program go on PATH.');
  finish({ passed: 0, failed: 0, skipped: 1 }, SUBJECT);
}
const platform = platformOrFailure();
const counts = await runOnStage(platform, 'conformance', async ({ workDir, plan, shards = 1, servers, stop }) => {
  const module = new GoModule(go, import.meta.dirname, stop);
  await module.vet();
  const users = Object.entries(servers.description.userTokens).map(([name, token]) => `${name}=${token}`);
  // One program after the other: some tests take a shard away for a moment, which those of another program would not survive.
  return module.test(['-p=1', `-parallel=${TESTS_AT_A_TIME}`, ...process.argv.slice(2)], {
    ...platform.variables(workDir, shards),
    CONFORMANCE_VIRTUAL_WORKSPACES: plan.implementation,
    CONFORMANCE_VIEWS: plan.views.join(','),
    CONFORMANCE_USER_TOKENS: users.join(','),
  });
});
finish(counts, SUBJECT);

function platformOrFailure(): Platform {
  try {
    return choosePlatform(process.env);
  } catch (error) {
    say(`conformance: FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return finish({ passed: 0, failed: 1, skipped: 0 }, SUBJECT);
  }
}
