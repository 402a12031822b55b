import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { type FakeAnswer, fakeReviewer } from './fake-reviewer.ts';
import { identity } from './identity.ts';
import { MAX_TOKEN_BYTES } from './token-authenticator.ts';
import { createTokenReviewer } from './token-review.ts';

const authenticated = (user: unknown): FakeAnswer => ({ code: 201, body: { status: { authenticated: true, user } } });
const refused: FakeAnswer = { code: 201, body: { status: { authenticated: false, error: 'unknown token' } } };

function fixture(answer: (spec: Record<string, unknown>) => FakeAnswer, basePath = '/clusters/root') {
  const time = { now: 0 };
  const upstream = fakeReviewer(answer);
  return { time, upstream, reviewer: createTokenReviewer({ upstream, basePath, clock: () => time.now }) };
}

const refusal = (code: number) => expect.objectContaining({ code });

describe('a bearer token', () => {
  it("is the user that the reviewer says, with the reviewer's groups and extra", async () => {
    const user = {
      username: 'jane',
      uid: 'u1',
      groups: ['team', 'system:masters'],
      extra: { 'authentication.kcp.io/scopes': ['a'] },
    };
    const { upstream, reviewer } = fixture(() => authenticated(user), '/clusters/root/');
    expect(await reviewer.review('secret')).toEqual(identity('jane', user.groups, 'u1', user.extra));
    expect(upstream.requests).toEqual([
      {
        method: 'POST',
        path: '/clusters/root/apis/authentication.k8s.io/v1/tokenreviews',
        body: { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token: 'secret' } },
      },
    ]);
  });

  it('cannot bring a lifecycle group', async () => {
    const { reviewer } = fixture(() => authenticated({ username: 'jane', groups: ['system:kcp:terminator:root:x', 'a'] }));
    expect((await reviewer.review('secret')).groups).toEqual(['a']);
  });

  it('is believed for 10 seconds, and refused for 5', async () => {
    const { time, upstream, reviewer } = fixture(({ token }) =>
      token === 'good' ? authenticated({ username: 'jane' }) : refused,
    );
    const ask = () => Promise.allSettled([reviewer.review('good'), reviewer.review('bad')]);
    await ask();
    time.now = 4_999;
    await ask();
    expect(upstream.requests).toHaveLength(2);
    time.now = 5_000;
    await ask();
    expect(upstream.requests).toHaveLength(3);
    time.now = 10_000;
    await ask();
    expect(upstream.requests.map(({ body }) => body.spec.token)).toEqual(['good', 'bad', 'bad', 'good', 'bad']);
  });

  it('is reviewed once for all requests that bring it at the same time, and never answers another token', async () => {
    const { upstream, reviewer } = fixture(({ token }) => authenticated({ username: `user-of-${String(token)}` }));
    const tokens = Array.from({ length: 1000 }, (_, i) => `token-${i % 50}`);
    const users = await Promise.all(tokens.map(token => reviewer.review(token)));
    expect(users.map(({ name }) => name)).toEqual(tokens.map(token => `user-of-${token}`));
    expect(upstream.requests).toHaveLength(50);
    expect(reviewer.stats()).toEqual({ hits: 950, misses: 50, size: 50 });
  });

  // CVE-2023-48312: only the user was looked at.
  it.each<[string, FakeAnswer]>([
    ['false', { code: 201, body: { status: { authenticated: false, user: { username: 'admin', groups: ['system:masters'] } } } }],
    ['missing', { code: 201, body: { status: { user: { username: 'admin' } } } }],
    ['no boolean', { code: 201, body: { status: { authenticated: 'true', user: { username: 'admin' } } } }],
  ])('is refused with 401 when `authenticated` is %s, whatever user is named', async (_, answer) => {
    await expect(fixture(() => answer).reviewer.review('secret')).rejects.toEqual(refusal(401));
  });

  // GHSA-4xh5-jcj2-ch8q: a provider without the username claim; the empty name was not sent on, and the proxy acted as itself.
  it('is refused with 401 when its user has no name', async () => {
    const { reviewer } = fixture(() => authenticated({ username: '', groups: ['system:masters'] }));
    await expect(reviewer.review('secret')).rejects.toEqual(refusal(401));
  });

  it('may have 64 KiB, and is refused unseen when it is longer or no token', async () => {
    const { upstream, reviewer } = fixture(() => authenticated({ username: 'jane' }));
    await expect(reviewer.review('a'.repeat(MAX_TOKEN_BYTES))).resolves.toMatchObject({ name: 'jane' });
    for (const token of ['a'.repeat(MAX_TOKEN_BYTES + 1), '', 'a b', 'a\xe9', 'a\n']) {
      await expect(reviewer.review(token)).rejects.toEqual(refusal(401));
    }
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('a token review that fails', () => {
  it.each<FakeAnswer>(['unreachable', 'untrusted', 'reset', 'timeout', 'busy', { code: 500, body: {} }, { code: 503, body: {} }])(
    'is 503 and not 401: %j',
    async answer => {
      await expect(fixture(() => answer).reviewer.review('secret')).rejects.toEqual(refusal(503));
    },
  );

  it('passes on when to come again', async () => {
    const { reviewer } = fixture(() => ({ code: 429, body: {}, headers: ['Retry-After', '7'] }));
    await expect(reviewer.review('secret')).rejects.toMatchObject({ code: 503, status: { details: { retryAfterSeconds: 7 } } });
  });

  it.each<FakeAnswer>([
    { code: 401, body: {} },
    { code: 403, body: {} },
    { code: 404, body: {} },
    { code: 201, body: {} },
    { code: 201, body: null },
    { code: 201, body: { status: 'yes' } },
    authenticated({ username: 'jane', groups: 'system:masters' }),
    authenticated(undefined),
  ])("is 500 when the reviewer's answer is none, which no client can mend: %j", async answer => {
    await expect(fixture(() => answer).reviewer.review('secret')).rejects.toEqual(refusal(500));
  });

  it('is not kept', async () => {
    const answers: FakeAnswer[] = ['timeout', { code: 403, body: {} }, authenticated({ username: 'jane' })];
    const { reviewer } = fixture(() => answers.shift() ?? refused);
    await expect(reviewer.review('secret')).rejects.toEqual(refusal(503));
    await expect(reviewer.review('secret')).rejects.toEqual(refusal(500));
    await expect(reviewer.review('secret')).resolves.toMatchObject({ name: 'jane' });
  });

  // CVE-2019-11250, CVE-2020-8565: tokens in logs of errors and requests.
  it.each<FakeAnswer>([refused, 'unreachable', { code: 403, body: { message: 'canary' } }, { code: 500, body: {} }])(
    'shows the token nowhere: %j',
    async answer => {
      const failure: unknown = await fixture(() => answer)
        .reviewer.review('canary')
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(inspect(failure, { depth: null, showHidden: true })).not.toContain('canary');
    },
  );
});
