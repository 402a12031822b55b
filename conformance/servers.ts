import { join } from 'node:path';
import { findBinaries } from '../e2e/harness/binaries.ts';
import { DevServers } from '../e2e/harness/dev-servers.ts';
import { startKcp } from '../e2e/harness/kcp-stage.ts';
import type { Stage } from '../e2e/harness/run.ts';

/** A kcp or a dev shard: what the Go tests can run on. */
export interface Platform extends Stage {
  /** What the Go tests read from the environment about the servers in a work folder. */
  variables(workDir: string, shards: number): Readonly<Record<string, string>>;
}

/** A real kcp when `KCP_BIN` names its programs, else the dev shard. Throws when it names a folder without them. */
export function choosePlatform(environment: NodeJS.ProcessEnv): Platform {
  const common = { shards: 2, timeLimit: 20 * 60_000 };
  if ((environment.KCP_BIN ?? '') === '') {
    return {
      ...common,
      name: 'dev shard',
      start: options => DevServers.start(options),
      variables: (workDir, shards) => ({
        CONFORMANCE_SERVER: 'dev-shard',
        ...kubeconfigs(shards, name => join(workDir, 'shard', name === 'root' ? '' : name, 'admin.kubeconfig')),
        KUBECONFIG: join(workDir, 'shard', 'admin.kubeconfig'),
      }),
    };
  }
  const binaries = findBinaries(environment);
  if (!binaries.found) throw new Error(`there is ${binaries.why}`);
  return {
    ...common,
    name: 'kcp',
    start: options => startKcp(binaries, options),
    variables: (workDir, shards) => ({
      CONFORMANCE_SERVER: 'kcp',
      ...kubeconfigs(shards, (_, i) => join(workDir, `.kcp-${i}`, 'admin.kubeconfig')),
      KUBECONFIG: join(workDir, '.kcp', 'admin.kubeconfig'),
    }),
  };
}

function kubeconfigs(shards: number, file: (name: string, index: number) => string): Record<string, string> {
  const names = Array.from({ length: shards }, (_, i) => (i === 0 ? 'root' : `shard-${i}`));
  return { CONFORMANCE_SHARD_KUBECONFIGS: names.map((name, i) => `${name}=${file(name, i)}`).join(',') };
}
