import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createAuthority, type KeyPair } from '@kcp-vw/pki/pki.ts';
import { openHttp2, protocols, request2 } from './client.fixture.ts';
import type { Exchange } from './exchange.ts';
import {
  answer,
  cleanUp,
  clientCA,
  connectRaw,
  requestHeaderCA,
  serveTls,
  servingPair,
  temporaryFolder,
  until,
  writeTlsFiles,
} from './listener.fixture.ts';
import { loadServingTls, refuseDisabledVerification } from './tls.ts';

afterEach(cleanUp);

const user = clientCA.issue({ commonName: 'alice', organizations: ['dev'], usage: 'client' });
const proxy = requestHeaderCA.issue({ commonName: 'front-proxy', usage: 'client' });
const stranger = createAuthority({ commonName: 'stranger' }).issue({ commonName: 'mallory', usage: 'client' });

const withPair = ({ certPem, keyPem }: KeyPair, chain: readonly KeyPair[] = []): ConnectionOptions => ({
  cert: [certPem, ...chain.map(link => link.certPem)].join('\n'),
  key: keyPem,
});

const describePeer = ({ peer }: Exchange): string =>
  JSON.stringify({
    address: peer.address,
    client: peer.clientCertificate?.subject,
    requestHeader: peer.requestHeaderCertificate?.subject,
  });

const servePeers = () => serveTls(exchange => answer(exchange, describePeer(exchange)));

async function ask(socket: TLSSocket): Promise<unknown> {
  const received = until(socket, '}');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return JSON.parse((await received).split('\r\n\r\n')[1] ?? '');
}

async function peerSeen(protocol: string, port: number, options: ConnectionOptions): Promise<unknown> {
  if (protocol === '2.0') return JSON.parse((await request2(openHttp2(port, options), {})).body);
  return ask(await connectRaw(port, options));
}

describe.each(protocols)('a client over HTTP/%s', protocol => {
  test('without a certificate is nobody', async () => {
    const { port } = await servePeers();
    expect(await peerSeen(protocol, port, {})).toEqual({ address: '127.0.0.1' });
  });

  test('with a certificate of the client CA is its subject, and may not speak for others', async () => {
    const { port } = await servePeers();
    expect(await peerSeen(protocol, port, withPair(user))).toEqual({ address: '127.0.0.1', client: 'O=dev\nCN=alice' });
  });

  test('with a certificate of the requestheader CA may speak for others, and is not its subject', async () => {
    const { port } = await servePeers();
    expect(await peerSeen(protocol, port, withPair(proxy))).toEqual({ address: '127.0.0.1', requestHeader: 'CN=front-proxy' });
  });

  test('with a certificate of an intermediate authority is its subject if that authority is in the CA file', async () => {
    const { port, folder, tls } = await servePeers();
    const intermediate = clientCA.issueAuthority({ commonName: 'team-ca' });
    const bob = withPair(intermediate.issue({ commonName: 'bob', usage: 'client' }), [intermediate]);
    // Node does not show a server what a client sends along. Once it does, this is 'CN=bob' as well.
    expect(await peerSeen(protocol, port, bob)).toEqual({ address: '127.0.0.1' });
    writeFileSync(`${folder}/client-ca.crt`, `${clientCA.certPem}${intermediate.certPem}`);
    await tls.check();
    expect(await peerSeen(protocol, port, bob)).toMatchObject({ client: 'CN=bob' });
  });

  // What counts is the authority of the leaf's own chain, not any certificate that comes along with it.
  test('with a certificate of the client CA cannot speak for others by sending the other CA along', async () => {
    const { port } = await servePeers();
    const pair = withPair(user, [requestHeaderCA, proxy]);
    expect(await peerSeen(protocol, port, pair)).toEqual({ address: '127.0.0.1', client: 'O=dev\nCN=alice' });
  });

  test.each([
    ['of a stranger', stranger],
    ['that has expired', clientCA.issue({ commonName: 'alice', usage: 'client', expired: true })],
    ['for servers', clientCA.issue({ commonName: 'alice', usage: 'server' })],
  ])('with a certificate %s is nobody, but is served', async (_name, pair) => {
    const { port } = await servePeers();
    expect(await peerSeen(protocol, port, withPair(pair))).toEqual({ address: '127.0.0.1' });
  });
});

describe('the handshake', () => {
  test('advertises both authorities: Go clients send no certificate otherwise', async () => {
    const { port } = await servePeers();
    const printed = await new Promise<string>(resolve => {
      const child = execFile('openssl', ['s_client', '-connect', `127.0.0.1:${port}`], (_error, stdout) => resolve(stdout));
      child.stdin?.end();
    });
    expect(printed).toMatch(/Acceptable client certificate CA names\nCN ?= ?client-ca\nCN ?= ?requestheader-ca\n/);
  });

  test('refuses TLS 1.1', async () => {
    const { port, clientErrors } = await servePeers();
    await expect(
      connectRaw(port, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
    ).rejects.toThrow();
    expect(clientErrors).toHaveLength(1);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('never resumes a %s session', async version => {
    const { port } = await servePeers();
    const options: ConnectionOptions = { minVersion: version, maxVersion: version, ...withPair(user) };
    const sessions: Buffer[] = [];
    const first = await connectRaw(port, options);
    first.on('session', session => sessions.push(session));
    await ask(first);
    const session = sessions.at(-1) ?? first.getSession();
    const second = await connectRaw(port, { ...options, ...(session && { session }) });
    expect(second.isSessionReused()).toBe(false);
    expect(await ask(second)).toMatchObject({ client: 'O=dev\nCN=alice' });
  });

  test('speaks HTTP/1.1 with a client that negotiates nothing', async () => {
    const { port } = await servePeers();
    const socket = await connectRaw(port, { ALPNProtocols: [] });
    expect(await ask(socket)).toEqual({ address: '127.0.0.1' });
  });
});

describe('changed files', () => {
  const servedName = async (port: number): Promise<string | undefined> => {
    const socket = await connectRaw(port);
    return socket.getPeerX509Certificate()?.subject;
  };

  test('give new connections a new serving certificate, and leave the old connections alone', async () => {
    const { port, folder, tls, errors } = await servePeers();
    const old = await connectRaw(port);
    expect(await servedName(port)).toBe('CN=localhost');
    writeTlsFiles(folder, servingPair('renewed'));
    await tls.check();
    expect(await servedName(port)).toBe('CN=renewed');
    expect(await ask(old)).toEqual({ address: '127.0.0.1' });
    expect(errors).toEqual([]);
  });

  test('that are broken leave what was read before in use, and are reported', async () => {
    const { port, folder, tls, errors } = await servePeers();
    writeFileSync(`${folder}/tls.crt`, 'nonsense');
    await tls.check();
    expect(await servedName(port)).toBe('CN=localhost');
    expect(String(errors[0])).toContain('tls.crt holds no PEM certificate');
    // The moment in which the certificate is new and the key still the old one.
    writeFileSync(`${folder}/tls.crt`, servingPair('half').certPem);
    await tls.check();
    expect(await servedName(port)).toBe('CN=localhost');
    expect(String(errors[1])).toContain('cannot be used');
    rmSync(`${folder}/client-ca.crt`);
    await tls.check();
    expect(String(errors[2])).toContain('client-ca.crt');
    writeTlsFiles(folder, servingPair('whole'));
    await tls.check();
    expect(await servedName(port)).toBe('CN=whole');
    expect(errors).toHaveLength(3);
  });

  test('of an authority count for new connections, and take back what the old authority said', async () => {
    const { port, folder, tls } = await servePeers();
    const old = await connectRaw(port, withPair(user));
    expect(await ask(old)).toMatchObject({ client: 'O=dev\nCN=alice' });
    const successor = createAuthority({ commonName: 'client-ca-2' });
    writeFileSync(`${folder}/client-ca.crt`, successor.certPem);
    await tls.check();
    expect(await ask(old)).toEqual({ address: '127.0.0.1' });
    const eve = successor.issue({ commonName: 'eve', usage: 'client' });
    expect(await ask(await connectRaw(port, withPair(eve)))).toMatchObject({ client: 'CN=eve' });
    expect(await ask(await connectRaw(port, withPair(user)))).toEqual({ address: '127.0.0.1' });
  });
});

describe('loading', () => {
  const load = (change: (folder: string) => void) => {
    const folder = temporaryFolder();
    const files = writeTlsFiles(folder);
    change(folder);
    return () => loadServingTls(files, { onError: () => {} }).close();
  };

  test.each([
    ['a missing key', (folder: string) => rmSync(`${folder}/tls.key`), /tls\.key/],
    [
      'an empty authority',
      (folder: string) => writeFileSync(`${folder}/client-ca.crt`, ''),
      /client-ca\.crt holds no PEM certificate/,
    ],
    [
      'a broken authority',
      (folder: string) =>
        writeFileSync(`${folder}/requestheader-ca.crt`, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      /requestheader-ca\.crt holds a broken certificate/,
    ],
    [
      'a key of another certificate',
      (folder: string) => writeFileSync(`${folder}/tls.key`, servingPair().keyPem),
      /tls\.crt and key .*tls\.key cannot be used/,
    ],
  ])('fails with the name of the file for %s', (_name, change, message) => {
    expect(load(change)).toThrow(message);
  });

  test('takes every certificate of a file with several authorities', async () => {
    const { port, folder, tls } = await servePeers();
    const second = createAuthority({ commonName: 'second' });
    writeFileSync(`${folder}/client-ca.crt`, `# first\n${clientCA.certPem}\n# second\n${second.certPem}`);
    await tls.check();
    for (const authority of [clientCA, second]) {
      const pair = authority.issue({ commonName: 'x', usage: 'client' });
      expect(await ask(await connectRaw(port, withPair(pair)))).toMatchObject({ client: 'CN=x' });
    }
    expect(new X509Certificate(second.certPem).ca).toBe(true);
  });

  test('asks for no certificate if there is no authority to verify it with', () => {
    const { certFile, keyFile } = writeTlsFiles(temporaryFolder());
    const tls = loadServingTls({ certFile, keyFile }, { onError: () => {} });
    expect(tls.requestCert).toBe(false);
    expect(tls.context.ca).toEqual([]);
    tls.close();
  });

  // The variable makes every TLS client of the process believe every server.
  test('refuses to start with NODE_TLS_REJECT_UNAUTHORIZED=0', () => {
    const files = writeTlsFiles(temporaryFolder());
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    expect(() => loadServingTls(files, { env, onError: () => {} })).toThrow('NODE_TLS_REJECT_UNAUTHORIZED');
    expect(() => refuseDisabledVerification(env)).toThrow('unset it');
    expect(() => refuseDisabledVerification({})).not.toThrow();
  });
});
