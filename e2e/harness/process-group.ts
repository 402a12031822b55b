import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Every descendant inherits it, even one that has left the process group. */
const MARK = 'E2E_PROCESS_GROUP';

export interface StartOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
  /** File descriptor for standard output and error; without it they are inherited. */
  readonly output?: number;
}

/** A program with everything that it starts, in a process group of its own, so that all of it can be ended. */
export class ProcessGroup {
  /** Why the program has ended; undefined while it runs. */
  ended: string | undefined;
  readonly #child: ChildProcess;
  readonly #mark: string;

  constructor(program: string, parameters: readonly string[], options: StartOptions) {
    this.#mark = randomUUID();
    const output = options.output ?? 'inherit';
    this.#child = spawn(program, parameters, {
      cwd: options.directory,
      detached: true,
      env: { ...options.environment, [MARK]: this.#mark },
      stdio: ['ignore', output, output],
    });
    this.#child.once('error', error => {
      this.ended = `could not be started: ${error.message}`;
    });
    this.#child.once('exit', (code, signal) => {
      this.ended = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when the program itself has ended, or `stop` is aborted. */
  async untilEnded(stop: AbortSignal): Promise<void> {
    while (this.ended === undefined && !stop.aborted) await sleep(100);
  }

  /**
   * Ends the group and whatever else carries its mark: politely, and after `patience` ms by force.
   * Throws when something survives even that.
   */
  async end(patience = 10_000): Promise<void> {
    this.#signalGroup('SIGTERM');
    if (await this.#gone(patience)) return;
    this.#signalGroup('SIGKILL');
    for (const pid of this.#marked()) signal(pid, 'SIGKILL');
    if (await this.#gone(5_000)) return;
    const survivors = [...this.#marked()].map(pid => `${pid} (${commandOf(pid)})`);
    throw new Error(`processes are left behind: ${survivors.join(', ')}`);
  }

  async #gone(patience: number): Promise<boolean> {
    const deadline = Date.now() + patience;
    while (this.#exists()) {
      if (Date.now() > deadline) return false;
      await sleep(100);
    }
    return true;
  }

  #exists(): boolean {
    return this.#signalGroup(0) || this.#marked().length > 0;
  }

  /** Whether the group had a process to receive the signal. */
  #signalGroup(name: NodeJS.Signals | 0): boolean {
    const { pid } = this.#child;
    return pid !== undefined && signal(-pid, name);
  }

  #marked(): number[] {
    // Without a /proc, as on macOS, the process group has to be enough.
    if (!existsSync('/proc/self/environ')) return [];
    const entry = `${MARK}=${this.#mark}`;
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(Number)
      .filter(pid => pid !== process.pid && read(`/proc/${pid}/environ`).split('\0').includes(entry));
  }
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** The content of a file of /proc; empty when its process has gone or belongs to another user. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
