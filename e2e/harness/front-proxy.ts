import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isReady } from './is-ready.ts';
import type { FoundBinaries } from './kcp-stage.ts';
import { ProcessGroup } from './process-group.ts';

const STARTED_WITHIN = 30_000;

/** An entry of the mapping file of kcp's front proxy. */
export interface MappingEntry {
  readonly path: string;
  readonly backend: string;
}

/** To the shards. Where they are the front proxy knows, and the backend means nothing. */
export const TO_SHARDS: MappingEntry = { path: '/clusters/', backend: 'https://localhost:6444' };

/** Writes a mapping file for a front proxy of kcp beside, or in place of, the one of its test server; returns its path. JSON is YAML. */
export function writeMappings(workDir: string, name: string, entries: readonly MappingEntry[]): string {
  const file = join(workDir, `mapping-${name}.yaml`);
  const credentials = {
    backend_server_ca: join(workDir, '.kcp', 'serving-ca.crt'),
    proxy_client_cert: join(workDir, '.kcp-front-proxy', 'requestheader.crt'),
    proxy_client_key: join(workDir, '.kcp-front-proxy', 'requestheader.key'),
  };
  writeFileSync(file, JSON.stringify(entries.map(entry => ({ ...entry, ...credentials }))));
  return file;
}

export interface FrontProxyOptions {
  /** Of its mapping file and its log. */
  readonly name: string;
  readonly port: number;
  readonly entries: readonly MappingEntry[];
}

/** A front proxy of kcp's beside the one of its test server, with a mapping of its own. */
export class KcpFrontProxy {
  readonly url: string;
  readonly #name: string;
  readonly #group: ProcessGroup;
  readonly #workDir: string;

  private constructor({ path }: FoundBinaries, workDir: string, { name, port, entries }: FrontProxyOptions) {
    this.url = `https://127.0.0.1:${port}`;
    this.#name = name;
    this.#workDir = workDir;
    const folder = join(workDir, '.kcp-front-proxy');
    const authority = (which: string): string => join(workDir, '.kcp', `${which}-ca.crt`);
    const parameters = [
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--mapping-file=${writeMappings(workDir, name, entries)}`,
      `--root-directory=${folder}`,
      `--root-kubeconfig=${join(workDir, '.kcp', 'root.kubeconfig')}`,
      `--shards-kubeconfig=${join(folder, 'shards.kubeconfig')}`,
      `--client-ca-file=${authority('client')}`,
      `--requestheader-client-ca-file=${authority('requestheader')}`,
      '--requestheader-username-headers=X-Remote-User',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      '--requestheader-allowed-names=kcp-front-proxy,kcp-mounts-proxy',
      `--tls-cert-file=${join(folder, 'apiserver.crt')}`,
      `--tls-private-key-file=${join(folder, 'apiserver.key')}`,
      '--v=2',
    ];
    const output = openSync(this.#log, 'w');
    this.#group = new ProcessGroup('kcp-front-proxy', parameters, {
      environment: { ...process.env, PATH: path },
      directory: workDir,
      output,
    });
    closeSync(output);
  }

  /** Resolves when it is ready. Leaves nothing running when it rejects. */
  static async start(binaries: FoundBinaries, workDir: string, options: FrontProxyOptions): Promise<KcpFrontProxy> {
    const proxy = new KcpFrontProxy(binaries, workDir, options);
    try {
      await proxy.#untilReady();
      return proxy;
    } catch (error) {
      await proxy.end();
      throw error;
    }
  }

  end(): Promise<void> {
    return this.#group.end();
  }

  get #log(): string {
    return join(this.#workDir, 'logs', `${this.#name}-front-proxy.log`);
  }

  async #untilReady(): Promise<void> {
    const deadline = Date.now() + STARTED_WITHIN;
    while (!(await isReady(this.url, join(this.#workDir, '.kcp', 'serving-ca.crt')))) {
      if (this.#group.ended !== undefined || Date.now() > deadline) {
        const log = readFileSync(this.#log, 'utf8').slice(-2_000);
        throw new Error(`the front proxy "${this.#name}" is not ready (${this.#group.ended ?? 'too slow'}):\n${log}`);
      }
      await new Promise(resolve => setTimeout(resolve, 200));
    }
  }
}
