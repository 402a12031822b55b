/**
 * Row 32: whose pages may read the answers. kcp-front-proxy matches `Origin` against a regular expression that is not anchored, with
 * credentials allowed, so that `https://console.example.com.evil.io` is let in where `console.example.com` is. Here no origin is: there is
 * nothing to match.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, PATH, protocols, RECORDED } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { valuesOf } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const origins = ['https://console.example.com.evil.io', 'https://console.example.com', 'null'];
const corsOf = (headers: object): string[] => Object.keys(headers).filter(name => name.startsWith('access-control-'));

describe.each(protocols)('over HTTP/%s', protocol => {
  test.each(origins)('a page of %s may read no answer, and nobody behind is told of it', async origin => {
    for (const path of [PATH, RECORDED, '/readyz', '/services/none', '//']) {
      const { headers } = await ask(fleet.port, protocol, { token: 'alice-token', path, headers: { origin } });
      expect([path, corsOf(headers)]).toEqual([path, []]);
    }
    expect([fleet.shard.last, fleet.service.last].flatMap(request => valuesOf(request, 'origin'))).toEqual([]);
  });

  // A browser asks first, without credentials: nobody's request, which is refused as any other.
  test.each(origins)('a page of %s that asks whether it may write is refused', async origin => {
    const headers = { origin, 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'authorization' };
    const answer = await ask(fleet.port, protocol, { method: 'OPTIONS', headers });
    expect([answer.status, corsOf(answer.headers), fleet.shard.requests]).toEqual([403, [], []]);
  });
});
