/**
 * Row 8: headers of one hop (CVE-2021-31999, CVE-2022-23652). `Connection: X-Remote-User` asks a proxy to drop that header; one that
 * stamps first and strips then drops its own stamp, and the request goes on as the proxy itself.
 */
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, askFrames, askRaw, fieldsOf, PATH, protocols, RECORDED, statusOf } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { identityOf, valuesOf } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const STAMPS = 'X-Remote-User, X-Remote-Group, X-Kcp-Vw-Authenticated-By, Impersonate-User, Impersonate-Group';

test.each([PATH, RECORDED])('GET %s: what Connection names is not taken out of what we add', async path => {
  await ask(fleet.port, '1.1', { token: 'alice-token', path });
  const { last } = path === PATH ? fleet.shard : fleet.service;
  const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice-token\r\nX-Kcp-Virtual-Resource-Hops: 2\r\nTrailer: X-Remote-User\r\n`;
  const named = `Connection: close, ${STAMPS}, Authorization, Host, Audit-Id, X-Forwarded-For, X-Kcp-Virtual-Resource-Hops\r\n\r\n`;
  expect(statusOf(await askRaw(fleet.port, head + named))).toBe(200);
  const nominated = path === PATH ? fleet.shard.last : fleet.service.last;
  expect(identityOf(nominated)).toEqual(identityOf(last));
  expect(identityOf(nominated).join()).toMatch(/(?:x-remote|impersonate)-user: alice/);
  for (const name of ['host', 'x-forwarded-for', 'audit-id']) expect(valuesOf(nominated, name)).toHaveLength(1);
  expect(valuesOf(nominated, 'trailer')).toEqual([]);
  // A loop must not be able to hide: one hop more than the client said, and another one on the way to the shard.
  expect(valuesOf(nominated, 'x-kcp-virtual-resource-hops')).toEqual([path === PATH ? '4' : '3']);
});

// Whoever sent it proved who he is to us, and to nobody else.
test('Connection: Authorization does not make a request anonymous, nor anything else', async () => {
  const head = `GET ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer wrong\r\nConnection: close, Authorization\r\n\r\n`;
  expect([statusOf(await askRaw(fleet.port, head)), fleet.shard.requests]).toEqual([401, []]);
});

const OF_ONE_HOP = {
  ...{ 'keep-alive': 'timeout=5', 'proxy-authorization': 'Bearer mallory', 'proxy-connection': 'mallory' },
  ...{ forwarded: 'for=mallory', 'x-forwarded-host': 'mallory', 'x-forwarded-proto': 'mallory', 'x-real-ip': 'mallory' },
  ...{ cookie: 'mallory', authorization: 'Bearer alice-token', 'x-anything-else': 'mallory', 'http2-settings': 'mallory' },
};

test.each(protocols)('over HTTP/%s what is of one hop, or speaks for the client’s address, stays behind', async protocol => {
  // HTTP/2 has no such headers, and Node's client none that are not allowed.
  const { 'keep-alive': _, 'proxy-connection': __, 'http2-settings': ___, ...allowed } = OF_ONE_HOP;
  const headers = protocol === '1.1' ? { ...OF_ONE_HOP, te: 'trailers, mallory' } : { ...allowed, te: 'trailers' };
  for (const path of [PATH, RECORDED]) {
    expect((await ask(fleet.port, protocol, { path, headers })).status).toBe(200);
    const { last } = path === PATH ? fleet.shard : fleet.service;
    expect(JSON.stringify(last)).not.toMatch(/mallory|alice-token|"te"/i);
    expect(valuesOf(last, 'connection')).toEqual(['keep-alive']);
  }
});

test('over HTTP/2 a Connection header is refused', async () => {
  const { end } = await askFrames(fleet.port, fieldsOf({ token: 'alice-token' }, ['connection', 'x-remote-user']));
  expect([end === 'answered', fleet.shard.requests]).toEqual([false, []]);
});
