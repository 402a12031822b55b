import { join } from 'node:path';
import { DevServers } from '@kcp-vw/e2e/harness/dev-servers.ts';
import { makePlans } from '@kcp-vw/e2e/harness/plan.ts';
import { childWithParameter } from '../proc/usage.ts';
import { SHARD, type ShardKind, type ShardOptions, type StartedShard } from '../target.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

/** The dev shard: always there. Its ratios are not kcp's, since it is another program of Node that holds all in memory. */
export const dev: ShardKind = {
  name: 'dev',
  unavailable: () => undefined,
  start: startDev,
};

async function startDev({ stop, workDir }: ShardOptions): Promise<StartedShard> {
  const [plan] = makePlans({ E2E_TOPOLOGY: 'fleet' }, PROJECT);
  if (plan === undefined) throw new Error('the harness of the end-to-end tests offers no fleet');
  const servers = await DevServers.start({ project: PROJECT, workDir, plan, stop });
  const target = servers.description;
  const shard = childWithParameter(join('dev', 'shard', 'src', 'main.ts'));
  if (shard === undefined || target.command === undefined) {
    await servers.end();
    throw new Error('the process of the dev shard was not found');
  }
  return {
    description: 'the dev shard, an in-memory kcp in Node',
    target,
    command: target.command,
    processes: { [SHARD]: [shard] },
    logTails: () => servers.logTails(),
    end: () => servers.end(),
  };
}
