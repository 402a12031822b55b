import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import { ProcessGroup } from './process-group.ts';

/** A start takes under a minute on two cores. */
const START_LIMIT = 180_000;

const FEATURE_GATES = 'WorkspaceMounts=true,CacheAPIs=true,WorkspaceAuthentication=true,LogicalClusterMigration=true';

const TAIL_LINES = 40;

export interface KcpOptions {
  readonly binaries: Binaries & { readonly found: true };
  /** Absolute; everything that kcp writes goes below it. */
  readonly workDir: string;
  /** Default 1. */
  readonly shards?: number;
  /** The executable that takes the place of kcp's own `virtual-workspaces`. */
  readonly virtualWorkspaces: string;
  /** The mapping file of the front proxy, in place of the one that the test server writes. */
  readonly frontProxyMapping?: string;
  /** Aborted when the run is to end early. */
  readonly stop: AbortSignal;
}

/** A kcp with its shards, a front proxy, a cache server and external virtual workspaces. */
export class KcpServer {
  readonly #group: ProcessGroup;
  readonly #options: KcpOptions;

  private constructor(group: ProcessGroup, options: KcpOptions) {
    this.#group = group;
    this.#options = options;
  }

  static start(options: KcpOptions): KcpServer {
    const { binaries, shards = 1, virtualWorkspaces, frontProxyMapping, workDir } = options;
    const logs = join(workDir, 'logs');
    mkdirSync(join(workDir, '.kcp'), { recursive: true });
    mkdirSync(logs);
    const parameters = [
      '--quiet',
      '--v=2',
      `--work-dir-path=${workDir}`,
      `--log-dir-path=${logs}`,
      `--number-of-shards=${shards}`,
      // Only this spelling makes the test server start external virtual workspaces.
      '--shard-run-virtual-workspaces=false',
      `--shard-feature-gates=${FEATURE_GATES}`,
      `--proxy-feature-gates=${FEATURE_GATES}`,
      // The front proxy is given its own first, and takes the last.
      ...(frontProxyMapping === undefined ? [] : [`--proxy-mapping-file=${frontProxyMapping}`]),
    ];
    const environment = {
      ...process.env,
      PATH: binaries.path,
      NO_GORUN: '1',
      UNSAFE_E2E_HACK_DISABLE_ETCD_FSYNC: 'true',
      KCP_ASSET_VIRTUAL_WORKSPACES: virtualWorkspaces,
    };
    const output = openSync(join(logs, 'harness.log'), 'w');
    const group = new ProcessGroup(binaries.testServer, parameters, { environment, directory: workDir, output });
    closeSync(output);
    return new KcpServer(group, options);
  }

  get pid(): number | undefined {
    return this.#group.pid;
  }

  /** Resolves when tests may begin. Throws when a server ends before that, or when it takes too long. */
  async untilReady(): Promise<void> {
    const { stop, workDir } = this.#options;
    const deadline = Date.now() + START_LIMIT;
    while (!existsSync(join(workDir, '.kcp', 'ready-to-test'))) {
      if (this.#group.ended !== undefined) throw new Error(`kcp's test server ${this.#group.ended} before it was ready`);
      if (stop.aborted) throw new Error('the run was ended before kcp was ready');
      if (Date.now() > deadline) throw new Error(`kcp was not ready to test after ${START_LIMIT / 1000} s`);
      await sleep(200);
    }
  }

  /** The last lines of every log, without the audit logs. */
  logTails(): string {
    const folder = join(this.#options.workDir, 'logs');
    return readdirSync(folder)
      .filter(name => name.endsWith('.log') && !name.includes('audit'))
      .map(name => {
        const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
        return `--- ${name}, last lines\n${lines.slice(-TAIL_LINES).join('\n')}\n`;
      })
      .join('\n');
  }

  /** Ends all servers. Throws when one survives. */
  async end(): Promise<void> {
    await this.#group.end();
  }
}
