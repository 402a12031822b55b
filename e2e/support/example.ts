import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { target } from './identities.ts';

/** The folder of an example. */
export const folderOf = (example: string): string => join(import.meta.dirname, '../../examples', example);

/** The composed fleet, which nobody here has started: the URLs that it publishes name a container, and only its neighbours can use them. */
const isComposed = target.implementation === 'kcp-vw' && target.command === undefined;
export const describeReachable = isComposed ? describe.skip : describe;
/** For what needs a shard besides root. */
export const describeReachableShards = isComposed || target.shards.length < 2 ? describe.skip : describe;

/** A controller of `examples/`, as a process of its own, with the administrator's certificate in a workspace. */
export class Example {
  readonly #folder = mkdtempSync(join(tmpdir(), 'example-'));
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  /** What it has told. */
  said = '';

  constructor(program: string, workspace: string, ...parameters: readonly string[]) {
    const kubeconfig = join(this.#folder, 'kubeconfig');
    writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(workspace)));
    const command = [folderOf(program), `--kubeconfig=${kubeconfig}`, ...parameters];
    this.#process = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#exited = once(this.#process, 'exit');
    this.#process.stdout?.on('data', chunk => {
      this.said += chunk;
    });
  }

  /** The URLs that it serves now, sorted. */
  get served(): readonly string[] {
    const urls = new Set<string>();
    for (const [, begins, ends] of this.said.matchAll(/^(?:serving (\S+)|no longer serving (\S+))$/gm)) {
      if (begins !== undefined) urls.add(begins);
      if (ends !== undefined) urls.delete(ends);
    }
    return [...urls].sort();
  }

  /** Asks it to end. Resolves with its exit code. */
  async stop(): Promise<unknown> {
    this.#process.kill('SIGTERM');
    const [code] = await this.#exited;
    return code;
  }

  /** Leaves nothing behind. */
  remove(): void {
    this.#process.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true });
  }
}

function kubeconfigFor(workspace: string): object {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const { certificate, key } = target.admin;
  const cluster = {
    server: `${target.frontProxyURL}/clusters/${workspace}`,
    'certificate-authority-data': base64(target.servingAuthority),
  };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'example',
    contexts: [{ name: 'example', context: { cluster: 'example', user: 'admin' } }],
    clusters: [{ name: 'example', cluster }],
    users: [{ name: 'admin', user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) } }],
  };
}
