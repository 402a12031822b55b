import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { requestJson } from '../upstream/json.ts';
import { closeAll, eventually, httpsServer, serverTls, testAuthority, track } from '../upstream/upstream.fixture.ts';
import { connectRegistry, type RegistryOptions } from './registry-access.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'registry-'));
});
afterEach(closeAll);
afterAll(() => rmSync(folder, { recursive: true }));

const clients = createAuthority({ commonName: 'client-ca' });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const SHARDS = '/services/cache/shards/*/clusters/*/apis/core.kcp.io/v1alpha1/shards';

interface Credentials {
  readonly commonName?: string;
  readonly token?: string;
  readonly servername?: string;
}

/** Names a server, and who comes to it. */
function kubeconfig(name: string, server: string | URL, { commonName, token, servername }: Credentials): string {
  const pair = commonName === undefined ? undefined : clients.issue({ commonName, usage: 'client' });
  const certificate = pair && { 'client-certificate-data': base64(pair.certPem), 'client-key-data': base64(pair.keyPem) };
  const cluster = { server, 'certificate-authority-data': base64(testAuthority().certPem), 'tls-server-name': servername };
  const content = {
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { ...certificate, token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(join(folder, name), JSON.stringify(content));
  return join(folder, name);
}

/** A server that answers 200 with what a function gives, and that tells who asked for what. */
async function server(answer: (path: string) => object | undefined, tls = serverTls()): Promise<{ url: URL; seen: string[] }> {
  const seen: string[] = [];
  const listener: RequestListener = (request, response) => {
    const subject = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
    seen.push(`${subject ?? 'nobody'}${request.headers.authorization ? ' with a token' : ''}: ${request.method} ${request.url}`);
    const body = answer(request.url ?? '');
    response.writeHead(body ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { kind: 'Status', message: 'the storage is (re)initializing' }));
  };
  return { url: await httpsServer(listener, tls, clients.certPem), seen };
}

const shard = (name: string, baseURL: string | undefined, cluster = 'root') => ({
  metadata: { name, annotations: { 'kcp.io/cluster': cluster } },
  spec: { baseURL },
});

const optionsOf = (given: Partial<RegistryOptions>, registration?: string): RegistryOptions => ({
  kubeconfig: '',
  context: '',
  limits: { watchStreams: 10 } as RegistryOptions['limits'],
  registration: { instance: 'i', leaseSeconds: 15, allowedEndpoints: [], ...(registration && { kubeconfig: registration }) },
  ...given,
});

const warnings: string[] = [];
const log = { warn: (fields: { err: Error }) => void warnings.push(fields.err.message) } as never;

const connect = async (options: RegistryOptions, intervalMs?: number) => {
  const registry = await connectRegistry(options, log, intervalMs === undefined ? {} : { intervalMs });
  track(registry.upstream);
  return registry;
};

describe('the registry', () => {
  test('is where --registration-kubeconfig says, with its credentials and its path', async () => {
    const workspace = await server(() => ({}));
    const file = kubeconfig('registration', new URL('/clusters/root:ops', workspace.url), { commonName: 'team' });
    const { upstream, basePath, description } = await connect(optionsOf({ kubeconfig: '/none' }, file));
    expect([basePath, description]).toEqual(['/clusters/root:ops', `${workspace.url.origin}/clusters/root:ops`]);
    await requestJson(upstream, { method: 'GET', path: `${basePath}/apis` });
    expect(workspace.seen).toEqual(['team: GET /clusters/root:ops/apis']);
  });

  test('is root on the root shard that the cache embedded in the shard knows, by the certificate of the shard', async () => {
    const root = await server(() => ({}));
    const local = await server(() => ({ items: [shard('local', 'https://local'), shard('root', `${root.url.origin}/`)] }));
    const file = kubeconfig('shard', new URL('/clusters/root', local.url), { commonName: 'kcp-admin', token: 'secret' });
    const { upstream, basePath, description } = await connect(optionsOf({ kubeconfig: file }));
    expect(local.seen).toEqual([`kcp-admin with a token: GET ${SHARDS}`]);
    expect([basePath, description]).toEqual([
      '/clusters/root',
      `${root.url.origin}/clusters/root, found by way of the cache server`,
    ]);
    await requestJson(upstream, { method: 'GET', path: `${basePath}/apis` });
    // The token is for the shard's own eyes.
    expect(root.seen).toEqual(['kcp-admin: GET /clusters/root/apis']);
  });

  test('is found by way of a cache server of its own, with the credentials for that', async () => {
    const root = await server(() => ({}));
    const cache = await server(() => ({ items: [shard('root', root.url.origin)] }));
    const cacheKubeconfig = kubeconfig('cache', new URL('/prefix', cache.url), { commonName: 'cache-client' });
    const file = kubeconfig('shard', 'https://127.0.0.1:1', { commonName: 'kcp-admin' });
    const { upstream, basePath } = await connect(optionsOf({ kubeconfig: file, cacheKubeconfig }));
    expect(cache.seen).toEqual([`cache-client: GET /prefix${SHARDS}`]);
    await requestJson(upstream, { method: 'GET', path: `${basePath}/apis` });
    expect(root.seen).toEqual(['kcp-admin: GET /clusters/root/apis']);
  });

  test('keeps the name that the certificate of the shard has, when that is the root shard', async () => {
    const named = await server(
      path => (path === SHARDS ? { items: [shard('root', named.url.origin)] } : {}),
      serverTls(['DNS:kcp']),
    );
    const file = kubeconfig('shard', named.url, { commonName: 'kcp-admin', servername: 'kcp' });
    const { upstream, basePath } = await connect(optionsOf({ kubeconfig: file }));
    expect((await requestJson(upstream, { method: 'GET', path: `${basePath}/apis` })).status).toBe(200);
  });

  // Whoever can write to the cache could send the certificate of masters anywhere, and answer in place of the registry.
  test('is no server that the authority of the shard does not certify', async () => {
    const others = createAuthority({ commonName: 'other-ca' });
    const { certPem: cert, keyPem: key } = others.issue({ commonName: 'server', sans: ['IP:127.0.0.1'], usage: 'server' });
    const impostor = await server(() => ({}), { cert, key });
    const local = await server(() => ({ items: [shard('root', impostor.url.origin)] }));
    const file = kubeconfig('shard', local.url, { commonName: 'kcp-admin' });
    const { upstream, basePath } = await connect(optionsOf({ kubeconfig: file }));
    const asked = requestJson(upstream, { method: 'GET', path: `${basePath}/apis` });
    await expect(asked).rejects.toMatchObject({ failure: 'untrusted' });
    expect(impostor.seen).toEqual([]);
  });

  test('takes a renewed certificate of the shard, and keeps the last one while there is none', async () => {
    const root = await server(() => ({}));
    const local = await server(() => ({ items: [shard('root', root.url.origin)] }));
    const file = kubeconfig('shard', local.url, { commonName: 'before' });
    const { upstream } = await connect(optionsOf({ kubeconfig: file }), 10);
    const ask = () => requestJson(upstream, { method: 'GET', path: '/who' });
    await ask();
    kubeconfig('shard', local.url, { token: 'secret' });
    await eventually(() => warnings.some(warning => warning.includes('has no client certificate')));
    await ask();
    kubeconfig('shard', local.url, { commonName: 'after' });
    while (!root.seen.includes('after: GET /who')) await ask();
    expect(new Set(root.seen)).toEqual(new Set(['before: GET /who', 'after: GET /who']));
  });
});

describe('where there is no registry, one sentence says what was tried', () => {
  const tried = async (given: Partial<RegistryOptions>, registration?: string): Promise<string> =>
    connectRegistry(optionsOf(given, registration), log).then(
      () => 'connected',
      (error: Error) => error.message,
    );
  const shardWith = async (answer: object | undefined): Promise<string> =>
    kubeconfig('shard', (await server(() => answer)).url, { commonName: 'kcp-admin' });

  test('without any kubeconfig', async () => {
    expect(await tried({})).toBe(
      'there is neither --registration-kubeconfig nor --kubeconfig, which the registry could be found with',
    );
  });

  test('with files that cannot be read', async () => {
    expect(await tried({}, join(folder, 'none'))).toContain(`kubeconfig ${join(folder, 'none')}: cannot be read`);
    expect(await tried({ kubeconfig: join(folder, 'none') })).toContain(`kubeconfig ${join(folder, 'none')}: cannot be read`);
  });

  test('with a kubeconfig that the root shard cannot know', async () => {
    const file = kubeconfig('account', 'https://127.0.0.1:1', { token: 'secret' });
    expect(await tried({ kubeconfig: file })).toBe(
      `kubeconfig ${file} has no client certificate, which the root shard could know: give --registration-kubeconfig`,
    );
  });

  test('with a cache server that is away, not up yet, or empty', async () => {
    const away = kubeconfig('shard', 'https://127.0.0.1:1', { commonName: 'kcp-admin' });
    const looked = `the root shard was looked for in the cache server of kubeconfig ${away}, which`;
    expect(await tried({ kubeconfig: away })).toMatch(`${looked} cannot be asked: `);
    const cacheKubeconfig = kubeconfig('cache', 'https://127.0.0.1:1', { commonName: 'cache-client' });
    expect(await tried({ kubeconfig: away, cacheKubeconfig })).toMatch(`kubeconfig ${cacheKubeconfig}, which cannot be asked: `);
    expect(await tried({ kubeconfig: await shardWith(undefined) })).toBe(
      `${looked} answered 503: the storage is (re)initializing`,
    );
    expect(await tried({ kubeconfig: await shardWith({ items: [shard('shard-1', 'https://x')] }) })).toBe(
      `${looked} has no Shard "root"`,
    );
  });

  test('with a Shard of that name in another workspace, or at no URL that may be used', async () => {
    const elsewhere = { items: [shard('root', 'https://127.0.0.1:1', '2x4k')] };
    expect(await tried({ kubeconfig: await shardWith(elsewhere) })).toContain('which has no Shard "root"');
    for (const baseURL of ['http://127.0.0.1:1', 'nowhere', undefined]) {
      const answer = { items: [shard('root', baseURL)] };
      expect(await tried({ kubeconfig: await shardWith(answer) })).toContain('where its spec.baseURL is not https: ');
    }
  });
});
