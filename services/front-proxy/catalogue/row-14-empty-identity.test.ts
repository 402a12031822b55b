/**
 * Row 14: a user without a name (GHSA-4xh5-jcj2-ch8q). The empty name is not sent on, and the request runs as the proxy itself. Names get
 * lost in a claim that is missing, a certificate without a common name, a header that is empty.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, protocols, RECORDED } from './clients.fixture.ts';
import { ALLOWED_PROXY, clientCA, requestHeaderCA, startFleet } from './fleet.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const proxy = requestHeaderCA.issue({ commonName: ALLOWED_PROXY, usage: 'client' });
const nameless = clientCA.issue({ commonName: '', organizations: ['system:masters'], usage: 'client' });
const nobodyAsked = (): unknown => [fleet.shard.requests, fleet.service.requests];

describe.each(protocols)('over HTTP/%s', protocol => {
  test.each([
    ['an empty name', { authenticated: true, user: { username: '', groups: ['system:masters'] } }],
    ['no name', { authenticated: true, user: { groups: ['system:masters'] } }],
  ])('a token whose user has %s is not accepted', async (what, status) => {
    const token = Buffer.from(what + protocol).toString('hex');
    fleet.reviews.set(token, status);
    for (const path of [undefined, RECORDED]) {
      expect((await ask(fleet.port, protocol, { token, ...(path && { path }) })).status).toBe(401);
    }
    expect(fleet.reviewer.requests).toHaveLength(1);
    expect(nobodyAsked()).toEqual([[], []]);
  });

  test.each([
    ['no name', {}],
    ['an empty name', { 'X-Remote-User': '' }],
    ['groups only', { 'X-Remote-Group': 'system:masters' }],
    ['two names', { 'X-Remote-User': ['', 'mallory'] }],
  ])('a proxy that may speak for others and says %s speaks for nobody', async (_, headers) => {
    for (const path of [undefined, RECORDED]) {
      const { status } = await ask(fleet.port, protocol, { pair: proxy, headers, ...(path && { path }) });
      expect(status).toBe(401);
    }
    expect(nobodyAsked()).toEqual([[], []]);
  });

  test('a certificate without a common name makes nobody of masters', async () => {
    const { status } = await ask(fleet.port, protocol, { pair: nameless });
    expect([status, fleet.shard.requests]).toEqual([403, []]);
    await ask(fleet.port, protocol, { pair: nameless, path: RECORDED });
    expect(fleet.service.bytes).toContain('system:anonymous');
    expect(fleet.service.bytes).not.toContain('system:masters');
  });
});
