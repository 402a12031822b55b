/** A service that runs by itself, over real TLS, asked by the front proxy and by everybody who is not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { authorityOf, createAuthority, type KeyPair } from '@kcp-vw/pki/pki.ts';
import { parseArguments } from '../config/flags.ts';
import { createLogger } from '../observe/log.ts';
import type { ServiceDefinition } from './service.ts';
import { runServiceAlone } from './service-alone.ts';
import { deny, type View } from './view.ts';

const fleet = createAuthority({ commonName: 'fleet-ca' });
const clients = createAuthority({ commonName: 'client-ca' });
const kcpRequestHeader = createAuthority({ commonName: 'requestheader-ca' });
const serving = fleet.issue({ commonName: 'a-vw', usage: 'server', sans: ['DNS:localhost', 'IP:127.0.0.1'] });
const frontProxy = fleet.issue({ commonName: 'front-proxy', usage: 'client' });

/** Says who the caller is, in a refusal: the shard behind is never asked. */
const view: View = {
  name: 'mirror',
  path: '/clusters/:cluster',
  apis: () => undefined,
  authorize: ({ caller }) => deny(`[${caller.name}|${caller.groups.join(',')}|${caller.method}]`),
  answer: () => {
    throw new Error('nobody is allowed');
  },
  ready: { 'mirror-shard': () => missing },
};
let missing: string | undefined;
const definition: ServiceDefinition = { name: 'a-vw', start: async () => [view] };

const PATH = '/services/mirror/clusters/root/api/v1/secrets';
const MASTERS = {
  'x-remote-user': 'mallory',
  'x-remote-group': 'system:masters',
  'x-kcp-vw-authenticated-by': 'certificate',
};

let folder: string;
let port = 0;
let stop: () => Promise<void>;
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'alone-'));
  const files = {
    'tls.crt': serving.certPem,
    'tls.key': serving.keyPem,
    'fleet-ca.crt': fleet.certPem,
    'client-ca.crt': clients.certPem,
    kubeconfig: JSON.stringify({
      clusters: [{ name: 'shard', cluster: { server: 'https://127.0.0.1:1' } }],
      contexts: [{ name: 'shard', context: { cluster: 'shard' } }],
      'current-context': 'shard',
    }),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(file(name), content);
  const flags = {
    kubeconfig: 'kubeconfig',
    'tls-cert-file': 'tls.crt',
    'tls-private-key-file': 'tls.key',
    'client-ca-file': 'client-ca.crt',
    'requestheader-client-ca-file': 'fleet-ca.crt',
  };
  const { options } = parseArguments(
    [
      ...Object.entries(flags).map(([name, value]) => `--${name}=${file(value)}`),
      ...['--requestheader-allowed-names=front-proxy', '--bind-address=127.0.0.1', '--secure-port=0', '--drain-timeout=1s'],
    ],
    'serve',
  );
  await runServiceAlone(definition, options, createLogger({ name: 'a-vw', verbosity: 0 }), {
    listening: address => {
      port = Number(address.split(':').at(-1));
    },
    ready: () => undefined,
    waiting: () => undefined,
    onTerminate: drain => {
      stop = drain;
    },
  });
});
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

type Ask = (
  pair: KeyPair | undefined,
  path: string,
  headers: Readonly<Record<string, string | string[]>>,
  method?: string,
) => Promise<Reply>;

const credentials = (pair: KeyPair | undefined) => ({ ca: fleet.certPem, ...(pair && { cert: pair.certPem, key: pair.keyPem }) });

const http1: Ask = (pair, path, headers, method = 'GET') =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers, agent: false, ...credentials(pair) };
    const sent = request(options, response => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.once('error', reject);
    sent.end();
  });

const http2: Ask = (pair, path, headers, method = 'GET') =>
  new Promise((resolve, reject) => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, credentials(pair));
    session.once('error', reject);
    const stream = session.request({ ':path': path, ':method': method, ...headers });
    let status = 0;
    let received: Reply['headers'] = {};
    let body = '';
    stream.once('response', head => {
      status = Number(head[':status']);
      received = head;
    });
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    stream.once('error', reject);
    stream.once('end', () => {
      session.close();
      resolve({ status, headers: received, body });
    });
  });

describe.each([
  ['HTTP/1.1', http1],
  ['HTTP/2', http2],
])('a service by itself, asked over %s', (_, ask) => {
  test('believes the identity that the front proxy has stamped', async () => {
    const headers = { 'x-remote-user': 'alice', 'x-remote-group': ['dev', 'ops'], 'x-kcp-vw-authenticated-by': 'token' };
    const { status, body, headers: answered } = await ask(frontProxy, PATH, headers);
    expect([status, JSON.parse(body).message]).toEqual([403, expect.stringContaining('[alice|dev,ops|token]')]);
    // What it decided is for the front proxy's audit log.
    expect(Object.keys(answered)).toContain('x-kcp-vw-record');
  });

  test('serves nothing that the front proxy has not stamped, not even as anonymous', async () => {
    expect((await ask(frontProxy, PATH, {})).status).toBe(500);
  });

  const others: [string, number, KeyPair | undefined][] = [
    ['without a certificate', 401, undefined],
    [
      'of kcp’s client CA, in system:masters',
      401,
      clients.issue({ commonName: 'admin', organizations: ['system:masters'], usage: 'client' }),
    ],
    ['of kcp’s client CA, with the front proxy’s name', 401, clients.issue({ commonName: 'front-proxy', usage: 'client' })],
    ['of kcp’s requestheader CA', 401, kcpRequestHeader.issue({ commonName: 'front-proxy', usage: 'client' })],
    ['signed by itself', 401, createAuthority({ commonName: 'front-proxy' })],
    [
      'of an authority with the same name',
      401,
      createAuthority({ commonName: 'fleet-ca' }).issue({ commonName: 'front-proxy', usage: 'client' }),
    ],
    ['that has expired', 401, fleet.issue({ commonName: 'front-proxy', usage: 'client', expired: true })],
    ['that serves', 401, fleet.issue({ commonName: 'front-proxy', usage: 'server' })],
    ['of another service', 401, serving],
    ['signed with the front proxy’s own', 401, forgedBelow(frontProxy)],
    ['of the right CA with another name', 403, fleet.issue({ commonName: 'front-proxy-2', usage: 'client' })],
    ['with the name as an organization', 403, fleet.issue({ commonName: 'x', organizations: ['front-proxy'], usage: 'client' })],
  ];

  test.each(others)('does not believe a certificate %s: %i', async (_name, code, pair) => {
    for (const headers of [MASTERS, {}, { ...MASTERS, authorization: 'Bearer admin-token' }, { 'impersonate-user': 'root' }]) {
      const { status, body, headers: answered } = await ask(pair, PATH, headers);
      expect([status, JSON.parse(body)]).toEqual([code, expect.objectContaining({ kind: 'Status', code })]);
      expect(body).not.toContain('mallory');
      expect(Object.keys(answered)).not.toContain('x-kcp-vw-record');
    }
  });

  test.each(['/', '/metrics', '/debug/process', '/api', '/services/', '/services/../x', '//readyz', '/readyz/', '/READYZ'])(
    'tells a stranger nothing at %s',
    async path => {
      const { status, body } = await ask(undefined, path, MASTERS);
      expect([status, JSON.parse(body).message]).toEqual([401, 'Unauthorized']);
    },
  );

  test('tells anybody whether it is well, and only the front proxy why not', async () => {
    missing = 'waiting for the shard at a secret place';
    for (const path of ['/readyz', '/healthz', '/readyz/mirror-shard']) {
      const { status, body } = await ask(undefined, `${path}?verbose`, {});
      expect([status, body.includes('reason withheld'), body.includes('secret')]).toEqual([500, true, false]);
    }
    expect((await ask(frontProxy, '/readyz?verbose', {})).body).toContain(
      'mirror-shard failed: waiting for the shard at a secret place',
    );
    missing = undefined;
    for (const path of ['/livez', '/readyz', '/healthz'])
      expect(await ask(undefined, path, {})).toMatchObject({ status: 200, body: 'ok' });
  });
});

// A certificate that is no authority cannot make another one, although its key can sign.
function forgedBelow(issuer: KeyPair): KeyPair {
  const forged = authorityOf(issuer).issue({ commonName: 'front-proxy', usage: 'client' });
  return { certPem: `${forged.certPem}${issuer.certPem}`, keyPem: forged.keyPem };
}

// The watches of all clients share a few connections from the front proxy: one client that opens and abandons watches all the time would
// cut those of the others, if the front proxy's connection were judged as a client's.
test('a service by itself keeps a connection on which many streams are taken back', async () => {
  const session = connectHttp2(`https://127.0.0.1:${port}`, credentials(frontProxy));
  let lost = false;
  session.once('close', () => {
    lost = true;
  });
  for (let round = 0; round < 25; round++) {
    const streams = Array.from({ length: 100 }, () => session.request({ ':path': '/readyz' }));
    await Promise.all(
      streams.map(
        stream =>
          new Promise(resolve => {
            stream.once('error', resolve).once('close', resolve);
            stream.close(8);
          }),
      ),
    );
  }
  expect([lost, session.closed]).toEqual([false, false]);
  session.close();
});
