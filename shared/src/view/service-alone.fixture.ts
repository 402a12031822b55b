/** Test equipment: what a service by itself is started with, and a registry that it is told of. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import type { RawHeaders } from '../listener/headers.ts';
import { httpServer } from '../upstream/upstream.fixture.ts';

export const fleet = createAuthority({ commonName: 'fleet-ca' });
const serving = fleet.issue({ commonName: 'a-vw', usage: 'server', sans: ['DNS:localhost', 'IP:127.0.0.1'] });
const frontProxy = fleet.issue({ commonName: 'front-proxy', usage: 'client' });

export interface ServiceFiles {
  readonly flags: readonly string[];
  remove(): void;
}

/** Files, and the flags that name them. Nobody is at the shard; the registry is at `registry`. */
export function serviceFiles(registry: URL | string): ServiceFiles {
  const folder = mkdtempSync(join(tmpdir(), 'alone-'));
  const kubeconfig = (server: string): string =>
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server } }],
      contexts: [{ name: 'c', context: { cluster: 'c' } }],
      'current-context': 'c',
    });
  const files = {
    kubeconfig: kubeconfig('https://127.0.0.1:1'),
    'registration-kubeconfig': kubeconfig(new URL('/clusters/root', registry).href),
    'tls-cert-file': serving.certPem + fleet.certPem,
    'tls-private-key-file': serving.keyPem,
    'requestheader-client-ca-file': fleet.certPem,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return {
    flags: [
      ...Object.keys(files).map(name => `--${name}=${join(folder, name)}`),
      ...['--requestheader-allowed-names=front-proxy', '--bind-address=127.0.0.1', '--secure-port=0', '--drain-timeout=1s'],
    ],
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** As the front proxy, with the identity that it stamps. Rejects when nobody listens. */
export const askAsFrontProxy = (port: number, path: string): Promise<{ readonly status: number; readonly body: string }> =>
  new Promise((resolve, reject) => {
    const credentials = { ca: fleet.certPem, cert: frontProxy.certPem, key: frontProxy.keyPem };
    const headers = { 'x-remote-user': 'alice', 'x-kcp-vw-authenticated-by': 'token' };
    const sent = request({ host: '127.0.0.1', port, path, headers, agent: false, ...credentials }, response => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.once('error', reject);
    sent.end();
  });

/** What a registry was told, in its order: `notes: ready`, `notes: not ready`, `notes: no entry`, `no lease`. */
export interface ToldRegistry {
  readonly url: URL;
  readonly told: string[];
  /** The last entry. */
  entry(): Readonly<Record<string, unknown>> | undefined;
}

/** Does what it is asked for one view, and hears `onTold` before it answers. */
export async function toldRegistry(onTold: (what: string) => Promise<void> = async () => undefined): Promise<ToldRegistry> {
  const told: string[] = [];
  let endpoints: readonly { readonly ready: boolean }[] = [];
  const url = await httpServer((incoming, outgoing) => {
    let body = '';
    incoming.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    incoming.once('end', async () => {
      const [, view, status] = /virtualworkspaces\/([^/?]+)(\/status)?/.exec(incoming.url ?? '') ?? [];
      let what = '';
      if (status !== undefined) {
        endpoints = JSON.parse(body).status?.endpoints ?? [];
        const [entry] = endpoints;
        what = `${view}: ${entry === undefined ? 'no entry' : entry.ready ? 'ready' : 'not ready'}`;
      }
      if (incoming.method === 'DELETE') what = 'no lease';
      if (what !== '') {
        await onTold(what);
        told.push(what);
      }
      const headers: RawHeaders = ['content-type', 'application/json'];
      outgoing.writeHead(200, [...headers]).end(JSON.stringify({ status: { endpoints } }));
    });
  });
  return { url, told, entry: () => endpoints[0] as Readonly<Record<string, unknown>> | undefined };
}
