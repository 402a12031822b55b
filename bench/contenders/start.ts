/** Starts what stands before a shard, one after the other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@kcp-vw/e2e/harness/ports.ts';
import { CONTENDERS, type Contender, type ContenderName, type StartedShard } from '../target.ts';
import type { Workload } from '../workload.ts';
import { findNginx, nginx } from './nginx.ts';
import { environmentOf, OURS } from './ours.ts';
import { parameterNamed } from './parameters.ts';
import { passThrough } from './pass-through.ts';
import { startRegistered } from './registered.ts';
import { type Program, type RunningServer, startServer } from './server.ts';
import { views } from './views.ts';

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
  const wanted = CONTENDERS.filter(candidate => only.includes(candidate));
  const ports = await freePorts(wanted.length);
  const surroundings = {
    workDir,
    authority: readFileSync(shard.target.servingAuthority, 'utf8'),
    environment: environmentOf(options.profileFolder),
  };
  const contenders: Contender[] = [];
  for (const [i, name] of wanted.entries()) {
    stop.throwIfAborted();
    const direct = [workload.shard, workload.impersonating].find(candidate => candidate.name === name);
    if (direct !== undefined) {
      contenders.push(direct);
      continue;
    }
    if (name === 'fleet-registered') {
      say(`starting ${name}`);
      const { port, ...server } = await startRegistered(options);
      running.push(server);
      contenders.push(workload.view(name, port, [server.pid, ...server.further]));
      continue;
    }
    const port = ports[i] ?? 0;
    const programs = programsOf(name, port, options);
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
    contenders.push(proxy ? workload.proxy(name, port, pids) : workload.view(name, port, pids));
  }
  return contenders;
}

/** How each of ours is started. */
const OWN_PARAMETERS = {
  fleet: ['--topology=fleet'],
  'fleet-impersonate': ['--topology=fleet', '--impersonate-reads'],
  single: ['--topology=single'],
} as const;

/** None where it is not on this machine. */
function programsOf(name: ContenderName, port: number, options: StartOptions): Program[] {
  const { shard, workDir } = options;
  const { command, goProgram } = shard;
  switch (name) {
    case 'fleet':
    case 'fleet-impersonate':
    case 'single':
      return [views({ name, executable: OURS, port, parameters: OWN_PARAMETERS[name] }, command, workDir)];
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
    case 'fleet-registered':
    case 'shard':
    case 'shard-as-owner':
    case 'shard-as-caller':
      throw new Error(`${name} is not started as a program`);
  }
}

/** The credentials of the shard's own virtual workspaces, and in whose name they ask. */
function proxyOptions(port: number, { shard: { command, target }, workload }: StartOptions) {
  return {
    port,
    certificate: parameterNamed('tls-cert-file', command),
    key: parameterNamed('tls-private-key-file', command),
    clientAuthority: parameterNamed('client-ca-file', command),
    shardAuthority: target.servingAuthority,
    shardCertificate: target.masters.certificate,
    shardKey: target.masters.key,
    ...workload.proxied,
  };
}
