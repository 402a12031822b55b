import type { TargetDescription } from '../target.ts';
import type { Binaries } from './binaries.ts';
import { describeWorkDir } from './describe-work-dir.ts';
import { KcpFrontProxy, TO_SHARDS, writeMappings } from './front-proxy.ts';
import { KcpServer } from './kcp-server.ts';
import { OPERATOR_FRONT_PROXY } from './operator.ts';
import { writeStarter } from './plan.ts';
import { requireFreePorts } from './ports.ts';
import { type Servers, type StageOptions, say } from './run.ts';
import { adminOfTestServer, giveSyncerAccount, untilSyncerReady } from './syncer-account.ts';
import { OF_KCPS_TESTS, TRANSPARENT_PORT, toWorkspacesView } from './transparent.ts';

export type FoundBinaries = Binaries & { readonly found: true };

/** Of the root shard's virtual workspaces, which kcp's test server starts. */
const VIRTUAL_WORKSPACES = 'https://127.0.0.1:7444';

/** Starts a kcp with the plan's virtual workspaces in place of its own. Leaves nothing running when it rejects. */
export async function startKcp(binaries: FoundBinaries, { workDir, plan, shards = 1, stop }: StageOptions): Promise<Servers> {
  await requireFreePorts(shards);
  const ofAll = [toWorkspacesView(VIRTUAL_WORKSPACES), OF_KCPS_TESTS, TO_SHARDS];
  const kcp = KcpServer.start({
    ...{ binaries, workDir, shards, stop },
    virtualWorkspaces: writeStarter(plan, workDir, shards),
    ...(plan.transparent === 'all' && { frontProxyMapping: writeMappings(workDir, 'all', ofAll) }),
  });
  const proxies: KcpFrontProxy[] = [];
  try {
    await Promise.all([kcp.untilReady(), giveSyncerAccount(plan, workDir, adminOfTestServer(workDir))]);
    const operator = await KcpFrontProxy.start(binaries, workDir, OPERATOR_FRONT_PROXY);
    proxies.push(operator);
    const description = describeWorkDir(workDir, plan, shards);
    await untilSyncerReady(description.shards);
    const transparent = await startTransparent();
    return {
      description: {
        ...description,
        ...transparent,
        servicesFrontProxyURL: operator.url,
        plainFrontProxyURL: plan.transparent === 'all' ? operator.url : description.frontProxyURL,
        ...(kcp.pid !== undefined && { testServerPid: kcp.pid }),
      },
      logTails: () => kcp.logTails(),
      end,
    };
  } catch (error) {
    say(kcp.logTails());
    await end();
    throw error;
  }

  async function startTransparent(): Promise<Pick<TargetDescription, 'transparentFrontProxyURL'>> {
    if (plan.transparent === 'none') return {};
    if (plan.transparent === 'all') return { transparentFrontProxyURL: 'https://127.0.0.1:6443' };
    const entries = [toWorkspacesView(VIRTUAL_WORKSPACES), TO_SHARDS];
    const proxy = await KcpFrontProxy.start(binaries, workDir, { name: 'transparent', port: TRANSPARENT_PORT, entries });
    proxies.push(proxy);
    return { transparentFrontProxyURL: proxy.url };
  }

  async function end(): Promise<void> {
    for (const proxy of proxies.toReversed()) await proxy.end();
    await kcp.end();
  }
}
