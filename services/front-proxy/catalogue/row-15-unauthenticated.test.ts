/**
 * Row 15: the answer of a review is not read whole (CVE-2023-48312). Its user was looked at, and not whether it is authenticated.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, protocols } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { respondWith } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const user = { username: 'mallory', groups: ['system:masters'] };
const statuses: [string, number, unknown][] = [
  ['authenticated: false', 401, { authenticated: false, user }],
  ['no authenticated at all', 401, { user }],
  ['authenticated: "true"', 401, { authenticated: 'true', user }],
  ['authenticated: 1', 401, { authenticated: 1, user }],
  ['authenticated: false with an error', 401, { authenticated: false, error: 'no such token', user }],
  ['a user that is none', 500, { authenticated: true, user: 'mallory' }],
  ['no status', 500, undefined],
];

describe.each(protocols)('over HTTP/%s a token is not accepted, and nobody behind is asked, when its review says', protocol => {
  test.each(statuses)('%s: %i', async (what, code, status) => {
    fleet.reviewer.respond = respondWith(201, { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', status });
    const { status: answered } = await ask(fleet.port, protocol, { token: Buffer.from(what + protocol).toString('hex') });
    expect([answered, fleet.shard.requests, fleet.service.requests]).toEqual([code, [], []]);
    expect(fleet.reviewer.requests).toHaveLength(1);
  });

  test.each([400, 401, 403, 404, 500, 503])('nothing but a %i, with a user in it', async code => {
    fleet.reviewer.respond = respondWith(code, { kind: 'TokenReview', status: { authenticated: true, user } });
    const { status } = await ask(fleet.port, protocol, { token: `${code}-${protocol}` });
    expect([status >= 500, fleet.shard.requests, fleet.service.requests]).toEqual([true, [], []]);
  });
});
