/**
 * Row 21: a connection of which nobody looks whose it is. Who can stand in the way gets the credentials of the proxy and the requests of
 * everybody. It comes of one word in the sources, or of one variable in the environment.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, askUntil, protocols } from './clients.fixture.ts';
import { serverCA, startFleet } from './fleet.fixture.ts';
import { RecordingServer } from './recording.fixture.ts';

const stranger = createAuthority({ commonName: 'server-ca' });
const fleet = await startFleet();
const mistrusting = await startFleet({ shardCA: stranger.certPem });
beforeEach(() => {
  fleet.forget();
  mistrusting.forget();
});
afterAll(cleanUp);

const right = { commonName: 'a-vw', usage: 'server', sans: ['IP:127.0.0.1'] } as const;

describe('to a service whose certificate', () => {
  test.each([
    ['of-another-authority', stranger.issue(right)],
    ['for-another-name', serverCA.issue({ ...right, commonName: '127.0.0.1', sans: ['DNS:other', 'IP:127.0.0.2'] })],
    ['that-has-expired', serverCA.issue({ ...right, expired: true })],
    ['for-clients', serverCA.issue({ ...right, usage: 'client' })],
    ['signed-by-itself', createAuthority({ commonName: '127.0.0.1' })],
  ])('is one %s no request is sent: 502', async (view, pair) => {
    const impostor = await RecordingServer.start({ pair });
    fleet.writeViews({ [view]: [{ service: 'a-vw', instance: view, url: impostor.url }] });
    const path = `/services/${view}/x`;
    await askUntil(fleet.port, { token: 'masters-token', path }, ({ status }) => status !== 404);
    for (const protocol of protocols) {
      for (const query of ['', '?watch=true']) {
        const { status, body } = await ask(fleet.port, protocol, { token: 'alice-token', path: path + query });
        expect([status, JSON.parse(body).reason]).toEqual([502, 'BadGateway']);
      }
    }
    expect([impostor.requests, impostor.bytes]).toEqual([[], '']);
  });

  test('is right it is sent', async () => {
    const honest = await RecordingServer.start({ pair: serverCA.issue(right) });
    fleet.writeViews({ honest: [{ service: 'a-vw', instance: 'honest', url: honest.url }] });
    await askUntil(fleet.port, { token: 'alice-token', path: '/services/honest/x' }, ({ status }) => status === 200);
    expect(honest.last.url).toBe('/services/honest/x');
  });
});

// The self-test needs the shard, and before it has passed the service gets no requests.
test.each(protocols)('over HTTP/%s a shard that the service does not believe gets no request: 503', async protocol => {
  const { status } = await ask(mistrusting.port, protocol, { token: 'alice-token' });
  expect([status, mistrusting.shard.requests, mistrusting.shard.bytes]).toEqual([503, [], '']);
});

test('nothing starts where the environment turns verification off', async () => {
  const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    await expect(startFleet()).rejects.toThrow('NODE_TLS_REJECT_UNAUTHORIZED=0 would turn off the verification of certificates');
  } finally {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  }
});

describe('in the sources', () => {
  const root = join(import.meta.dirname, '../../..');
  const sourcesIn = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
      if (entry.name === 'node_modules' || entry.name.startsWith('.')) return [];
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sourcesIn(path);
      return /\.(?:ts|js|mjs|json|ya?ml|sh)$/.test(entry.name) && !/\.(?:test|fixture)\.ts$/.test(entry.name) ? [path] : [];
    });
  const sources = ['shared', 'services', 'cli', 'deploy', 'examples', 'bin']
    .flatMap(folder => sourcesIn(join(root, folder)))
    .map(path => ({ name: relative(root, path), text: readFileSync(path, 'utf8') }));
  const linesWith = (pattern: RegExp): string[] =>
    sources.flatMap(({ name, text }) =>
      text
        .split('\n')
        .filter(line => pattern.test(line))
        .map(line => `${name}: ${line.trim()}`),
    );

  test('there is something to look through', () => {
    expect(sources.map(({ name }) => name)).toContain('shared/src/upstream/http1-pool.ts');
  });

  // The listener asks clients for certificates and decides itself what they are worth; who has none is anonymous.
  test('verification is switched off nowhere but where a server takes clients without a certificate', () => {
    expect(linesWith(/rejectUnauthorized['"]?\s*[:=](?!\s*true\b)/)).toEqual([
      'shared/src/listener/listener.ts: rejectUnauthorized: false,',
    ]);
  });

  test('nothing has a switch for it: not http-proxy’s, not a kubeconfig’s, not a variable', () => {
    expect(
      linesWith(/\bsecure\s*:\s*false|checkServerIdentity|insecure-skip-tls-verify\W*true|skipTLSVerify\s*:\s*true/),
    ).toEqual([]);
    const named = linesWith(/NODE_TLS_REJECT_UNAUTHORIZED/).filter(line => !/: (?:\/\/|\*|\/\*)/.test(line));
    expect(named).toHaveLength(2);
    for (const line of named) expect(line).toMatch(/^shared\/src\/listener\/tls\.ts: (?:if|throw)/);
  });
});
