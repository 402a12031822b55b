import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShardDescription, TargetDescription } from '../target.ts';
import { type Compose, type RunOptions, run } from './compose-command.ts';
import { compressedSize, millisecondsUntilReady } from './compose-measure.ts';
import { freePorts } from './ports.ts';
import { type Servers, type StageOptions, say } from './run.ts';

const BASE = 'debian:bookworm-slim';
const HEALTHY_LIMIT = 120_000;
const TAIL_LINES = 60;
const USER_NUMBERS = [1, 2, 3, 4, 5];
/** Where the shard's folder is in its container. */
const SHARD_FOLDER = '/certificates/dev-shard';
const OURS = ['front-proxy', 'apiexport-vw', 'initializer-vw', 'syncer-vw', 'workspaces-vw'];
const ALL = ['dev-shard', ...OURS];

export interface ComposeOptions extends StageOptions {
  readonly compose: Compose & { readonly found: true };
}

/** What `docker inspect` says of a container's state, as far as it is read. */
interface ContainerState {
  readonly Status: string;
  readonly StartedAt: string;
  readonly ExitCode: number;
  readonly Health?: { readonly Status: string };
}

/** Bytes that a variable of the environment may have: Linux's MAX_ARG_STRLEN, with its name. */
const MAX_VARIABLE = 128 * 1024 - 64;

/** They go to the build as an argument. A machine's whole bundle does not fit, nor is it wanted: only what a proxy adds. */
function readExtraAuthorities(file: string): string {
  const authorities = readFileSync(file, 'utf8');
  if (authorities.length > MAX_VARIABLE)
    throw new Error(`E2E_EXTRA_CA_FILE: ${file} is too large; name one with the further CAs only`);
  return authorities;
}

/** The project of docker-compose.yml under a name and on ports of its own. */
export class ComposeServers implements Servers {
  readonly #options: ComposeOptions;
  readonly #project: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #ports: readonly number[];
  readonly #log: string;
  #tails = '';
  /** What takes everything down must not be stopped with the run. */
  #isEnding = false;

  private constructor(options: ComposeOptions, ports: readonly number[]) {
    const { E2E_IMAGE, E2E_DEV_IMAGE, E2E_BASE_IMAGE, E2E_BUILD_BASE_IMAGE, E2E_EXTRA_CA_FILE } = process.env;
    this.#options = options;
    this.#ports = ports;
    this.#project = `kcp-vw-e2e-${process.pid}`;
    this.#log = join(options.workDir, 'logs', 'compose.log');
    this.#environment = {
      ...process.env,
      KCP_FRONT_PROXY_PORT: String(ports[0]),
      KCP_SHARD_PORT: String(ports[1]),
      KCP_VW_PORT: String(ports[2]),
      KCP_VW_IMAGE: E2E_IMAGE ?? 'kcp-vw-e2e',
      KCP_VW_DEV_IMAGE: E2E_DEV_IMAGE ?? 'kcp-vw-e2e-dev-shard',
      ...(E2E_BASE_IMAGE && { BASE: E2E_BASE_IMAGE, BUILD_BASE: E2E_BUILD_BASE_IMAGE ?? E2E_BASE_IMAGE }),
      ...(E2E_EXTRA_CA_FILE && { EXTRA_CA: readExtraAuthorities(E2E_EXTRA_CA_FILE) }),
    };
  }

  static async start(options: ComposeOptions): Promise<ComposeServers> {
    const { plan, shards = 1, workDir } = options;
    if (plan.name !== 'fleet' || shards !== 1)
      throw new Error('docker-compose.yml has the fleet topology and one shard, nothing else');
    mkdirSync(join(workDir, 'logs'));
    const servers = new ComposeServers(options, await freePorts(3));
    try {
      await servers.#start();
    } catch (error) {
      await servers.#remove();
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${servers.logTails()}`, { cause: error });
    }
    return servers;
  }

  async #start(): Promise<void> {
    if (process.env.E2E_IMAGE === undefined) await this.#timed('the images are built', () => this.#compose('build'));
    await this.#timed('all containers are healthy', async () => {
      await this.#compose('up', '--detach', '--no-build');
      await this.#untilHealthy();
    });
    const folder = `${await this.#idOf('dev-shard')}:${SHARD_FOLDER}`;
    await run(['docker', 'cp', folder, join(this.#options.workDir, 'shard')], this.#runOptions);
    await this.#measure();
  }

  get description(): TargetDescription {
    const file = (name: string): string => join(this.#options.workDir, 'shard', name);
    const pair = (name: string) => ({ certificate: file(`${name}.crt`), key: file(`${name}.key`) });
    const [frontProxyURL = '', shardURL = '', virtualWorkspaceURL = ''] = this.#ports.map(port => `https://127.0.0.1:${port}`);
    // Neither ops servers nor a command: a pid in a container is another process out here, and nothing can be started beside it.
    const root: ShardDescription = {
      name: 'root',
      shardURL,
      virtualWorkspaceURL,
      masters: pair('shard-client'),
      mastersToken: (JSON.parse(readFileSync(file('tokens.json'), 'utf8')) as { masters: string }).masters,
    };
    const { name: _name, ...rootFields } = root;
    return {
      implementation: 'kcp-vw',
      recordsFieldManagers: false,
      name: 'containers on the dev shard',
      frontProxyURL,
      ...rootFields,
      servingAuthority: file('serving-ca.crt'),
      clientAuthority: pair('client-ca'),
      requestHeaderAuthority: pair('requestheader-ca'),
      requestHeaderName: 'kcp-front-proxy',
      admin: pair('kcp-admin'),
      userTokens: Object.fromEntries(USER_NUMBERS.map(number => [`user-${number}`, `user-${number}-token`])),
      shards: [root],
    };
  }

  /** The last lines of the log, in which everything is once the containers are gone. */
  logTails(): string {
    return this.#tails || readFileSync(this.#log, 'utf8').split('\n').slice(-TAIL_LINES).join('\n');
  }

  /** Stops the containers, which have to drain and end well, and removes whatever was made for them. */
  async end(): Promise<void> {
    this.#isEnding = true;
    try {
      await this.#compose('stop', '--timeout', '20');
      for (const service of OURS) {
        const { ExitCode } = await this.#stateOf(service);
        if (ExitCode !== 0) throw new Error(`the container of ${service} ended with exit code ${ExitCode} when it was stopped`);
      }
    } finally {
      await this.#remove();
    }
  }

  async #remove(): Promise<void> {
    this.#isEnding = true;
    this.#tails = await this.#compose('logs', '--no-color', `--tail=${TAIL_LINES}`);
    await this.#compose('down', '--volumes', '--remove-orphans', '--timeout', '5');
  }

  async #untilHealthy(): Promise<void> {
    const deadline = Date.now() + HEALTHY_LIMIT;
    for (;;) {
      const states = await Promise.all(ALL.map(async name => ({ name, ...(await this.#stateOf(name)) })));
      const missing = states
        .filter(({ Health }) => Health?.Status !== 'healthy')
        .map(({ name, Status }) => `${name} (${Status})`);
      if (missing.length === 0) return;
      if (this.#options.stop.aborted) throw new Error('the run was ended before the containers were healthy');
      if (Date.now() > deadline) throw new Error(`not healthy after ${HEALTHY_LIMIT / 1000} s: ${missing.join(', ')}`);
      await sleep(250);
    }
  }

  /** Says what the containers cost: their size, and how long one takes to be ready beside the others that are. */
  async #measure(): Promise<void> {
    const { KCP_VW_IMAGE = '', BASE: base = BASE } = this.#environment;
    const megabytes = async (image: string): Promise<string> => `${((await compressedSize(image)) / 1e6).toFixed(1)} MB`;
    say(`the image of production, compressed: ${await megabytes(KCP_VW_IMAGE)}, of which ${await megabytes(base)} are ${base}`);
    for (const service of OURS) {
      await this.#compose('restart', service);
      await this.#untilHealthy();
      const { StartedAt } = await this.#stateOf(service);
      const ready = millisecondsUntilReady(StartedAt, await this.#compose('logs', '--no-color', '--no-log-prefix', service));
      say(`${service}: ready ${ready} ms after the start of its container`);
    }
  }

  async #timed(what: string, run: () => Promise<unknown>): Promise<void> {
    const began = performance.now();
    await run();
    say(`${what} after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  }

  async #stateOf(service: string): Promise<ContainerState> {
    const command = ['docker', 'inspect', '--format', '{{json .State}}', await this.#idOf(service)];
    return JSON.parse(await run(command, this.#runOptions)) as ContainerState;
  }

  /** Of a stopped container, too. */
  async #idOf(service: string): Promise<string> {
    return (await run(this.#composeCommand('ps', '--quiet', '--all', service), this.#runOptions)).trim();
  }

  #compose(...parameters: readonly string[]): Promise<string> {
    return run(this.#composeCommand(...parameters), { ...this.#runOptions, log: this.#log });
  }

  #composeCommand = (...parameters: readonly string[]): string[] => [
    ...this.#options.compose.command,
    ...['--project-name', this.#project],
    ...parameters,
  ];

  get #runOptions(): RunOptions {
    return {
      directory: this.#options.project,
      environment: this.#environment,
      stop: this.#isEnding ? undefined : this.#options.stop,
    };
  }
}
