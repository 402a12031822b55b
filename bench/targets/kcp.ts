import { delimiter, join } from 'node:path';
import { type Binaries, findBinaries, isExecutable } from '@kcp-vw/e2e/harness/binaries.ts';
import { describeWorkDir } from '@kcp-vw/e2e/harness/describe-work-dir.ts';
import { KcpServer } from '@kcp-vw/e2e/harness/kcp-server.ts';
import { makePlans, startedCommand, writeStarter } from '@kcp-vw/e2e/harness/plan.ts';
import { requireFreePorts } from '@kcp-vw/e2e/harness/ports.ts';
import { descendantsNamed } from '../proc/usage.ts';
import { REST, SHARD, type ShardKind, type ShardOptions, type StartedShard } from '../target.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

type FoundBinaries = Binaries & { readonly found: true };

/** A real kcp. Its own controllers use one more fleet of ours, so that those that are measured serve nobody else. */
export const kcp: ShardKind = {
  name: 'kcp',
  unavailable() {
    const binaries = findBinaries(process.env);
    return binaries.found ? undefined : `there is ${binaries.why}`;
  },
  start(options) {
    const binaries = findBinaries(process.env);
    if (!binaries.found) throw new Error(`no kcp can be started: there is ${binaries.why}`);
    return startKcp(binaries, options);
  },
};

async function startKcp(binaries: FoundBinaries, { stop, workDir }: ShardOptions): Promise<StartedShard> {
  await requireFreePorts();
  const [plan] = makePlans({ E2E_TOPOLOGY: 'fleet' }, PROJECT);
  if (plan === undefined) throw new Error('the harness of the end-to-end tests offers no fleet');
  const server = KcpServer.start({ binaries, workDir, virtualWorkspaces: writeStarter(plan, workDir), stop });
  try {
    await server.untilReady();
    const goProgram = binaries.path
      .split(delimiter)
      .map(folder => join(folder, 'virtual-workspaces'))
      .find(isExecutable);
    return {
      description: 'a real kcp with one shard',
      target: describeWorkDir(workDir, plan),
      command: startedCommand(workDir),
      ...(goProgram !== undefined && { goProgram }),
      processes: {
        [SHARD]: descendantsNamed('kcp'),
        [REST]: [...descendantsNamed('kcp-front-proxy'), ...descendantsNamed('cache-server')],
      },
      logTails: () => server.logTails(),
      end: () => server.end(),
    };
  } catch (error) {
    const tails = server.logTails();
    await server.end();
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${tails}`, { cause: error });
  }
}
