/**
 * Row 9: an upgrade that is refused and stays open (CVE-2018-1002105). A proxy that has let go of a connection before what stands behind
 * has answered lets the client speak on it as the proxy: as whoever he likes.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { askRaw, PATH, RECORDED } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { respondWith } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const upgradeTo = (protocol: string, path: string): string =>
  [
    `GET ${path} HTTP/1.1`,
    ...['Host: a', 'Authorization: Bearer alice-token', 'Connection: Upgrade', `Upgrade: ${protocol}`],
    ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', '', ''],
  ].join('\r\n');
const NEXT = 'GET /services/mirror/clusters/root/api/v1/smuggled HTTP/1.1\r\nHost: a\r\nX-Remote-User: system:admin\r\n\r\n';

describe.each(['websocket', 'SPDY/3.1'])('an upgrade to %s', protocol => {
  test.each([200, 302, 400, 403, 500])('that is answered %i behind is an answer, the last one of its connection', async code => {
    fleet.shard.respond = fleet.service.respond = respondWith(code, { kind: 'Status', code }, { location: '/elsewhere' });
    for (const path of [PATH, RECORDED]) {
      // Settles when the connection is closed.
      const received = await askRaw(fleet.port, upgradeTo(protocol, path) + NEXT);
      expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual([expect.not.stringMatching(/ (?:101|2\d\d|3\d\d)$/)]);
      expect(received.toLowerCase()).toContain('connection: close');
    }
    expect(fleet.shard.everything + fleet.service.everything).not.toMatch(/smuggled|system:admin/);
    expect(fleet.shard.requests.length + fleet.service.requests.length).toBeLessThanOrEqual(2);
  });

  test('behind another request on its connection is never heard of', async () => {
    fleet.service.respond = () => undefined;
    fleet.shard.respond = () => undefined;
    const first = `GET ${RECORDED} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice-token\r\n\r\n`;
    expect(await askRaw(fleet.port, first + upgradeTo(protocol, PATH))).toBe('');
    expect(fleet.shard.requests).toEqual([]);
  });
});
