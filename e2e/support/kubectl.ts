/** `kubectl` as people run it: a program of its own, with a kubeconfig of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from '@jest/globals';
import { isExecutable } from '../harness/binaries.ts';
import type { Client } from './client.ts';
import { target } from './identities.ts';
import { hasWorkspacesView } from './workspaces-view.ts';

/** kcp's programs come before others of the same name. */
const PATH = [process.env.KCP_BIN, process.env.PATH].filter(Boolean).join(delimiter);

const find = (program: string): string | undefined =>
  PATH.split(delimiter)
    .map(folder => join(folder, program))
    .find(isExecutable);

const KUBECTL = find('kubectl');

/** `describe` for tests that need the view `workspaces` and these programs; where one is missing, the title says which. */
export function describeWithPrograms(title: string, programs: readonly string[], tests: () => void): void {
  const missing = programs.filter(program => find(program) === undefined);
  const isPossible = hasWorkspacesView && missing.length === 0;
  const why = missing.length > 0 ? ` (skipped: there is no ${missing.join(', ')} on PATH or in KCP_BIN)` : '';
  (isPossible ? describe : describe.skip)(`${title}${why}`, tests);
}

/** What a program has said, and how it ended. */
export interface Said {
  readonly command: string;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TIME_LIMIT = 90_000;

/** One user at one server. */
export class Kubectl {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kubectl-'));
  readonly #kubeconfig = join(this.#folder, 'kubeconfig');
  readonly #running = new Set<Running>();

  /** As the client: the same server, the same certificate. */
  constructor(client: Client) {
    writeFileSync(this.#kubeconfig, JSON.stringify(kubeconfigOf(client)));
  }

  /** Writes a file for the program to read. Resolves with its path. */
  file(name: string, content: unknown): string {
    const path = join(this.#folder, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  /** The URL that the kubeconfig leads to now; plugins change it. */
  get server(): string {
    const text = readFileSync(this.#kubeconfig, 'utf8');
    const servers = [...text.matchAll(/server"?: *"?([^"\s,}]+)/g)].map(([, url]) => url);
    const last = servers.at(-1);
    if (last === undefined) throw new Error(`the kubeconfig has no server:\n${text}`);
    return last;
  }

  start(parameters: readonly string[], environment: NodeJS.ProcessEnv = {}): Running {
    if (KUBECTL === undefined) throw new Error('there is no kubectl on PATH');
    const running = new Running(KUBECTL, parameters, {
      ...process.env,
      PATH,
      // Its caches, too: what it knows of one server is not true of another.
      HOME: this.#folder,
      KUBECONFIG: this.#kubeconfig,
      ...environment,
    });
    this.#running.add(running);
    return running;
  }

  /** Runs it to its end, whatever that is. */
  attempt(...parameters: readonly string[]): Promise<Said> {
    return this.start(parameters).ended();
  }

  /** Runs it to its end and resolves with what it prints. Throws, with all that it has said, when it fails. */
  async run(...parameters: readonly string[]): Promise<string> {
    return succeeded(await this.attempt(...parameters));
  }

  /** Runs it with an editor that is a command with the name of a file for its last parameter. */
  async edit(editor: string, ...parameters: readonly string[]): Promise<string> {
    return succeeded(await this.start(parameters, { KUBE_EDITOR: editor }).ended());
  }

  /** Ends what still runs, and leaves no files behind. */
  remove(): void {
    for (const running of this.#running) running.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function succeeded({ command, code, stdout, stderr }: Said): string {
  if (code !== 0) throw new Error(`${command} exited with code ${code}:\n${stdout}${stderr}`);
  return stdout;
}

/** A program that runs. */
export class Running {
  readonly #process: ChildProcess;
  readonly #command: string;
  readonly #end: Promise<number | null>;
  /** What it has printed so far. */
  stdout = '';
  stderr = '';

  constructor(program: string, parameters: readonly string[], environment: NodeJS.ProcessEnv) {
    this.#command = `kubectl ${parameters.join(' ')}`;
    this.#process = spawn(program, parameters, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#end = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('close', resolve);
    });
    // Whoever waits is told.
    this.#end.catch(() => {});
  }

  /** Waits until it has printed something. Throws, with all that it has said, when that takes too long. */
  async until(text: string, timeout = 30_000): Promise<void> {
    const deadline = Date.now() + timeout;
    while (!this.stdout.includes(text)) {
      if (Date.now() > deadline || this.#process.exitCode !== null) {
        throw new Error(`${this.#command} has not printed ${text}; it has said:\n${this.stdout}${this.stderr}`);
      }
      await sleep(50);
    }
  }

  async ended(): Promise<Said> {
    const limit = setTimeout(() => this.kill(), TIME_LIMIT);
    try {
      const code = await this.#end;
      return { command: this.#command, code, stdout: this.stdout, stderr: this.stderr };
    } finally {
      clearTimeout(limit);
    }
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

function kubeconfigOf({ base, credentials: { keyPair, token } }: Client): object {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const cluster = { server: base.href.replace(/\/$/, ''), 'certificate-authority-data': base64(target.servingAuthority) };
  const certificate = keyPair && {
    'client-certificate-data': base64(keyPair.certificate),
    'client-key-data': base64(keyPair.key),
  };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'kcp',
    contexts: [{ name: 'kcp', context: { cluster: 'kcp', user: 'kcp' } }],
    clusters: [{ name: 'kcp', cluster }],
    users: [{ name: 'kcp', user: { ...certificate, ...(token !== undefined && { token }) } }],
  };
}
