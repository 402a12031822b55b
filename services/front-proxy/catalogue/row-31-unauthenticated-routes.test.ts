/**
 * Row 31: a handler outside the chain that authenticates (CVE-2026-39429: kcp's `/services/cache/` was one). Every path that any source of
 * the project gives an answer for is asked of every port, without credentials and with a claim to be of masters.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { responseOf } from '@kcp-vw/shared/listener/client.fixture.ts';
import { cleanUp, onCleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, PATH, protocols, type Response } from './clients.fixture.ts';
import { askOps, serverCA, startFleet } from './fleet.fixture.ts';

const fleet = await startFleet({ hop: 'tls' });
const onSockets = await startFleet();
beforeEach(() => {
  fleet.forget();
  onSockets.forget();
});
afterAll(cleanUp);

const root = join(import.meta.dirname, '../../..');
const sourcesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    if (entry.name === 'node_modules') return [];
    if (entry.isDirectory()) return sourcesIn(join(folder, entry.name));
    return /(?<!\.test|\.fixture)\.ts$/.test(entry.name) ? [join(folder, entry.name)] : [];
  });

/** What stands in quotes and begins with a slash where something is routed: express's routes, and the paths that a handler compares. */
const routed = [
  ...new Set(
    ['shared/src', 'services', 'cli'].flatMap(folder =>
      sourcesIn(join(root, folder)).flatMap(path => {
        const lines = readFileSync(path, 'utf8').split('\n');
        const routing = lines.filter(line => /\bapp\.\w+\(|(?:path|url|pathname) ===|_PATHS|API_ROOTS/.test(line));
        return routing.flatMap(line => [...line.matchAll(/'(\/[\w./:-]*)'/g)].map(([, route = '']) => route));
      }),
    ),
  ),
].sort();

const HEALTH = ['/livez', '/readyz', '/healthz'];
const further = [
  ...['/', '/metrics', '/debug', '/debug/process', '/debug/streams', '/debug/pprof', '/api', '/apis', '/version', '/openapi/v2'],
  ...[
    '/openapi/v3',
    '/services',
    '/services/',
    '/services/cache/',
    '/services/mirror',
    '/services/mirror/',
    '/services/recorded/x',
  ],
  ...['/services/mirror/healthz', '/services/mirror/clusters/root/healthz', '/clusters/root/api', '/console', '/favicon.ico'],
  ...['/livez/', '/readyz/x/y', '/LIVEZ', '//livez', '/livez%2f', '/./livez', PATH],
];
const paths = [...new Set([...routed.map(path => path.replaceAll(/:\w+/g, 'x')), ...further])].filter(
  path => !HEALTH.includes(path),
);
const CLAIM = { 'x-remote-user': 'mallory', 'x-remote-group': 'system:masters', 'x-kcp-vw-authenticated-by': 'certificate' };

test('the routes of the sources are found', () => {
  expect(routed).toEqual(expect.arrayContaining([...HEALTH, '/metrics', '/debug/process']));
});

describe.each(protocols)('the public port over HTTP/%s', protocol => {
  test.each(paths.filter(path => path !== '/services/recorded/x'))('tells a stranger nothing at %s', async path => {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const { status, body } = await ask(fleet.port, protocol, { path, method, headers: CLAIM });
      // Below a view an API server's own health is not found, whoever asks and whatever there is.
      const isHealthOfAView = path.endsWith('/clusters/root/healthz');
      expect([path, method, status]).toEqual([path, method, status === 400 ? 400 : isHealthOfAView ? 404 : 403]);
      expect(JSON.parse(body)).toMatchObject({ kind: 'Status', status: 'Failure' });
    }
    expect(fleet.shard.requests).toEqual([]);
  });

  test('tells a stranger who brings a wrong token nothing but that', async () => {
    for (const path of [...paths, ...HEALTH]) {
      const { status } = await ask(fleet.port, protocol, { path, token: 'wrong' });
      expect([path, status]).toEqual([path, status === 400 ? 400 : 401]);
    }
  });

  test.each(HEALTH)('tells anybody about %s, and no reasons', async path => {
    expect((await ask(fleet.port, protocol, { path })).body).toBe('ok');
    const { body } = await ask(fleet.port, protocol, { path: `${path}?verbose` });
    expect(body).toMatch(/^(?:\[\+\][\w-]+ ok\n)+\w+ check passed\n$/);
    expect((await ask(fleet.port, protocol, { path: `${path}/ping` })).status).toBe(403);
  });
});

describe('the port of a service, to whoever is not the front proxy', () => {
  const session = connect(`https://${fleet.serviceAddress}`, { ca: serverCA.certPem });
  session.on('error', () => {});
  onCleanUp(() => session.destroy());
  const askService = (path: string): Promise<Response> => responseOf(session.request({ ':path': path, ...CLAIM }));

  test.each(paths)('tells nothing at %s', async path => {
    const { status, body } = await askService(path);
    expect([status, JSON.parse(body).message]).toEqual([401, 'Unauthorized']);
    expect(fleet.shard.requests).toEqual([]);
  });

  test.each(HEALTH)('tells about %s', async path => {
    expect((await askService(path)).body).toBe('ok');
  });
});

describe('what has no authentication of its own', () => {
  test('is a socket that nobody but our user can open', () => {
    for (const path of [onSockets.frontOps, onSockets.serviceOps, onSockets.serviceAddress]) {
      expect([path, (statSync(path).mode & 0o777).toString(8)]).toEqual([path, '600']);
    }
  });

  test('has nothing of the views, and no shard behind it', async () => {
    for (const socket of [onSockets.frontOps, onSockets.serviceOps]) {
      for (const path of [PATH, '/services/recorded/x', '/clusters/root/api'])
        expect(await askOps(socket, path)).toContain('Cannot GET');
      expect(await askOps(socket, '/metrics')).toContain('proxy_requests_in_flight');
    }
    expect(onSockets.shard.requests).toEqual([]);
  });
});
