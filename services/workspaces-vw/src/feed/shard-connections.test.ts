import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import { closeAll, eventually, httpsServer, serverTls, testAuthority, track } from '@kcp-vw/shared/upstream/upstream.fixture.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { createShardConnections, type ShardConnection } from './shard-connections.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shard-connections-'));
});
afterEach(closeAll);
afterAll(() => rmSync(folder, { recursive: true }));

const clients = createAuthority({ commonName: 'client-ca' });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Credentials {
  readonly commonName?: string;
  readonly token?: string;
  readonly servername?: string;
}

function kubeconfig(server: string | URL, { commonName, token, servername }: Credentials): string {
  const pair = commonName === undefined ? undefined : clients.issue({ commonName, usage: 'client' });
  const certificate = pair && { 'client-certificate-data': base64(pair.certPem), 'client-key-data': base64(pair.keyPem) };
  const cluster = { server, 'certificate-authority-data': base64(testAuthority().certPem), 'tls-server-name': servername };
  const content = {
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { ...certificate, token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(content));
  return join(folder, 'kubeconfig');
}

/** A shard that tells who asked for what. */
async function shardServer(tls = serverTls()): Promise<{ url: URL; seen: string[] }> {
  const seen: string[] = [];
  const listener: RequestListener = (request, response) => {
    const subject = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
    seen.push(`${subject ?? 'nobody'}${request.headers.authorization ? ' with a token' : ''}: ${request.url}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  };
  return { url: await httpsServer(listener, tls, clients.certPem), seen };
}

const warnings: string[] = [];

async function connections(file: string) {
  const made = await createShardConnections(
    { kubeconfig: file, context: '', limits: DEFAULT_LIMITS },
    { intervalMs: 10, onError: error => warnings.push(error.message) },
  );
  track({ close: async () => made.stop() });
  return made;
}

const tracked = (connection: ShardConnection): ShardConnection => track(connection);
const ask = (upstream: Upstream) => requestJson(upstream, { method: 'GET', path: '/who' });

describe('a connection with a shard', () => {
  test('shows the certificate of the kubeconfig, and never its token', async () => {
    const one = await shardServer();
    const made = await connections(kubeconfig('https://127.0.0.1:1', { commonName: 'masters', token: 'secret' }));
    const { control, callers } = tracked(made.connect('one', one.url));
    await ask(control);
    await ask(callers);
    expect(one.seen).toEqual(['masters: /who', 'masters: /who']);
    expect([made.stats('control').unaryConnections, made.stats('callers').unaryConnections]).toEqual([1, 1]);
  });

  // Whoever can write to the cache could send the certificate of masters anywhere, and say who may enter what.
  test('is none with a server that the authority of the kubeconfig does not certify', async () => {
    const others = createAuthority({ commonName: 'other-ca' });
    const { certPem: cert, keyPem: key } = others.issue({ commonName: 'server', sans: ['IP:127.0.0.1'], usage: 'server' });
    const impostor = await shardServer({ cert, key });
    const made = await connections(kubeconfig('https://127.0.0.1:1', { commonName: 'masters' }));
    const { control } = tracked(made.connect('one', impostor.url));
    await expect(ask(control)).rejects.toMatchObject({ failure: 'untrusted' });
    expect(impostor.seen).toEqual([]);
  });

  test("takes the kubeconfig's name for the server that it is of, and for no other", async () => {
    const [named, other] = [await shardServer(serverTls(['DNS:kcp'])), await shardServer()];
    const made = await connections(kubeconfig(named.url, { commonName: 'masters', servername: 'kcp' }));
    expect((await ask(tracked(made.connect('one', named.url)).control)).status).toBe(200);
    expect((await ask(tracked(made.connect('two', other.url)).control)).status).toBe(200);
  });

  test('follows the shard to another address', async () => {
    const [before, after] = [await shardServer(), await shardServer()];
    const made = await connections(kubeconfig('https://127.0.0.1:1', { commonName: 'masters' }));
    const connection = tracked(made.connect('one', before.url));
    await ask(connection.control);
    await connection.moveTo(after.url);
    await ask(connection.control);
    await ask(connection.callers);
    expect([before.seen.length, after.seen.length]).toEqual([1, 2]);
    expect(made.stats('control').unaryConnections).toBe(1);
  });

  test('takes a renewed certificate, and keeps the last one while there is none', async () => {
    const [one, two] = [await shardServer(), await shardServer()];
    const made = await connections(kubeconfig('https://127.0.0.1:1', { commonName: 'before' }));
    const { control, moveTo } = tracked(made.connect('one', two.url));
    await moveTo(one.url);
    await ask(control);
    kubeconfig('https://127.0.0.1:1', { token: 'secret' });
    await eventually(() => warnings.some(warning => warning.includes('has no client certificate')));
    await ask(control);
    kubeconfig('https://127.0.0.1:1', { commonName: 'after' });
    while (!one.seen.includes('after: /who')) await ask(control);
    expect(new Set(one.seen)).toEqual(new Set(['before: /who', 'after: /who']));
    await ask(tracked(made.connect('two', two.url)).control);
    expect(two.seen).toEqual(['after: /who']);
  });

  test('leaves nothing open when it is closed', async () => {
    const one = await shardServer();
    const made = await connections(kubeconfig('https://127.0.0.1:1', { commonName: 'masters' }));
    const connection = made.connect('one', one.url);
    await ask(connection.control);
    await ask(connection.callers);
    await connection.close();
    await expect(ask(connection.control)).rejects.toMatchObject({ failure: 'unreachable' });
    const nothing = { unaryConnections: 0, unaryInFlight: 0, watchSessions: 0, watchStreams: 0, tunnels: 0 };
    expect([made.stats('control'), made.stats('callers')]).toEqual([nothing, nothing]);
  });
});

test('without a client certificate there are no connections, and one sentence says why', async () => {
  const file = kubeconfig('https://127.0.0.1:1', { token: 'secret' });
  await expect(connections(file)).rejects.toThrow(
    `kubeconfig ${file} has no client certificate, which the other shards could know: workspaces-vw reads all of them`,
  );
});
