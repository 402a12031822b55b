/**
 * Row 10: requests to leave HTTP/1.1 take another way through Node than all others, and what cleans and refuses on the usual way does not
 * see them. `Upgrade: h2c` would take every later request of the connection past all checks; CONNECT makes a forward proxy of us.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { askFrames, askRaw, fieldsOf, PATH, statusOf } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const nobodyAsked = (): unknown => [fleet.shard.requests, fleet.service.requests, fleet.reviewer.requests];
const head = (lines: readonly string[], start = `GET ${PATH}`): string =>
  [`${start} HTTP/1.1`, 'Host: a', 'Authorization: Bearer masters-token', ...lines, '', ''].join('\r\n');

describe('refused before anybody is asked who that is', () => {
  test.each([
    ['h2c', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']],
    ['h2c beside WebSocket', ['Connection: Upgrade', 'Upgrade: websocket, h2c']],
    ['h2c in a header of its own', ['Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: h2c']],
    ['HTTP/2.0', ['Connection: Upgrade', 'Upgrade: HTTP/2.0']],
    ['TLS', ['Connection: Upgrade', 'Upgrade: TLS/1.0']],
    ['what nobody knows', ['Connection: Upgrade', 'Upgrade: anything']],
  ])('is an upgrade to %s', async (_, lines) => {
    expect(statusOf(await askRaw(fleet.port, head(lines)))).toBe(400);
    expect(nobodyAsked()).toEqual([[], [], []]);
  });

  test('is an upgrade with a body', async () => {
    const lines = ['Connection: Upgrade', 'Upgrade: SPDY/3.1', 'Content-Length: 5'];
    expect(statusOf(await askRaw(fleet.port, `${head(lines, `POST ${PATH}`)}hello`))).toBe(400);
    expect(nobodyAsked()).toEqual([[], [], []]);
  });

  test.each(['CONNECT a:443', 'CONNECT 169.254.169.254:80', `CONNECT ${PATH}`])('is %s', async start => {
    expect(statusOf(await askRaw(fleet.port, head([], start)))).toBe(400);
    expect(nobodyAsked()).toEqual([[], [], []]);
  });

  test('is CONNECT over HTTP/2, the plain one and the extended', async () => {
    const authorization = ['authorization', 'Bearer masters-token'] as const;
    const plain = [[':method', 'CONNECT'], [':authority', 'a:443'], authorization] as const;
    const extended = [[':protocol', 'websocket'], ...fieldsOf({ method: 'CONNECT', token: 'masters-token' })] as const;
    for (const fields of [plain, extended]) {
      const { end, text } = await askFrames(fleet.port, fields);
      if (end === 'answered' && text !== '') expect(JSON.parse(text).code).toBeGreaterThanOrEqual(400);
      expect(nobodyAsked()).toEqual([[], [], []]);
    }
  });
});
