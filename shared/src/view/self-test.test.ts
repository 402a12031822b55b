import { describe, expect, it } from '@jest/globals';
import { asCaller, identity } from '../authn/identity.ts';
import { impersonationHeaders } from '../authn/impersonation.ts';
import { toUserInfo } from '../authn/user-info.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import { type FakeResponse, fakeUpstream } from '../testing/fake-upstream.ts';
import type { UpstreamFailure } from '../upstream/upstream.ts';
import { answerSelfTest, isSelfTest } from './self-test.ts';
import { PROBE, REVIEW_PATH } from './self-test-probe.ts';

async function ask(response: FakeResponse | UpstreamFailure, caller = asCaller(PROBE, 'token')) {
  const shard = fakeUpstream(() => response);
  const exchange = fakeExchange('GET', '/self-test');
  await answerSelfTest(exchange, caller, shard);
  return { exchange, shard };
}
const reviewOf = (userInfo: unknown): FakeResponse => ({ status: 201, body: { status: { userInfo } } });

describe('the self-test of a service', () => {
  it('tells whom it takes the request to be from, and whom its shard takes it for', async () => {
    const { exchange, shard } = await ask(reviewOf({ username: 'somebody', groups: ['a'] }));
    expect([exchange.status, exchange.json]).toEqual([
      200,
      {
        received: { ...toUserInfo(PROBE), method: 'token' },
        reviewed: { username: 'somebody', uid: '', groups: ['a'], extra: {} },
      },
    ]);
    expect(shard.requests).toMatchObject([{ method: 'POST', path: REVIEW_PATH }]);
    expect(shard.requests[0]?.headers).toEqual(expect.arrayContaining([...impersonationHeaders(PROBE)]));
    expect(JSON.parse(shard.requests[0]?.body ?? '')).toEqual({
      kind: 'SelfSubjectReview',
      apiVersion: 'authentication.k8s.io/v1',
    });
  });

  it.each([403, 404])('says so when its shard answers %i: it may not impersonate, or there is no such review', async status => {
    const { exchange } = await ask({ status, body: {} });
    expect([exchange.status, exchange.json]).toEqual([200, { received: expect.anything(), reviewed: status }]);
  });

  it.each<[FakeResponse | UpstreamFailure, number]>([
    ['unreachable', 503],
    [{ status: 503, body: {} }, 503],
    [{ status: 401, body: {} }, 500],
    [{ status: 201, body: {} }, 500],
    [reviewOf({ username: 7 }), 500],
  ])('fails when the shard says %j', async (response, code) => {
    expect((await ask(response)).exchange.status).toBe(code);
  });

  // Should anybody else ever get here, he learns nothing and has nothing asked.
  it('is for nobody but the probe', async () => {
    const { exchange, shard } = await ask(reviewOf({ username: 'x' }), asCaller(identity('jane', ['system:masters']), 'token'));
    expect([exchange.status, shard.requests]).toEqual([404, []]);
  });

  it('is at one path, which no request of a client can have', () => {
    expect(isSelfTest({ method: 'GET', url: '/self-test' })).toBe(true);
    for (const url of [
      '/self-test/',
      '/self-test?x',
      '/services/self-test',
      '//self-test',
      '/services/../self-test',
      '/SELF-TEST',
    ]) {
      expect(isSelfTest({ method: 'GET', url })).toBe(false);
    }
    expect(isSelfTest({ method: 'POST', url: '/self-test' })).toBe(false);
  });
});
