import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShardDescription, TargetDescription } from '../target.ts';
import { isReady } from './is-ready.ts';
import { OPERATOR_ADDS, OPERATOR_KEEPS } from './operator.ts';
import { opsURLs, setForAll, shardName, syncerParameters, withOpsPort } from './plan.ts';
import { freePorts } from './ports.ts';
import { ProcessGroup } from './process-group.ts';
import type { Servers, StageOptions } from './run.ts';
import { giveSyncerAccount, untilSyncerReady } from './syncer-account.ts';
import { toWorkspacesView } from './transparent.ts';

/** A start takes a few seconds on two cores. */
const START_LIMIT = 60_000;
const TAIL_LINES = 40;
const USER_NUMBERS = [1, 2, 3, 4, 5];

/** What one shard's virtual workspaces are started with. */
interface Instance {
  readonly name: string;
  /** The shard's part of the work folder. */
  readonly folder: string;
  readonly shardURL: string;
  readonly port: number;
  readonly opsPort: number;
  readonly command: readonly string[];
}

/** Ports of an instance's ops servers: there are never more processes. */
const OPS_PORTS = 5;

/** A dev shard or several, with our virtual workspaces in front of each, each a process of its own. */
export class DevServers implements Servers {
  readonly #options: StageOptions;
  readonly #instances: readonly Instance[];
  readonly #frontProxyPort: number;
  readonly #secondFrontProxyPort: number;
  readonly #folder: string;
  readonly #groups: ProcessGroup[] = [];
  readonly #logs: string[] = [];

  private constructor(options: StageOptions, [frontProxyPort = 0, secondPort = 0, ...ports]: readonly number[]) {
    this.#options = options;
    this.#frontProxyPort = frontProxyPort;
    this.#secondFrontProxyPort = secondPort;
    this.#folder = join(options.workDir, 'shard');
    const { plan, shards = 1, workDir } = options;
    const all = Array.from({ length: shards }, (_, i) => ({
      port: ports[shards + i] ?? 0,
      kubeconfig: join(i === 0 ? this.#folder : join(this.#folder, shardName(i)), 'virtual-workspaces.kubeconfig'),
    }));
    this.#instances = Array.from({ length: shards }, (_, i) => {
      const name = shardName(i);
      const [port = 0, opsPort = 0] = [ports[shards + i], ports[2 * shards + OPS_PORTS * i]];
      const folder = i === 0 ? this.#folder : join(this.#folder, name);
      const given = parametersOf({ all: this.#folder, own: folder }, join(workDir, 'logs', `audit-${i}.log`), port);
      const own = plan.arguments === 'operator' ? operatorArguments(given) : given;
      const ofAll = plan.sets === 'one' && i === 0 ? setForAll(all) : [];
      const command = [plan.executable, ...own, ...ofAll, ...withOpsPort(plan, opsPort), ...syncerParameters(plan, workDir)];
      return { name, folder, shardURL: `https://127.0.0.1:${ports[i]}`, port, opsPort, command };
    });
  }

  static async start(options: StageOptions): Promise<DevServers> {
    const { shards = 1, workDir } = options;
    mkdirSync(join(workDir, 'logs'));
    const servers = new DevServers(options, await freePorts(2 + (2 + OPS_PORTS) * shards));
    try {
      await servers.#start();
    } catch (error) {
      await servers.end();
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${servers.logTails()}`, { cause: error });
    }
    return servers;
  }

  async #start(): Promise<void> {
    const [root] = this.#instances;
    this.#run('dev-shard', process.execPath, [
      join(this.#options.project, 'dev', 'shard', 'src', 'main.ts'),
      `--folder=${this.#folder}`,
      `--shards=${this.#instances.length}`,
      `--shard-port=${new URL(root?.shardURL ?? '').port}`,
      `--front-proxy-port=${this.#frontProxyPort}`,
      ...this.#frontProxyMapping(`https://127.0.0.1:${root?.port}`),
      ...this.#instances.map(({ port }) => `--virtual-workspace-url=https://127.0.0.1:${port}`),
    ]);
    for (const { shardURL } of this.#instances) await this.#untilReady(shardURL);
    const started = this.#options.plan.sets === 'one' ? this.#instances.slice(0, 1) : this.#instances;
    started.forEach(({ command: [executable = '', ...parameters] }, i) => {
      this.#run(`virtual-workspaces-${i}`, executable, parameters);
    });
    const { plan, workDir } = this.#options;
    const { description } = this;
    await Promise.all([
      giveSyncerAccount(plan, workDir, description),
      ...this.#instances.map(({ port }) => this.#untilReady(`https://127.0.0.1:${port}`)),
    ]);
    await untilSyncerReady(description.shards);
  }

  #frontProxyMapping(virtualWorkspaceURL: string): string[] {
    const { transparent } = this.#options.plan;
    if (transparent === 'none') return [];
    const { path, backend } = toWorkspacesView(virtualWorkspaceURL);
    return [
      `--second-front-proxy-port=${this.#secondFrontProxyPort}`,
      `--${transparent === 'all' ? 'mapping' : 'second-mapping'}=${path}=${backend}`,
    ];
  }

  #frontProxyURLs(): Pick<TargetDescription, 'frontProxyURL' | 'plainFrontProxyURL' | 'transparentFrontProxyURL'> {
    const first = `https://127.0.0.1:${this.#frontProxyPort}`;
    const second = `https://127.0.0.1:${this.#secondFrontProxyPort}`;
    switch (this.#options.plan.transparent) {
      case 'none':
        return { frontProxyURL: first, plainFrontProxyURL: first };
      case 'second':
        return { frontProxyURL: first, plainFrontProxyURL: first, transparentFrontProxyURL: second };
      case 'all':
        return { frontProxyURL: first, plainFrontProxyURL: second, transparentFrontProxyURL: first };
    }
  }

  get description(): TargetDescription {
    const { plan } = this.#options;
    const pairIn = (folder: string, name: string) => {
      const stem = join(folder, name);
      return { certificate: `${stem}.crt`, key: `${stem}.key` };
    };
    const describeShard = ({ name, folder, shardURL, port, opsPort, command }: Instance): ShardDescription => ({
      name,
      shardURL,
      virtualWorkspaceURL: `https://127.0.0.1:${port}`,
      masters: pairIn(folder, 'shard-client'),
      mastersToken: (JSON.parse(readFileSync(join(folder, 'tokens.json'), 'utf8')) as { masters: string }).masters,
      ...((plan.sets === 'each' || name === 'root') && { command, ops: opsURLs(plan, opsPort) }),
    });
    const [root, ...others] = this.#instances.map(describeShard);
    if (root === undefined) throw new Error('no shard has been started');
    const { name: _name, ...rootFields } = root;
    const pair = (name: string) => pairIn(this.#folder, name);
    return {
      implementation: plan.implementation,
      recordsFieldManagers: false,
      name: `${plan.name} on the dev shard${others.length > 0 ? ` of ${1 + others.length}` : ''}`,
      ...this.#frontProxyURLs(),
      ...rootFields,
      servingAuthority: join(this.#folder, 'serving-ca.crt'),
      clientAuthority: pair('client-ca'),
      requestHeaderAuthority: pair('requestheader-ca'),
      requestHeaderName: 'kcp-front-proxy',
      admin: pair('kcp-admin'),
      userTokens: Object.fromEntries(USER_NUMBERS.map(number => [`user-${number}`, `user-${number}-token`])),
      shards: [root, ...others],
    };
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

  #run(name: string, program: string, parameters: readonly string[]): void {
    const log = join(this.#options.workDir, 'logs', `${name}.log`);
    const output = openSync(log, 'w');
    this.#logs.push(log);
    this.#groups.push(
      new ProcessGroup(program, parameters, { environment: process.env, directory: this.#options.workDir, output }),
    );
    closeSync(output);
  }

  async #untilReady(url: string): Promise<void> {
    const deadline = Date.now() + START_LIMIT;
    while (!(await isReady(url, join(this.#folder, 'serving-ca.crt')))) {
      const ended = this.#groups.find(group => group.ended !== undefined)?.ended;
      if (ended !== undefined) throw new Error(`a server ${ended} before all were ready`);
      if (this.#options.stop.aborted) throw new Error('the run was ended before the servers were ready');
      if (Date.now() > deadline) throw new Error(`${url} was not ready after ${START_LIMIT / 1000} s`);
      await sleep(100);
    }
  }
}

/** What kcp's test server would give; the audit log stands beside the others. */
const parametersOf = (folder: { readonly all: string; readonly own: string }, auditLog: string, port: number): string[] => [
  `--kubeconfig=${join(folder.own, 'virtual-workspaces.kubeconfig')}`,
  `--external-logical-cluster-admin-kubeconfig=${join(folder.own, 'external-admin.kubeconfig')}`,
  `--cache-kubeconfig=${join(folder.own, 'cache.kubeconfig')}`,
  `--authentication-kubeconfig=${join(folder.own, 'authentication.kubeconfig')}`,
  `--client-ca-file=${join(folder.all, 'client-ca.crt')}`,
  `--tls-private-key-file=${join(folder.all, 'virtual-workspaces.key')}`,
  `--tls-cert-file=${join(folder.all, 'virtual-workspaces.crt')}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${port}`,
  '--authentication-skip-lookup',
  '--requestheader-username-headers=X-Remote-User',
  '--requestheader-group-headers=X-Remote-Group',
  `--requestheader-client-ca-file=${join(folder.all, 'requestheader-ca.crt')}`,
  '--audit-log-maxsize=1024',
  '--v=4',
  '--audit-log-path',
  auditLog,
];

const operatorArguments = (given: readonly string[]): string[] => [
  ...given.filter(argument => OPERATOR_KEEPS.includes(argument.split('=', 1)[0] ?? '')),
  ...OPERATOR_ADDS,
];
