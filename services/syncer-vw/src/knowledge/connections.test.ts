import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import { closeAll, eventually, httpsServer, serverTls, testAuthority, track } from '@kcp-vw/shared/upstream/upstream.fixture.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { createConnections } from './connections.ts';

let folder: string;
const warnings: string[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'connections-'));
});
beforeEach(() => {
  warnings.length = 0;
});
afterEach(closeAll);
afterAll(() => rmSync(folder, { recursive: true }));

const NOWHERE = 'https://127.0.0.1:1/clusters/root:compute';
const clients = createAuthority({ commonName: 'client-ca' });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Credentials {
  readonly organization?: string;
  readonly token?: string;
  readonly servername?: string;
}

function kubeconfig(server: string, { organization, token, servername }: Credentials): string {
  const organizations = organization === undefined ? [] : [organization];
  const pair = organization === undefined ? undefined : clients.issue({ commonName: 'me', organizations, usage: 'client' });
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

/** A server that tells who asked for what. */
async function listening(tls = serverTls()): Promise<{ readonly url: string; readonly seen: string[] }> {
  const seen: string[] = [];
  const listener: RequestListener = (request, response) => {
    const subject = (request.socket as TLSSocket).getPeerCertificate().subject?.O;
    seen.push(`${subject ?? request.headers.authorization}: ${request.url}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  };
  return { url: (await httpsServer(listener, tls, clients.certPem)).origin, seen };
}

const connections = async (file: string) =>
  track(
    await createConnections(
      { kubeconfig: file, context: '', limits: DEFAULT_LIMITS },
      { intervalMs: 10, onError: error => warnings.push(error.message) },
    ),
  );

const ask = (upstream: Upstream) => requestJson(upstream, { method: 'GET', path: '/who?a=b' });

describe('a connection', () => {
  test('is made to any server with the token of the kubeconfig, below the path of the URL', async () => {
    const [one, two] = [await listening(), await listening()];
    const made = await connections(kubeconfig(`${one.url}/clusters/root:compute`, { token: 'secret' }));
    expect(made.server.href).toBe(`${one.url}/clusters/root:compute`);
    await ask(made.at(made.server.href, 'control'));
    await ask(made.at(`${two.url}/services/apiexport/c/n/`, 'callers'));
    await ask(made.at(two.url, 'callers'));
    expect(one.seen).toEqual(['Bearer secret: /clusters/root:compute/who?a=b']);
    expect(two.seen).toEqual(['Bearer secret: /services/apiexport/c/n/who?a=b', 'Bearer secret: /who?a=b']);
  });

  test('is the same for the same URL and purpose, and shares none with the other purpose', async () => {
    const one = await listening();
    const made = await connections(kubeconfig(NOWHERE, { organization: 'team' }));
    expect(made.at(one.url, 'callers')).toBe(made.at(`${one.url}/`, 'callers'));
    expect(made.at(one.url, 'callers')).not.toBe(made.at(one.url, 'control'));
    await ask(made.at(`${one.url}/a`, 'callers'));
    await ask(made.at(`${one.url}/b`, 'callers'));
    await ask(made.at(`${one.url}/a`, 'control'));
    expect(made.stats('callers').unaryConnections).toBeGreaterThan(0);
    expect(made.stats('control').unaryConnections).toBe(1);
    expect(one.seen).toEqual(['team: /a/who?a=b', 'team: /b/who?a=b', 'team: /a/who?a=b']);
  });

  // Whoever may write a Shard could have the token sent anywhere.
  test('is none with a server that the authority of the kubeconfig does not certify', async () => {
    const others = createAuthority({ commonName: 'other-ca' });
    const { certPem: cert, keyPem: key } = others.issue({ commonName: 'server', sans: ['IP:127.0.0.1'], usage: 'server' });
    const impostor = await listening({ cert, key });
    const made = await connections(kubeconfig(NOWHERE, { token: 'secret' }));
    await expect(ask(made.at(impostor.url, 'control'))).rejects.toMatchObject({ failure: 'untrusted' });
    expect(impostor.seen).toEqual([]);
  });

  test("takes the kubeconfig's name for its own server, and for no other", async () => {
    const [named, other] = [await listening(serverTls(['DNS:kcp'])), await listening()];
    const made = await connections(kubeconfig(named.url, { token: 'secret', servername: 'kcp' }));
    expect((await ask(made.at(named.url, 'control'))).status).toBe(200);
    expect((await ask(made.at(other.url, 'control'))).status).toBe(200);
  });

  test.each([
    ['http://shard', 'http://shard must be https, for credentials would travel in the clear'],
    ['https://me:pw@shard', 'the URL of https://shard may have a path, nothing else'],
    ['https://shard?a=b', 'the URL of https://shard may have a path, nothing else'],
    ['shard', '"shard" is not a URL'],
  ])('is none with %s', async (url, why) => {
    const made = await connections(kubeconfig(NOWHERE, { token: 'secret' }));
    expect(() => made.at(url, 'control')).toThrow(why);
  });

  // The head of an upgraded request is written by who has dialled, without the path before it.
  test('can be dialled only where there is no path before the request', async () => {
    const one = await listening();
    const made = await connections(kubeconfig(NOWHERE, { token: 'secret' }));
    const dialled = await made.at(one.url, 'callers').dial?.(new AbortController().signal);
    expect([dialled?.bearerToken, `https://${dialled?.authority}`]).toEqual(['secret', one.url]);
    dialled?.socket.destroy();
    expect(made.at(`${one.url}/services`, 'callers').dial).toBeUndefined();
  });
});

describe('credentials', () => {
  test('follow the kubeconfig, on connections that are there and on others', async () => {
    const [one, two] = [await listening(), await listening()];
    const made = await connections(kubeconfig(NOWHERE, { token: 'before' }));
    const upstream = made.at(one.url, 'control');
    await ask(upstream);
    kubeconfig(NOWHERE, { token: 'after' });
    while (!one.seen.includes('Bearer after: /who?a=b')) await ask(upstream);
    await ask(made.at(two.url, 'control'));
    expect([one.seen[0], two.seen]).toEqual(['Bearer before: /who?a=b', ['Bearer after: /who?a=b']]);
  });

  test('of masters are refused, at once and later', async () => {
    const masters = { organization: 'system:masters' };
    await expect(connections(kubeconfig(NOWHERE, masters))).rejects.toThrow('is one of system:masters');
    const one = await listening();
    const made = await connections(kubeconfig(NOWHERE, { token: 'mine' }));
    kubeconfig(NOWHERE, masters);
    await eventually(() => warnings.some(warning => warning.includes('is one of system:masters')));
    await ask(made.at(one.url, 'control'));
    expect(one.seen).toEqual(['Bearer mine: /who?a=b']);
  });

  test('for another server take a restart', async () => {
    await connections(kubeconfig(NOWHERE, { token: 'mine' }));
    kubeconfig('https://127.0.0.1:2/clusters/root:compute', { token: 'mine' });
    await eventually(() => warnings.some(warning => warning.includes('which takes effect with a restart')));
    expect(warnings).toHaveLength(1);
  });
});

describe('connections', () => {
  test('with servers that are not used any more are dropped, but for the own one', async () => {
    const [own, one, two] = [await listening(), await listening(), await listening()];
    const made = await connections(kubeconfig(own.url, { token: 'secret' }));
    const upstreams = [own, one, two].map(({ url }) => made.at(url, 'control'));
    for (const upstream of upstreams) await ask(upstream);
    await made.prune([`${one.url}/services`]);
    await expect(ask(upstreams[2] as Upstream)).rejects.toMatchObject({ failure: 'unreachable' });
    await ask(upstreams[0] as Upstream);
    await ask(upstreams[1] as Upstream);
    // It may come back.
    expect((await ask(made.at(two.url, 'control'))).status).toBe(200);
  });

  test('are not more than there may be', async () => {
    const made = await connections(kubeconfig(NOWHERE, { token: 'secret' }));
    for (let i = 0; i < 200; i += 1) made.at(`https://shard-${i}`, 'control');
    expect(() => made.at('https://one-more', 'control')).toThrow('there are connections with 200 servers already');
    await made.prune(['https://shard-1']);
    expect(() => made.at('https://one-more', 'control')).not.toThrow();
  });

  test('are none after the end', async () => {
    const one = await listening();
    const made = await connections(kubeconfig(NOWHERE, { token: 'secret' }));
    const upstream = made.at(one.url, 'control');
    await ask(upstream);
    await made.close();
    await expect(ask(upstream)).rejects.toMatchObject({ failure: 'unreachable' });
    expect(() => made.at(one.url, 'control')).toThrow('this process is stopping');
    expect(made.stats('control').unaryConnections).toBe(0);
  });
});
