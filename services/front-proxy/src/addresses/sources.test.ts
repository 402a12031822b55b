/** From an entry in the registry to a request that arrives, over real TLS: whom the front proxy goes to, and whom it believes there. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { parseArguments } from '@kcp-vw/shared/config/flags.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { createLogger } from '@kcp-vw/shared/observe/log.ts';
import { requestText } from '@kcp-vw/shared/upstream/text.ts';
import { createBackends } from '../backends/backends.ts';
import { loadServiceCredentials } from '../backends/service-credentials.ts';
import { FakeRegistry } from '../registry/registry.fixture.ts';
import { allAddresses } from './addresses.ts';
import { openSources, type Sources } from './sources.ts';

const fleet = createAuthority({ commonName: 'fleet-ca' });
const stranger = createAuthority({ commonName: 'stranger-ca' });

let folder: string;
let fake: FakeRegistry;
let logged: string[];
const closers: (() => unknown)[] = [];
const file = (name: string): string => join(folder, name);

function write(name: string, content: string): void {
  writeFileSync(`${file(name)}.new`, content);
  renameSync(`${file(name)}.new`, file(name));
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sources-'));
  fake = new FakeRegistry();
  logged = [];
  const { certPem, keyPem } = fleet.issue({ commonName: 'front-proxy', usage: 'client' });
  write('client.crt', certPem);
  write('client.key', keyPem);
  write('ca.crt', fleet.certPem);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

/** A service, and how often it was asked. */
async function startService(authority = fleet) {
  const { certPem, keyPem } = authority.issue({ commonName: 'a-vw', usage: 'server', sans: ['DNS:localhost', 'IP:127.0.0.1'] });
  const seen = { requests: 0 };
  const server = createServer({ cert: certPem, key: keyPem }, (_request, response) => {
    seen.requests += 1;
    response.end('well');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

function open(flags: readonly string[], addresses?: string) {
  const needed = ['--tls-cert-file=x', '--tls-private-key-file=x', '--authentication-kubeconfig=x'];
  const service = [`--proxy-client-cert-file=${file('client.crt')}`, `--proxy-client-key-file=${file('client.key')}`];
  const { options } = parseArguments(
    [...needed, ...service, ...flags, ...(addresses ? [`--addresses=${addresses}`] : [])],
    'front-proxy',
  );
  const destination = { write: (line: string) => void logged.push(JSON.parse(line).msg) };
  const credentials = loadServiceCredentials(options.serviceAccess, {
    onError: error => logged.push(error.message),
    intervalMs: 20,
  });
  const log = createLogger({ name: 'test', verbosity: 0, destination });
  const sources = openSources({ options, addresses, credentials, log, connect: async () => fake.registry });
  const onError = (error: unknown) => void logged.push((error as Error).message);
  const backends = createBackends({ source: sources.source, credentials, limits: DEFAULT_LIMITS, onError });
  closers.push(async () => {
    await sources.close();
    credentials?.close();
    await backends.close();
  });
  const ask = async (view = 'v'): Promise<string> => {
    const backend = backends.pick(view);
    if (typeof backend === 'string') return backend;
    return requestText(backend, { method: 'GET', path: '/' }).then(
      ({ body }) => body,
      error => error.failure,
    );
  };
  return { sources, ask, whenSynced: () => until(() => sources.registry?.registered()?.synced() === true) };
}
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 10));
}
const registered = (url: string, more: { ca?: string } = {}) => [{ instance: 'a', url, ready: true, ...more }];
const REGISTRY = '--registration-kubeconfig=x';
const services = () => `--services-ca-file=${file('ca.crt')}`;

describe('a registered service', () => {
  test('gets the requests of its view', async () => {
    const { port, seen } = await startService();
    fake.view('v', registered(`https://localhost:${port}`));
    const { ask, whenSynced } = open([REGISTRY, services(), '--allowed-endpoints=localhost']);
    await whenSynced();
    expect([await ask(), seen.requests]).toEqual(['well', 1]);
  });

  test.each<[string, (port: number) => string, string[]]>([
    ['at an address that is not allowed', port => `https://127.0.0.1:${port}`, ['--allowed-endpoints=localhost']],
    ['in a spelling of such an address', port => `https://[::ffff:7f00:1]:${port}`, ['--allowed-endpoints=localhost,0.0.0.0/0']],
    ['at another port', port => `https://localhost:${port}`, ['--allowed-endpoints=localhost:6443']],
    ['without TLS', port => `http://localhost:${port}`, ['--allowed-endpoints=localhost']],
    ['with a user', port => `https://u@localhost:${port}`, ['--allowed-endpoints=localhost']],
    ['anywhere, where nothing says where', port => `https://localhost:${port}`, []],
  ])('%s gets none', async (_, url, flags) => {
    const { port, seen } = await startService();
    fake.view('v', registered(url(port)));
    const { ask, whenSynced } = open([REGISTRY, services(), ...flags]);
    await whenSynced();
    expect([await ask(), seen.requests]).toEqual(['down', 0]);
  });

  test('at the address of the front proxy itself gets none', async () => {
    const { port } = await startService();
    fake.view('v', registered(`https://localhost:${port}`));
    const { ask, whenSynced } = open([REGISTRY, services(), '--allowed-endpoints=localhost', `--secure-port=${port}`]);
    await whenSynced();
    expect(await ask()).toBe('unreachable');
  });

  test('is believed by the bundle of its view, and not by the flag beside it', async () => {
    const { port } = await startService(stranger);
    const url = registered(`https://localhost:${port}`);
    fake.view('v', url, { caBundle: Buffer.from(stranger.certPem).toString('base64') });
    fake.view('w', url);
    const { ask, whenSynced } = open([REGISTRY, services(), '--allowed-endpoints=localhost']);
    await whenSynced();
    expect([await ask('v'), await ask('w')]).toEqual(['well', 'untrusted']);
  });

  test('is judged by the file of authorities as it is now', async () => {
    const { port } = await startService(stranger);
    fake.view('v', registered(`https://localhost:${port}`, { ca: stranger.certPem }));
    const { ask, whenSynced } = open([REGISTRY, services(), '--allowed-endpoints=localhost']);
    await whenSynced();
    expect(await ask()).toBe('down');
    write('ca.crt', fleet.certPem + stranger.certPem);
    await until(async () => (await ask()) === 'well');
    write('ca.crt', fleet.certPem);
    await until(async () => (await ask()) === 'down');
  });
});

describe('services are found', () => {
  const FILE = { views: { f: [{ service: 'f-vw', instance: '1', socketPath: '/nowhere.sock' }] } };
  const kindOf = ({ registry, source }: Sources) => [registry !== undefined, allAddresses(source).length];

  test('in a file, in the registry, or in both, which is said', async () => {
    write('addresses.json', JSON.stringify(FILE));
    const both = open([REGISTRY, services()], file('addresses.json'));
    await both.whenSynced();
    expect([kindOf(both.sources), logged]).toEqual([
      [true, 1],
      ['services are found in a file', 'services are found in the registry'],
    ]);
    expect(kindOf(open(['--kubeconfig=x', services()], file('addresses.json')).sources)).toEqual([false, 1]);
    expect(kindOf(open(['--kubeconfig=x']).sources)).toEqual([true, 0]);
  });

  test('and those in the file have to be ready, while nobody waits for one that registers', async () => {
    write('addresses.json', JSON.stringify(FILE));
    fake.view('v', registered('https://localhost'));
    const both = open([REGISTRY, services(), '--allowed-endpoints=localhost'], file('addresses.json'));
    await both.whenSynced();
    expect(both.sources.required()).toEqual(['f-vw']);
    expect(open([REGISTRY]).sources.required()).toEqual([]);
    write('none.json', JSON.stringify({ views: {} }));
    expect(open([services()], file('none.json')).sources.required()).toBeUndefined();
  });

  test('nowhere with an entry that is no place', () => {
    expect(() => open([REGISTRY, '--allowed-endpoints=https://a'])).toThrow(/^--allowed-endpoints: "https:\/\/a" is no host/);
  });
});
