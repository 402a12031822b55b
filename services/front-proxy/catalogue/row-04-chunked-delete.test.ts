/**
 * Row 4: the body of a DELETE or OPTIONS is a second request (root cause of CVE-2026-29057). http-proxy takes the framing of a chunked
 * DELETE away and sends its body all the same: to the server behind it is the next request on that connection, with whatever identity
 * the client likes.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, askRaw, PATH, RECORDED, statusOf } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';

const fleets = { 'a socket': await startFleet(), TLS: await startFleet({ hop: 'tls' }) };
beforeEach(() => {
  for (const fleet of Object.values(fleets)) fleet.forget();
});
afterAll(cleanUp);

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Remote-User: system:admin\r\nX-Remote-Group: system:masters\r\n\r\n';
const CHUNKED = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
const head = (method: string, path: string): string =>
  `${method} ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice-token\r\n`;

describe.each(Object.entries(fleets))('to a service behind %s', (_, fleet) => {
  test.each([PATH, RECORDED])('a chunked DELETE %s that contains a request is one request with a body', async path => {
    // The connections behind are kept: what was smuggled would be answered in the place of the next one.
    await ask(fleet.port, '1.1', { token: 'alice-token', path });
    fleet.forget();
    const bytes = `${head('DELETE', path)}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${CHUNKED}`;
    expect(statusOf(await askRaw(fleet.port, bytes))).toBe(200);
    expect((await ask(fleet.port, '1.1', { token: 'bob-token', path })).status).toBe(200);
    const { requests } = path === PATH ? fleet.shard : fleet.service;
    expect(requests.map(({ method }) => method)).toEqual(['DELETE', 'GET']);
    expect(requests[0]?.body).toBe(SMUGGLED);
  });

  test('a DELETE with a body over HTTP/2 is one request with a body', async () => {
    const { status } = await ask(fleet.port, '2.0', { token: 'alice-token', method: 'DELETE', body: SMUGGLED });
    expect(status).toBe(200);
    await ask(fleet.port, '2.0', { token: 'alice-token' });
    expect(fleet.shard.requests.map(({ method, body }) => [method, body])).toEqual([
      ['DELETE', SMUGGLED],
      ['GET', ''],
    ]);
  });

  test('an OPTIONS with a body is refused, and nothing of it is heard', async () => {
    const bytes = `${head('OPTIONS', PATH)}Transfer-Encoding: chunked\r\n\r\n${CHUNKED}`;
    expect(statusOf(await askRaw(fleet.port, bytes))).toBe(400);
    expect((await ask(fleet.port, '2.0', { token: 'alice-token', method: 'OPTIONS', body: SMUGGLED })).status).toBe(400);
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
  });
});
