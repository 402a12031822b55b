/**
 * Row 5: Node itself writes the body of a GET, HEAD, DELETE or OPTIONS without framing when neither length nor encoding is given. A proxy
 * gets there by dropping `Transfer-Encoding` as a header of one hop, or by taking a request from HTTP/2, which needs neither, to HTTP/1.1.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, askRaw, PATH, protocols, RECORDED, statusOf } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { valuesOf } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Remote-User: system:admin\r\n\r\n';

describe.each(protocols)('over HTTP/%s', protocol => {
  test.each(['GET', 'HEAD', 'OPTIONS'])('a %s with a body of whatever length is refused', async method => {
    const headers = protocol === '1.1' ? { 'transfer-encoding': 'chunked' } : {};
    const { status } = await ask(fleet.port, protocol, { token: 'alice-token', method, body: SMUGGLED, headers });
    expect([status, fleet.shard.requests]).toEqual([400, []]);
  });

  test.each(['DELETE', 'POST', 'PATCH'])('a %s of unknown length is chunked to what stands behind', async method => {
    const headers = protocol === '1.1' ? { 'transfer-encoding': 'chunked' } : {};
    for (const path of [RECORDED, PATH]) {
      await ask(fleet.port, protocol, { token: 'alice-token', method, path, body: SMUGGLED, headers });
      await ask(fleet.port, protocol, { token: 'alice-token', path });
      const { requests } = path === PATH ? fleet.shard : fleet.service;
      expect(requests.map(request => [request.method, request.body])).toEqual([
        [method, SMUGGLED],
        ['GET', ''],
      ]);
      expect(requests.map(request => valuesOf(request, 'transfer-encoding'))).toEqual([['chunked'], []]);
    }
  });

  // An empty body is none: an empty chunk would be a stray byte to who does not expect one.
  test('a DELETE without a body has none behind either', async () => {
    await ask(fleet.port, protocol, { token: 'alice-token', method: 'DELETE' });
    await ask(fleet.port, protocol, { token: 'alice-token', method: 'DELETE', path: RECORDED });
    for (const { last } of [fleet.shard, fleet.service])
      expect([last.body, valuesOf(last, 'transfer-encoding')]).toEqual(['', []]);
  });
});

test.each(['GET', 'HEAD', 'OPTIONS'])('a %s with Content-Length and a request as its body is refused', async method => {
  const head = `${method} ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice-token\r\n`;
  const received = await askRaw(fleet.port, `${head}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`);
  expect([statusOf(received), fleet.shard.requests, fleet.service.requests]).toEqual([400, [], []]);
});
