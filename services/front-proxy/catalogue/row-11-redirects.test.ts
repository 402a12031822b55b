/**
 * Row 11: redirects from behind (CVE-2022-3172, CVE-2020-8559). Followed, they make a proxy ask whatever a service likes, with the proxy's
 * credentials; passed on, they make clients send theirs there.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, PATH, protocols, RECORDED, WATCH } from './clients.fixture.ts';
import { servingPair, startFleet } from './fleet.fixture.ts';
import { RecordingServer, respondWith } from './recording.fixture.ts';

const fleet = await startFleet();
const elsewhere = await RecordingServer.start({ pair: servingPair() });
beforeEach(fleet.forget);
afterAll(cleanUp);

describe.each(protocols)('over HTTP/%s', protocol => {
  test.each([300, 301, 302, 303, 307, 308])(
    'a %i from a service or a shard is a 502 that says nothing of the place',
    async code => {
      const redirect = respondWith(code, 'moved', { location: `${elsewhere.url}/stolen` });
      fleet.shard.respond = redirect;
      fleet.service.respond = redirect;
      for (const path of [PATH, RECORDED, WATCH]) {
        const { status, headers, body } = await ask(fleet.port, protocol, { token: 'alice-token', path });
        expect([status, headers.location, JSON.parse(body).code]).toEqual([502, undefined, 502]);
        expect(body).not.toContain(elsewhere.url);
      }
      expect([fleet.shard.requests.length, fleet.service.requests.length, elsewhere.requests]).toEqual([2, 1, []]);
    },
  );

  test('a POST is not sent again to where a redirect points', async () => {
    fleet.shard.respond = respondWith(307, '', { location: `${elsewhere.url}/stolen` });
    const { status } = await ask(fleet.port, protocol, { token: 'alice-token', method: 'POST', body: '{"a":"secret"}' });
    expect([status, fleet.shard.requests.length, elsewhere.requests]).toEqual([502, 1, []]);
  });

  // With the token of the user in its body, and the credentials of the front proxy.
  test('who reviews tokens cannot send the review elsewhere either', async () => {
    fleet.reviewer.respond = respondWith(307, '', { location: `${elsewhere.url}/stolen` });
    const { status, body } = await ask(fleet.port, protocol, { token: `not-reviewed-yet-${protocol}` });
    expect([status >= 500, elsewhere.requests, fleet.shard.requests]).toEqual([true, [], []]);
    expect(body).not.toContain(elsewhere.url);
  });

  test('304 is no redirect, and what is cached stays usable', async () => {
    fleet.shard.respond = (_request, response) => response.writeHead(304, { etag: '"1"' }).end();
    const answer = await ask(fleet.port, protocol, { token: 'alice-token', headers: { 'if-none-match': '"1"' } });
    expect(answer).toMatchObject({ status: 304, body: '' });
  });
});
