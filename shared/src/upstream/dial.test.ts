import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { eventually } from '../listener/listener.fixture.ts';
import { Dialler } from './dial.ts';
import { endpointOf, type TlsMaterial } from './endpoint.ts';
import { createUpstream } from './pool.ts';

const authority = createAuthority({ commonName: 'server-ca' });
const serving = authority.issue({ commonName: 'shard', usage: 'server', sans: ['DNS:localhost', 'IP:127.0.0.1'] });
const client = authority.issue({ commonName: 'front-proxy', usage: 'client' });

const open: (Server | Socket)[] = [];
afterEach(() => {
  for (const one of open.splice(0)) 'close' in one ? one.close() : one.destroy();
});

const listening = (server: Server): Promise<number> =>
  new Promise(resolve => {
    open.push(server);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });

const keep = (socket: Socket): void => {
  open.push(socket);
  socket.on('error', () => socket.destroy());
};

const diallerTo = (url: string, tls: TlsMaterial = {}, { connections = 10, connectTimeout = 10_000 } = {}): Dialler =>
  new Dialler('https://shard', endpointOf(new URL(url), tls), { connections, connectTimeout });

async function serveTls(ALPNProtocols = ['h2', 'http/1.1']) {
  const accepted: TLSSocket[] = [];
  const server = createTlsServer(
    {
      cert: serving.certPem,
      key: serving.keyPem,
      ca: authority.certPem,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols,
    },
    socket => {
      keep(socket);
      accepted.push(socket);
    },
  );
  server.on('tlsClientError', () => undefined);
  return { port: await listening(server), accepted };
}

const never = new AbortController().signal;

describe('a dialled connection', () => {
  test('is verified, shows our certificate, and speaks HTTP/1.1 where the server would rather speak HTTP/2', async () => {
    const { port, accepted } = await serveTls();
    const dialler = diallerTo(`https://localhost:${port}`, { ca: authority.certPem, cert: client.certPem, key: client.keyPem });
    const socket = (await dialler.dial(never)) as TLSSocket;
    expect([socket.authorized, socket.alpnProtocol]).toEqual([true, 'http/1.1']);
    await eventually(() => accepted.length === 1);
    expect(accepted[0]?.getPeerX509Certificate()?.subject).toBe('CN=front-proxy');
    expect((accepted[0] as unknown as { servername: string }).servername).toBe('localhost');
    dialler.close();
  });

  test.each([
    ['of another authority', { ca: createAuthority({ commonName: 'other' }).certPem }],
    ['of another name', { ca: authority.certPem, servername: 'other.example' }],
    ['that only the system’s roots could vouch for', {}],
  ])('is none to a server with a certificate %s, and nothing is sent to it', async (_name, tls) => {
    const { port, accepted } = await serveTls();
    const heard: Buffer[] = [];
    const dialler = diallerTo(`https://127.0.0.1:${port}`, tls);
    const dialled = dialler.dial(never);
    await expect(dialled).rejects.toMatchObject({ failure: 'untrusted', nothingSent: true });
    for (const socket of accepted) socket.on('data', chunk => heard.push(chunk));
    await eventually(() => accepted.every(({ destroyed }) => destroyed));
    expect([heard, dialler.connections]).toEqual([[], 0]);
  });

  test('is none where nobody listens, or nobody answers in time', async () => {
    await expect(diallerTo('http://127.0.0.1:1').dial(never)).rejects.toMatchObject({
      failure: 'unreachable',
      nothingSent: true,
    });
    const silent = await listening(createServer(keep));
    const dialler = diallerTo(`https://127.0.0.1:${silent}`, {}, { connectTimeout: 20 });
    await expect(dialler.dial(never)).rejects.toMatchObject({ failure: 'unreachable', nothingSent: true });
  });

  test('is given up when nobody wants it any more', async () => {
    const silent = await listening(createServer(keep));
    const dialler = diallerTo(`https://127.0.0.1:${silent}`);
    const unwanted = new AbortController();
    const dialled = dialler.dial(unwanted.signal);
    unwanted.abort();
    await expect(dialled).rejects.toMatchObject({ failure: 'unreachable' });
    await expect(dialler.dial(unwanted.signal)).rejects.toMatchObject({ failure: 'unreachable' });
    expect(dialler.connections).toBe(0);
  });

  test('is one of a bounded number, and its place is free when it is closed', async () => {
    const port = await listening(createServer(keep));
    const dialler = diallerTo(`http://127.0.0.1:${port}`, {}, { connections: 1 });
    const socket = await dialler.dial(never);
    await expect(dialler.dial(never)).rejects.toMatchObject({ failure: 'busy' });
    const closed = new Promise(resolve => socket.once('close', resolve));
    socket.destroy();
    await closed;
    await dialler.dial(never);
    dialler.close();
  });

  test('goes where the endpoint is at its time, and the older ones stay', async () => {
    const [old, renewed] = await Promise.all([serveTls(), serveTls()]);
    const tls = { ca: authority.certPem };
    const dialler = diallerTo(`https://127.0.0.1:${old.port}`, tls);
    const first = await dialler.dial(never);
    dialler.redirectTo(endpointOf(new URL(`https://127.0.0.1:${renewed.port}`), tls));
    await dialler.dial(never);
    await eventually(() => old.accepted.length === 1 && renewed.accepted.length === 1);
    expect(first.destroyed).toBe(false);
    dialler.close();
  });

  test('is cut when the dialler is closed, and there is no other', async () => {
    const port = await listening(createServer(keep));
    const dialler = diallerTo(`http://127.0.0.1:${port}`);
    const socket = await dialler.dial(never);
    dialler.close();
    expect(socket.destroyed).toBe(true);
    await expect(dialler.dial(never)).rejects.toMatchObject({ failure: 'unreachable' });
  });

  test('finds its address by the lookup that it is given, while the certificate has to be for the name', async () => {
    const { port } = await serveTls();
    const asked: string[] = [];
    const endpoint = endpointOf(new URL(`https://localhost:${port}`), { ca: authority.certPem }, (name, options, callback) => {
      asked.push(name);
      if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else callback(null, '127.0.0.1', 4);
    });
    const dialler = new Dialler('shard', endpoint, { connections: 1, connectTimeout: 10_000 });
    await dialler.dial(never);
    expect(asked).toEqual(['localhost']);
    dialler.close();
  });
});

test('an upstream dials with the credentials of the moment, and counts what it has dialled', async () => {
  const { port, accepted } = await serveTls();
  const tls = { ca: authority.certPem };
  const upstream = createUpstream({
    origin: new URL(`https://localhost:${port}/clusters/root`),
    tls,
    authorization: () => 'first',
    limits: { watchStreams: 10 },
  });
  const first = await upstream.dial?.(never);
  expect(first).toMatchObject({ authority: `localhost:${port}`, bearerToken: 'first' });
  upstream.setCredentials({ tls: { ...tls, cert: client.certPem, key: client.keyPem } });
  expect(await upstream.dial?.(never)).toMatchObject({ bearerToken: undefined });
  await eventually(() => accepted.length === 2);
  const subjects = accepted.map(socket => socket.getPeerX509Certificate()?.subject);
  expect([subjects, upstream.stats().tunnels]).toEqual([[undefined, 'CN=front-proxy'], 2]);
  await upstream.close();
  expect(first?.socket.destroyed).toBe(true);
});
