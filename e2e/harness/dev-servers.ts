import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TargetDescription } from '../target.ts';
import { freePorts } from './dev-ports.ts';
import type { Plan } from './plan.ts';
import { ProcessGroup } from './process-group.ts';

/** A start takes a few seconds on two cores. */
const START_LIMIT = 60_000;
const TAIL_LINES = 40;
const USER_NUMBERS = [1, 2, 3, 4, 5];

export interface DevServersOptions {
  readonly project: string;
  /** Absolute; everything that the servers write goes below it. */
  readonly workDir: string;
  readonly plan: Plan;
  /** Aborted when the run is to end early. */
  readonly stop: AbortSignal;
}

/** A dev shard with our virtual workspaces in front of it, each a process of its own. */
export class DevServers {
  readonly description: TargetDescription;
  readonly #options: DevServersOptions;
  readonly #groups: ProcessGroup[] = [];
  readonly #logs: string[] = [];

  private constructor(options: DevServersOptions, description: TargetDescription) {
    this.#options = options;
    this.description = description;
  }

  static async start(options: DevServersOptions): Promise<DevServers> {
    const { workDir, plan, project } = options;
    const [shardPort = 0, frontProxyPort = 0, viewsPort = 0, ...opsPorts] = await freePorts(6);
    const folder = join(workDir, 'shard');
    const logs = join(workDir, 'logs');
    mkdirSync(logs);
    const command = [plan.executable, ...parametersOf(folder, logs, viewsPort), ...parametersIn(plan, opsPorts)];
    const servers = new DevServers(
      options,
      describe(options, { folder, command, shardPort, frontProxyPort, viewsPort, opsPorts }),
    );
    try {
      await servers.#run('dev-shard', process.execPath, [
        join(project, 'dev', 'shard', 'src', 'main.ts'),
        `--folder=${folder}`,
        `--shard-port=${shardPort}`,
        `--front-proxy-port=${frontProxyPort}`,
        `--virtual-workspace-url=https://127.0.0.1:${viewsPort}`,
      ]);
      await servers.#untilReady(servers.description.shardURL, folder);
      const [executable = '', ...parameters] = command;
      await servers.#run('virtual-workspaces', executable, parameters);
      await servers.#untilReady(servers.description.virtualWorkspaceURL, folder);
    } catch (error) {
      await servers.end();
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${servers.logTails()}`, { cause: error });
    }
    // The token is made at the start.
    return Object.assign(servers, { description: { ...servers.description, mastersToken: mastersToken(folder) } });
  }

  /** Ends all servers, the last first. Throws when one survives. */
  async end(): Promise<void> {
    for (const group of this.#groups.toReversed()) await group.end();
  }

  /** The last lines of every log. */
  logTails(): string {
    return this.#logs
      .map(file => `--- ${file}, last lines\n${readFileSync(file, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n')}\n`)
      .join('\n');
  }

  async #run(name: string, program: string, parameters: readonly string[]): Promise<void> {
    const log = join(this.#options.workDir, 'logs', `${name}.log`);
    const output = openSync(log, 'w');
    this.#logs.push(log);
    this.#groups.push(
      new ProcessGroup(program, parameters, { environment: process.env, directory: this.#options.workDir, output }),
    );
    closeSync(output);
  }

  async #untilReady(url: string, folder: string): Promise<void> {
    const deadline = Date.now() + START_LIMIT;
    while (!(await isReady(url, folder))) {
      const ended = this.#groups.find(group => group.ended !== undefined)?.ended;
      if (ended !== undefined) throw new Error(`a server ${ended} before all were ready`);
      if (this.#options.stop.aborted) throw new Error('the run was ended before the servers were ready');
      if (Date.now() > deadline) throw new Error(`${url} was not ready after ${START_LIMIT / 1000} s`);
      await sleep(100);
    }
  }
}

/** What kcp's test server would give, for what there is here: no cache server of its own, and the audit log beside the others. */
const parametersOf = (folder: string, logs: string, port: number): string[] => [
  `--kubeconfig=${join(folder, 'virtual-workspaces.kubeconfig')}`,
  `--external-logical-cluster-admin-kubeconfig=${join(folder, 'external-admin.kubeconfig')}`,
  `--authentication-kubeconfig=${join(folder, 'authentication.kubeconfig')}`,
  `--client-ca-file=${join(folder, 'client-ca.crt')}`,
  `--tls-private-key-file=${join(folder, 'virtual-workspaces.key')}`,
  `--tls-cert-file=${join(folder, 'virtual-workspaces.crt')}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${port}`,
  '--authentication-skip-lookup',
  '--requestheader-username-headers=X-Remote-User',
  '--requestheader-group-headers=X-Remote-Group',
  `--requestheader-client-ca-file=${join(folder, 'requestheader-ca.crt')}`,
  '--audit-log-maxsize=1024',
  '--v=4',
  '--audit-log-path',
  join(logs, 'audit.log'),
];

/** The plan's own parameters with ports of this run in place of its fixed ones. */
const parametersIn = ({ parameters }: Plan, [opsPort]: readonly number[]): string[] =>
  parameters.map(parameter => (parameter.startsWith('--ops-port=') ? `--ops-port=${opsPort}` : parameter));

interface Facts {
  readonly folder: string;
  readonly command: readonly string[];
  readonly shardPort: number;
  readonly frontProxyPort: number;
  readonly viewsPort: number;
  readonly opsPorts: readonly number[];
}

function describe({ plan }: DevServersOptions, facts: Facts): TargetDescription {
  const file = (name: string): string => join(facts.folder, name);
  const pair = (name: string) => ({ certificate: file(`${name}.crt`), key: file(`${name}.key`) });
  const ops = Object.keys(plan.ops).map((name, i) => [name, `http://127.0.0.1:${facts.opsPorts[i]}`]);
  return {
    implementation: plan.implementation,
    recordsFieldManagers: false,
    name: `${plan.name} on the dev shard`,
    frontProxyURL: `https://127.0.0.1:${facts.frontProxyPort}`,
    shardURL: `https://127.0.0.1:${facts.shardPort}`,
    virtualWorkspaceURL: `https://127.0.0.1:${facts.viewsPort}`,
    servingAuthority: file('serving-ca.crt'),
    clientAuthority: pair('client-ca'),
    requestHeaderAuthority: pair('requestheader-ca'),
    requestHeaderName: 'kcp-front-proxy',
    admin: pair('kcp-admin'),
    masters: pair('shard-client'),
    mastersToken: '',
    userTokens: Object.fromEntries(USER_NUMBERS.map(number => [`user-${number}`, `user-${number}-token`])),
    command: facts.command,
    ops: Object.fromEntries(ops),
  };
}

function mastersToken(folder: string): string {
  const file = join(folder, 'admin.kubeconfig');
  const { users } = JSON.parse(readFileSync(file, 'utf8')) as { users: { name: string; user: { token?: string } }[] };
  const token = users.find(({ name }) => name === 'shard-admin')?.user.token;
  if (token === undefined) throw new Error(`${file} holds no token of the user shard-admin`);
  return token;
}

/** Whether the server answers its readiness with 200; one that is not there yet is not ready. */
function isReady(url: string, folder: string): Promise<boolean> {
  let ca: string;
  try {
    ca = readFileSync(join(folder, 'serving-ca.crt'), 'utf8');
  } catch {
    // The shard makes it first of all.
    return Promise.resolve(false);
  }
  return new Promise(resolve => {
    const probe = request(`${url}/readyz`, { ca, timeout: 2_000 }, response => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probe.on('error', () => resolve(false));
    probe.on('timeout', () => probe.destroy());
    probe.end();
  });
}

/** Writes the description where the tests find it. */
export function writeTarget(servers: DevServers, workDir: string): string {
  const file = join(workDir, 'target.json');
  writeFileSync(file, JSON.stringify(servers.description, undefined, 2));
  return file;
}
