/** Services that are reached by URL, over real TLS: whom the front proxy believes, what it shows them, and what happens when they change. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createAuthority, type KeyPair } from '@kcp-vw/pki/pki.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import type { ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import { requestText } from '@kcp-vw/shared/upstream/text.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { fileAddresses } from '../addresses/file-addresses.ts';
import { parseAllowedEndpoints } from '../endpoints/allowed-endpoints.ts';
import { createEndpointPolicy } from '../endpoints/endpoint-policy.ts';
import { type Backends, createBackends } from './backends.ts';
import { followReadiness } from './readiness.ts';
import { loadServiceCredentials } from './service-credentials.ts';

const fleet = createAuthority({ commonName: 'fleet-ca' });
const serving = fleet.issue({ commonName: 'a-vw', usage: 'server', sans: ['DNS:localhost'] });
const clientPair = (commonName = 'front-proxy'): KeyPair => fleet.issue({ commonName, usage: 'client' });

let folder: string;
let errors: Error[];
const closers: (() => unknown)[] = [];
const file = (name: string): string => join(folder, name);

function write(name: string, content: string): void {
  writeFileSync(`${file(name)}.new`, content);
  renameSync(`${file(name)}.new`, file(name));
}
function writePair({ certPem, keyPem }: KeyPair): void {
  write('client.crt', certPem);
  write('client.key', keyPem);
}
const writeUrls = (...urls: string[]): void =>
  write('addresses.json', JSON.stringify({ views: { a: urls.map((url, i) => ({ service: 'a-vw', instance: `${i}`, url })) } }));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'urls-'));
  errors = [];
  write('ca.crt', fleet.certPem);
  writePair(clientPair());
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

/** A service that says whose certificate it was shown; ready or not as the test says. */
async function startService(pair = serving) {
  const state = { ready: true };
  const server: Server = createServer(
    { cert: pair.certPem, key: pair.keyPem, ca: fleet.certPem, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const socket = request.socket as TLSSocket;
      if (request.url?.startsWith('/readyz')) {
        response.statusCode = state.ready ? 200 : 500;
        response.end(state.ready ? '[+]shard ok\n' : '[-]shard failed: it is away\n');
      } else response.end(socket.authorized ? socket.getPeerCertificate().subject.CN : 'nobody');
    },
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  };
  closers.push(close);
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, state, close };
}

function open(): Backends {
  const credentials = loadServiceCredentials(
    { caFile: file('ca.crt'), certFile: file('client.crt'), keyFile: file('client.key') },
    { onError: error => errors.push(error), intervalMs: 20 },
  );
  const source = fileAddresses(
    { file: file('addresses.json'), withUrls: true, policy: createEndpointPolicy({ lists: [], unlisted: 'any' }) },
    error => errors.push(error),
  );
  const backends = createBackends({ source, credentials, limits: DEFAULT_LIMITS, onError: error => errors.push(error as Error) });
  closers.push(async () => {
    source.close();
    credentials?.close();
    await backends.close();
  });
  return backends;
}

async function ask(backend: ReturnType<Backends['pick']>): Promise<string> {
  if (typeof backend === 'string') return backend;
  try {
    return (await requestText(backend, { method: 'GET', path: '/' })).body;
  } catch (error) {
    return (error as { failure?: string }).failure ?? String(error);
  }
}
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 10));
}

test('a service is shown the front proxy’s certificate, and the next one once it is renewed', async () => {
  const { url } = await startService();
  writeUrls(url);
  const backends = open();
  expect(await ask(backends.pick('a'))).toBe('front-proxy');
  writePair(clientPair('renewed'));
  await until(async () => (await ask(backends.pick('a'))) === 'renewed');
});

test('a half-written certificate leaves the last one in force', async () => {
  const { url } = await startService();
  writeUrls(url);
  const backends = open();
  write('client.key', clientPair().keyPem);
  await until(() => errors.length > 0);
  expect(errors[0]?.message).toMatch(/client\.crt with the key .*client\.key cannot be used: /);
  expect(await ask(backends.pick('a'))).toBe('front-proxy');
});

test.each([
  [
    'of another authority',
    createAuthority({ commonName: 'fleet-ca' }).issue({ commonName: 'a-vw', usage: 'server', sans: ['DNS:localhost'] }),
  ],
  ['for another name', fleet.issue({ commonName: 'localhost', usage: 'server', sans: ['DNS:other'] })],
  ['for clients', fleet.issue({ commonName: 'a-vw', usage: 'client', sans: ['DNS:localhost'] })],
  ['that has expired', fleet.issue({ commonName: 'a-vw', usage: 'server', sans: ['DNS:localhost'], expired: true })],
])('a service with a certificate %s gets no request', async (_, pair) => {
  const { url } = await startService(pair);
  writeUrls(url);
  expect(await ask(open().pick('a'))).toBe('untrusted');
});

test('files that cannot be used at the start are named', () => {
  const names = { caFile: file('ca.crt'), certFile: file('client.crt'), keyFile: file('client.key') };
  write('ca.crt', 'no certificate');
  expect(() => loadServiceCredentials(names, { onError: error => errors.push(error) })).toThrow(/ca\.crt cannot be used/);
  expect(loadServiceCredentials({}, { onError: error => errors.push(error) })).toBeUndefined();
});

// Registered services bring their authorities; without any, connections would believe those of the system.
test('without authorities of its own the front proxy uses no address that brings none', () => {
  const names = { certFile: file('client.crt'), keyFile: file('client.key') };
  const credentials = loadServiceCredentials(names, { onError: error => errors.push(error) });
  closers.push(() => credentials?.close());
  expect(credentials?.tls.ca).toBeUndefined();
  const policy = createEndpointPolicy({ lists: [], unlisted: 'any' });
  const address = { service: 'a-vw', url: 'https://localhost:1', policy };
  const addresses = [
    { ...address, instance: 'a' },
    { ...address, instance: 'b', ca: fleet.certPem },
  ];
  const source = { addressesOf: () => addresses, views: () => ['a'], onChange: () => () => undefined, close: () => undefined };
  const backends = createBackends({ source, credentials, limits: DEFAULT_LIMITS, onError: error => errors.push(error as Error) });
  closers.push(() => backends.close());
  expect(backends.all().map(({ address: { instance } }) => instance)).toEqual(['b']);
  expect(errors).toEqual([new Error('nothing says whose certificates count at a-vw a')]);
});

// With a static file nobody takes a dead instance away: being idle, it would be the least busy one for ever.
test('a request goes to the instance that is ready, and to another one when that fails', async () => {
  const [first, second] = [await startService(), await startService()];
  writeUrls('https://localhost:1', first.url, second.url, 'https://no-such-host.invalid');
  const backends = open();
  const readiness = followReadiness(backends);
  closers.push(() => readiness.stop());
  const ready = (): string[] => backends.all().flatMap(({ address, ready }) => (ready && 'url' in address ? address.url : []));
  await until(() => ready().length === 2);
  expect(readiness.checks().map(({ name, check }) => [name, check()])).toEqual([
    ['a-vw', undefined],
    ['shard', undefined],
  ]);
  first.state.ready = false;
  await until(() => ready().length === 1);
  const chosen = backends.pick('a') as Upstream;
  const other = backends.pick('a', new Set([chosen])) as Upstream;
  expect(await ask(chosen)).toBe('front-proxy');
  expect(other).not.toBe(chosen);
  expect(backends.pick('a', new Set(backends.all().map(({ upstream }) => upstream)))).toBe(chosen);
});

test('readiness says what is missing of the services in the file, and follows the file', async () => {
  writeUrls('https://localhost:1');
  const readiness = followReadiness(open());
  closers.push(() => readiness.stop());
  const said = (): unknown => readiness.checks().map(({ name, check }) => [name, check()]);
  await until(() => JSON.stringify(said()).includes('ECONNREFUSED'));
  write('addresses.json', JSON.stringify({ views: { a: [] } }));
  await until(() => JSON.stringify(said()).includes('there is no address of any service'));
  const { url, state } = await startService();
  state.ready = false;
  writeUrls(url);
  await until(() => JSON.stringify(said()).includes('it is away'));
  expect(said()).toEqual([
    ['a-vw', 'it is not ready'],
    ['shard', 'it is away'],
  ]);
  state.ready = true;
  await until(() => !JSON.stringify(said()).includes('away'));
  expect(errors).toEqual([]);
});

test('an instance that is taken out of the file finishes what it has begun', async () => {
  const server = createServer({ cert: serving.certPem, key: serving.keyPem }, (_request, response) => {
    response.write('slow');
    setTimeout(() => response.end(' but whole'), 400);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  writeUrls(`https://localhost:${(server.address() as AddressInfo).port}`);
  const backends = open();
  const answer = ask(backends.pick('a'));
  writeUrls();
  await until(() => backends.all().length === 0);
  expect(await answer).toBe('slow but whole');
});

// DNS rebinding: the name leads to a good address while it is judged, and to one of the front proxy's own host when it is dialled. Here the
// answer that is judged is the one that is dialled, for each connection anew.
test('a name that leads elsewhere later is not followed there', async () => {
  const named = fleet.issue({ commonName: 'a-vw', usage: 'server', sans: ['DNS:rebound.example'] });
  const { url } = await startService(named);
  const { port } = new URL(url);
  const answers = ['127.0.0.1', '127.0.0.2'];
  const asked: string[] = [];
  const policy = createEndpointPolicy({
    lists: [parseAllowedEndpoints(['rebound.example', '127.0.0.1'], '--allowed-endpoints')],
    unlisted: 'nothing',
    resolve(hostname, _options, callback) {
      const address = answers[asked.push(hostname) - 1];
      callback(null, address === undefined ? [] : [{ address, family: 4 }]);
    },
  });
  const address = { service: 'a-vw', instance: 'a', url: `https://rebound.example:${port}`, policy };
  const source = { addressesOf: () => [address], views: () => ['a'], onChange: () => () => undefined, close: () => undefined };
  const names = { caFile: file('ca.crt'), certFile: file('client.crt'), keyFile: file('client.key') };
  const credentials = loadServiceCredentials(names, { onError: error => errors.push(error) });
  const backends = createBackends({ source, credentials, limits: DEFAULT_LIMITS, onError: error => errors.push(error as Error) });
  closers.push(
    () => credentials?.close(),
    () => backends.close(),
  );
  // With the certificate of the name, although an address was dialled.
  expect(await ask(backends.pick('a'))).toBe('front-proxy');
  for (const { upstream } of backends.all()) (upstream as ManagedUpstream).setCredentials({ tls: credentials?.tls ?? {} });
  const rebound = backends.pick('a') as Upstream;
  await expect(requestText(rebound, { method: 'GET', path: '/' })).rejects.toMatchObject({
    failure: 'unreachable',
    message: expect.stringContaining('rebound.example may not be dialled: 127.0.0.2 is loopback'),
  });
  expect(asked).toEqual(['rebound.example', 'rebound.example']);
});
