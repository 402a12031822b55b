import type { Binaries } from './binaries.ts';
import { describeWorkDir } from './describe-work-dir.ts';
import { isReady } from './is-ready.ts';
import { KcpServer } from './kcp-server.ts';
import { OperatorFrontProxy } from './operator.ts';
import { writeStarter } from './plan.ts';
import { requireFreePorts } from './ports.ts';
import { type Servers, type StageOptions, say } from './run.ts';

export type FoundBinaries = Binaries & { readonly found: true };

/** Starts a kcp with the plan's virtual workspaces in place of its own. Leaves nothing running when it rejects. */
export async function startKcp(binaries: FoundBinaries, { workDir, plan, shards = 1, stop }: StageOptions): Promise<Servers> {
  await requireFreePorts(shards);
  const kcp = KcpServer.start({ binaries, workDir, shards, virtualWorkspaces: writeStarter(plan, workDir, shards), stop });
  try {
    await kcp.untilReady();
    const operator = await startOperatorFrontProxy(binaries, workDir);
    return {
      description: {
        ...describeWorkDir(workDir, plan, shards),
        servicesFrontProxyURL: operator.url,
        ...(kcp.pid !== undefined && { testServerPid: kcp.pid }),
      },
      logTails: () => kcp.logTails(),
      async end() {
        await operator.end();
        await kcp.end();
      },
    };
  } catch (error) {
    say(kcp.logTails());
    await kcp.end();
    throw error;
  }
}

async function startOperatorFrontProxy(binaries: FoundBinaries, workDir: string): Promise<OperatorFrontProxy> {
  const proxy = new OperatorFrontProxy(binaries, workDir);
  try {
    await proxy.untilReady(workDir, isReady);
    return proxy;
  } catch (error) {
    await proxy.end();
    throw error;
  }
}
