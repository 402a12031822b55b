/** Runs the end-to-end tests on a real kcp, with our virtual workspaces in place of kcp's own. */
import { type Binaries, findBinaries } from './harness/binaries.ts';
import { describeWorkDir } from './harness/describe-work-dir.ts';
import { KcpServer } from './harness/kcp-server.ts';
import { writeStarter } from './harness/plan.ts';
import { requireFreePorts } from './harness/ports.ts';
import { finish, runEndToEnd, type Servers, type StageOptions, say } from './harness/run.ts';

type FoundBinaries = Binaries & { readonly found: true };

async function start(binaries: FoundBinaries, { workDir, plan, shards = 1, stop }: StageOptions): Promise<Servers> {
  await requireFreePorts(shards);
  const kcp = KcpServer.start({ binaries, workDir, shards, virtualWorkspaces: writeStarter(plan, workDir, shards), stop });
  try {
    await kcp.untilReady();
    return {
      description: describeWorkDir(workDir, plan, shards),
      logTails: () => kcp.logTails(),
      end: () => kcp.end(),
    };
  } catch (error) {
    say(kcp.logTails());
    await kcp.end();
    throw error;
  }
}

const binaries = findBinaries(process.env);
if (!binaries.found) {
  say(`SKIPPED: the end-to-end tests need a real kcp v0.32.3, and there is ${binaries.why}.`);
  say("Build kcp's programs and name their folder in KCP_BIN to run them.");
  finish({ passed: 0, failed: 0, skipped: 1 });
}
await runEndToEnd({ name: 'kcp', shards: 1, timeLimit: 25 * 60_000, start: options => start(binaries, options) });
