/** Starts what stands before a shard, one after the other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@kcp-vw/e2e/harness/ports.ts';
import { CONTENDERS, type Contender, type ContenderName, type StartedShard } from '../target.ts';
import type { Workload } from '../workload.ts';
import { findNginx, nginx } from './nginx.ts';
import { parameterNamed } from './parameters.ts';
import { passThrough } from './pass-through.ts';
import { type Program, type RunningServer, startServer } from './server.ts';
import { views } from './views.ts';

const OURS = join(import.meta.dirname, '..', '..', 'bin', 'virtual-workspaces');

export interface StartOptions {
  readonly shard: StartedShard;
  readonly workload: Workload;
  readonly workDir: string;
  /** The names of those that are wanted. */
  readonly only: readonly ContenderName[];
  /** Where Node's programs write CPU profiles when they end. */
  readonly profileFolder: string | undefined;
  readonly stop: AbortSignal;
  readonly say: (text: string) => void;
  /** Where running servers are noted, so that whoever calls can end them even when a later one fails. */
  readonly running: RunningServer[];
}

/** Resolves to those that can be had on this machine, in the order of the report. */
export async function startContenders(options: StartOptions): Promise<Contender[]> {
  const { only, running, say, shard, stop, workDir, workload } = options;
  const [fleet = 0, single = 0, go = 0, passThroughPort = 0, nginxPort = 0] = await freePorts(5);
  const ports = { fleet, single, 'kcp-go': go, 'pass-through': passThroughPort, nginx: nginxPort };
  const surroundings = {
    workDir,
    authority: readFileSync(shard.target.servingAuthority, 'utf8'),
    environment: environmentOf(options.profileFolder),
  };
  const contenders: Contender[] = [];
  for (const name of CONTENDERS.filter(candidate => only.includes(candidate))) {
    stop.throwIfAborted();
    if (name === 'shard' || name === 'shard-as-owner') {
      contenders.push(workload[name]);
      continue;
    }
    const programs = programsOf(name, ports[name], options);
    if (programs.length === 0) {
      say(`${name}: not on this machine`);
      continue;
    }
    say(`starting ${name}`);
    const pids: number[] = [];
    for (const program of programs) {
      const server = await startServer(program, surroundings);
      running.push(server);
      pids.push(server.pid);
    }
    const proxy = name === 'pass-through' || name === 'nginx';
    contenders.push(proxy ? workload.proxy(name, ports[name], pids) : workload.view(name, ports[name], pids));
  }
  return contenders;
}

type Started = Exclude<ContenderName, 'shard' | 'shard-as-owner'>;

function programsOf(name: Started, port: number, options: StartOptions): Program[] {
  const { shard, workDir } = options;
  const { command, goProgram } = shard;
  switch (name) {
    case 'fleet':
    case 'single':
      return [views({ name, executable: OURS, port, parameters: [`--topology=${name}`] }, command, workDir)];
    case 'kcp-go':
      return goProgram === undefined ? [] : [views({ name, executable: goProgram, port, parameters: [] }, command, workDir)];
    case 'pass-through':
      return passThrough(
        { ...proxyOptions(port, options), shardURL: shard.target.shardURL, socket: join(workDir, 'pass-through.sock') },
        workDir,
      );
    case 'nginx': {
      const executable = findNginx(process.env);
      const { hostname, port: shardPort } = new URL(shard.target.shardURL);
      const proxy = proxyOptions(port, options);
      return executable === undefined
        ? []
        : [nginx(executable, { ...proxy, shard: { host: hostname, port: shardPort } }, workDir)];
    }
  }
}

/** The credentials of the shard's own virtual workspaces, and what they send of the workspace's owner. */
function proxyOptions(port: number, { shard: { command, target }, workload }: StartOptions) {
  return {
    port,
    certificate: parameterNamed('tls-cert-file', command),
    key: parameterNamed('tls-private-key-file', command),
    clientAuthority: parameterNamed('client-ca-file', command),
    shardAuthority: target.servingAuthority,
    shardCertificate: target.masters.certificate,
    shardKey: target.masters.key,
    prefix: workload.shard.content,
    headers: workload.impersonation,
  };
}

/** Node writes a CPU profile of each process into the folder when it ends. Other programs ignore the variable. */
function environmentOf(profileFolder: string | undefined): NodeJS.ProcessEnv {
  if (profileFolder === undefined) return process.env;
  return { ...process.env, NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` };
}
