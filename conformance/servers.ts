import { join } from 'node:path';
import { type Binaries, findBinaries } from '../e2e/harness/binaries.ts';
import { describeWorkDir } from '../e2e/harness/describe-work-dir.ts';
import { DevServers } from '../e2e/harness/dev-servers.ts';
import { KcpServer } from '../e2e/harness/kcp-server.ts';
import { writeStarter } from '../e2e/harness/plan.ts';
import { requireFreePorts } from '../e2e/harness/ports.ts';
import { type Servers, type StageOptions, say } from '../e2e/harness/run.ts';

type FoundBinaries = Binaries & { readonly found: true };

/** A kcp or a dev shard: what the Go tests can run on. */
export interface Platform {
  readonly name: string;
  /** Leaves nothing running when it rejects. */
  start(options: StageOptions): Promise<Servers>;
  /** What the Go tests read from the environment about the servers in a work folder. */
  variables(workDir: string): Readonly<Record<string, string>>;
}

/** A real kcp when `KCP_BIN` names its programs, else the dev shard. Throws when it names a folder without them. */
export function choosePlatform(environment: NodeJS.ProcessEnv, shards: number): Platform {
  if ((environment.KCP_BIN ?? '') === '') return devShard(shards);
  const binaries = findBinaries(environment);
  if (!binaries.found) throw new Error(`there is ${binaries.why}`);
  return kcp(binaries, shards);
}

const devShard = (shards: number): Platform => ({
  name: 'dev shard',
  start: options => DevServers.start(options),
  variables: workDir => ({
    CONFORMANCE_SERVER: 'dev-shard',
    ...kubeconfigs(
      join(workDir, 'shard', 'admin.kubeconfig'),
      shardNames(shards).map((name, i) => [name, join(workDir, 'shard', i === 0 ? '' : name, 'admin.kubeconfig')]),
    ),
  }),
});

const kcp = (binaries: FoundBinaries, shards: number): Platform => ({
  name: 'kcp',
  start: options => startKcp(binaries, options),
  variables: workDir => ({
    CONFORMANCE_SERVER: 'kcp',
    ...kubeconfigs(
      join(workDir, '.kcp', 'admin.kubeconfig'),
      shardNames(shards).map((name, i) => [name, join(workDir, `.kcp-${i}`, 'admin.kubeconfig')]),
    ),
  }),
});

const shardNames = (count: number): string[] => Array.from({ length: count }, (_, i) => (i === 0 ? 'root' : `shard-${i}`));

const kubeconfigs = (admin: string, shards: readonly (readonly [string, string])[]): Record<string, string> => ({
  KUBECONFIG: admin,
  CONFORMANCE_SHARD_KUBECONFIGS: shards.map(([name, file]) => `${name}=${file}`).join(','),
});

async function startKcp(binaries: FoundBinaries, { workDir, plan, shards = 1, stop }: StageOptions): Promise<Servers> {
  await requireFreePorts(shards);
  const server = KcpServer.start({ binaries, workDir, shards, virtualWorkspaces: writeStarter(plan, workDir, shards), stop });
  try {
    await server.untilReady();
    return {
      description: describeWorkDir(workDir, plan, shards),
      logTails: () => server.logTails(),
      end: () => server.end(),
    };
  } catch (error) {
    say(server.logTails());
    await server.end();
    throw error;
  }
}
