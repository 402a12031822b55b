import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FoundBinaries } from './kcp-stage.ts';
import { ProcessGroup } from './process-group.ts';

/**
 * What kcp-operator takes of the arguments that kcp's test server gives to virtual workspaces; no credentials for token reviews and none
 * for clusters of other shards are among them.
 */
export const OPERATOR_KEEPS = [
  '--client-ca-file',
  '--tls-private-key-file',
  '--tls-cert-file',
  '--bind-address',
  '--secure-port',
  '--requestheader-client-ca-file',
  '--requestheader-username-headers',
  '--requestheader-group-headers',
  '--kubeconfig',
  '--cache-kubeconfig',
];

/** And what it adds. The external URL means nothing, to kcp as well. */
export const OPERATOR_ADDS = [
  '--requestheader-allowed-names=kcp-front-proxy,kcp-mounts-proxy',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
  '--shard-external-url=https://127.0.0.1:6443',
  '-v=4',
];

const PORT = 6543;
const STARTED_WITHIN = 30_000;

/**
 * A front proxy of kcp's beside the one of its test server, with the mapping of kcp-operator: `/services/` goes to the root shard as well,
 * which sends it on to the virtual workspaces as its user.
 */
export class OperatorFrontProxy {
  readonly url = `https://127.0.0.1:${PORT}`;
  readonly #group: ProcessGroup;

  constructor({ path }: FoundBinaries, workDir: string) {
    const folder = join(workDir, '.kcp-front-proxy');
    const mapping = join(folder, 'mapping-operator.yaml');
    const to = (route: string) => ({
      path: route,
      backend: 'https://localhost:6444',
      backend_server_ca: join(workDir, '.kcp', 'serving-ca.crt'),
      proxy_client_cert: join(folder, 'requestheader.crt'),
      proxy_client_key: join(folder, 'requestheader.key'),
    });
    writeFileSync(mapping, JSON.stringify([to('/clusters/'), to('/services/')]));
    const output = openSync(join(workDir, 'logs', 'operator-front-proxy.log'), 'w');
    const authority = (name: string): string => join(workDir, '.kcp', `${name}-ca.crt`);
    const parameters = [
      '--bind-address=127.0.0.1',
      `--secure-port=${PORT}`,
      `--mapping-file=${mapping}`,
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
    this.#group = new ProcessGroup('kcp-front-proxy', parameters, {
      environment: { ...process.env, PATH: path },
      directory: workDir,
      output,
    });
    closeSync(output);
  }

  /** Rejects when it ends or takes too long. */
  async untilReady(workDir: string, isReady: (url: string, authority: string) => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + STARTED_WITHIN;
    while (!(await isReady(this.url, join(workDir, '.kcp', 'serving-ca.crt')))) {
      if (this.#group.ended !== undefined || Date.now() > deadline) {
        const log = readFileSync(join(workDir, 'logs', 'operator-front-proxy.log'), 'utf8').slice(-2_000);
        throw new Error(
          `the front proxy with the mapping of kcp-operator is not ready (${this.#group.ended ?? 'too slow'}):\n${log}`,
        );
      }
      await new Promise(resolve => setTimeout(resolve, 200));
    }
  }

  end(): Promise<void> {
    return this.#group.end();
  }
}
