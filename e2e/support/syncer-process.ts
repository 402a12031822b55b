import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderOf } from './example.ts';
import { target } from './identities.ts';
import type { PhysicalCluster } from './physical-cluster.ts';
import { kubeconfigOf } from './syncing-install.ts';
import type { CreatedSyncTarget } from './syncing-targets.ts';

interface Server {
  readonly url: string;
  /** PEM that verifies it, and all that it names. */
  readonly authority: string;
}

export interface SyncerOptions {
  readonly parameters?: readonly string[];
  /** Default: the front proxy. */
  readonly upstream?: Server;
}

const FRONT_PROXY: Server = { url: target.frontProxyURL, authority: target.servingAuthority };

/** The syncer of `examples/`, as a process of its own, with the tokens of the accounts that it has on both sides. */
export class SyncerProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), 'syncer-'));
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  /** What it has told. */
  said = '';

  constructor(of: CreatedSyncTarget, cluster: PhysicalCluster, { parameters = [], upstream = FRONT_PROXY }: SyncerOptions = {}) {
    const command = [
      folderOf('syncer/main.ts'),
      `--kubeconfig=${this.#kubeconfig('upstream', of.workspace, of.syncer, upstream)}`,
      `--sync-target=${of.name}`,
      `--downstream-kubeconfig=${this.#kubeconfig('downstream', cluster.workspace, cluster.syncer, FRONT_PROXY)}`,
      '--heartbeat=5s',
      ...parameters,
    ];
    this.#process = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exited = once(this.#process, 'exit');
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', chunk => {
        this.said += chunk;
      });
    }
  }

  #kubeconfig(name: string, workspace: string, credentials: { readonly token: string }, { url, authority }: Server): string {
    const file = join(this.#folder, name);
    writeFileSync(file, kubeconfigOf(`${url}/clusters/${workspace}`, authority, credentials));
    return file;
  }

  /** `SIGSTOP` has it stand still, and `SIGCONT` go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.#process.kill(signal);
  }

  /** Resolves with its exit code. */
  async ended(): Promise<unknown> {
    const [code] = await this.#exited;
    return code;
  }

  /** Ends it wherever it is, and leaves nothing behind. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
