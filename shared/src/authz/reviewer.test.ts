import { describe, expect, it } from '@jest/globals';
import { type FakeAnswer, fakeReviewer } from '../authn/fake-reviewer.ts';
import { identity } from '../authn/identity.ts';
import { createReviewer, type ReviewAttributes } from './reviewer.ts';

const status = (fields: Record<string, unknown>): FakeAnswer => ({
  code: 201,
  body: { kind: 'SubjectAccessReview', status: fields },
});
const ALLOWED = status({ allowed: true, reason: 'RBAC: allowed by ClusterRoleBinding "x"' });
const DENIED = status({ allowed: false, reason: 'access denied' });

function fixture(answer: (spec: Record<string, unknown>) => FakeAnswer, maxEntries = 100, basePath = '') {
  const time = { now: 0 };
  const upstream = fakeReviewer(answer);
  const reviewer = createReviewer({ upstream, basePath, allowTTL: 300, denyTTL: 5, maxEntries, clock: () => time.now });
  return { time, upstream, reviewer };
}

const jane = identity('jane', ['team', 'system:authenticated'], 'u1', {
  'authentication.kcp.io/scopes': ['cluster:a'],
  'authorization.kcp.io/warrant': ['{"user":"joe"}'],
});
const resource = {
  group: 'tenancy.kcp.io',
  version: 'v1alpha1',
  resource: 'workspacetypes',
  subresource: '',
  verb: 'initialize',
  name: 'universal',
};
const initialize = (user = jane): ReviewAttributes => ({ user, resource });

const refusal = (code: number) => expect.objectContaining({ code });

describe('an access review', () => {
  it('asks the logical cluster with the identity unchanged', async () => {
    const { upstream, reviewer } = fixture(() => ALLOWED, 100, '/base/');
    const reason = 'RBAC: allowed by ClusterRoleBinding "x"';
    expect(await reviewer.review('root:org', initialize())).toEqual({ allowed: true, reason });
    const { subresource: _, ...resourceAttributes } = resource;
    expect(upstream.requests).toEqual([
      {
        method: 'POST',
        path: '/base/clusters/root:org/apis/authorization.k8s.io/v1/subjectaccessreviews',
        body: {
          kind: 'SubjectAccessReview',
          apiVersion: 'authorization.k8s.io/v1',
          spec: { user: 'jane', uid: 'u1', groups: jane.groups, extra: jane.extra, resourceAttributes },
        },
      },
    ]);
  });

  it('may be deep, which a shard believes from masters only', async () => {
    const headers: unknown[] = [];
    const upstream = fakeReviewer(() => ALLOWED);
    const dispatch: typeof upstream.dispatch = (request, handler) => {
      headers.push(request.headers.join());
      return upstream.dispatch(request, handler);
    };
    for (const deep of [true, false]) {
      const reviewer = createReviewer({ upstream: { ...upstream, dispatch }, basePath: '', allowTTL: 1, denyTTL: 1, deep });
      await reviewer.review('root', initialize());
    }
    const header = 'X-Kcp-Internal-Deep-SubjectAccessReview,true';
    expect(headers).toEqual([expect.stringContaining(header), expect.not.stringContaining(header)]);
  });

  it('may be about a path', async () => {
    const { upstream, reviewer } = fixture(() => DENIED);
    await reviewer.review('root', { user: identity('joe', []), nonResource: { path: '/metrics', verb: 'get' } });
    const nonResourceAttributes = { path: '/metrics', verb: 'get' };
    expect(upstream.requests[0]?.body.spec).toEqual({ user: 'joe', groups: [], extra: {}, nonResourceAttributes });
  });

  it.each<[string, FakeAnswer, string]>([
    ['says no', DENIED, 'access denied'],
    ['says no without a reason', status({ allowed: false }), 'access denied'],
    ['could not evaluate', status({ allowed: false, reason: 'no', evaluationError: 'role gone' }), 'no: role gone'],
    ['denies what another authorizer allows', status({ allowed: true, denied: true, reason: 'blocked' }), 'blocked'],
    ['may not be asked', { code: 403, body: { message: 'User "kcp-vw" cannot create' } }, 'access cannot be reviewed'],
    ['does not exist', { code: 404, body: {} }, 'access cannot be reviewed'],
  ])('is a refusal when the authorizer %s', async (_, answer, reason) => {
    const review = await fixture(() => answer).reviewer.review('root', initialize());
    expect(review).toEqual({ allowed: false, reason: expect.stringContaining(reason) });
  });

  it('tells neither our own user nor whether the logical cluster exists', async () => {
    const ask = (code: number) =>
      fixture(() => ({ code, body: { message: `${code} kcp-vw` } })).reviewer.review('root', initialize());
    expect(await ask(403)).toEqual(await ask(404));
  });

  it.each([
    'unreachable',
    'untrusted',
    'reset',
    'timeout',
    'busy',
    { code: 500, body: {} },
    { code: 429, body: {} },
  ] as FakeAnswer[])('is 503 when it could not be made, never an answer: %j', async answer => {
    await expect(fixture(() => answer).reviewer.review('root', initialize())).rejects.toEqual(refusal(503));
  });

  it('does not show addresses to the caller', async () => {
    const review = fixture(() => 'unreachable').reviewer.review('root', initialize());
    await expect(review).rejects.toThrow('the SubjectAccessReview could not be made: the reviewer cannot be reached');
  });

  it.each<FakeAnswer>([
    { code: 201, body: {} },
    { code: 200, body: [] },
    status({}),
    status({ allowed: 'true' }),
    status({ allowed: 1 }),
    { code: 302, body: { status: { allowed: true } } },
    { code: 400, body: { status: { allowed: true } } },
    { code: 401, body: {} },
  ])('is 500 when the answer decides nothing: %j', async answer => {
    await expect(fixture(() => answer).reviewer.review('root', initialize())).rejects.toEqual(refusal(500));
  });

  // A name with a slash or dots would send the review, with our credentials, to another URL.
  it.each(['..', '*', '', 'a/../../services', 'root:', 'a%2fb', 'ROOT', 'a?b', 'a b'])(
    'is refused unasked for what is no logical cluster: %j',
    async cluster => {
      const { upstream, reviewer } = fixture(() => ALLOWED);
      expect(await reviewer.review(cluster, initialize())).toMatchObject({ allowed: false });
      expect(upstream.requests).toHaveLength(0);
    },
  );
});

describe('reviews that are kept', () => {
  it('are believed as long as their kind', async () => {
    const { time, upstream, reviewer } = fixture(({ user }) => (user === 'jane' ? ALLOWED : DENIED));
    const ask = () =>
      Promise.all([reviewer.review('root', initialize()), reviewer.review('root', initialize(identity('joe', [])))]);
    await ask();
    time.now = 4_999;
    await ask();
    expect(upstream.requests).toHaveLength(2);
    time.now = 5_000;
    await ask();
    expect(upstream.requests.map(({ body }) => body.spec.user)).toEqual(['jane', 'joe', 'joe']);
    time.now = 299_999;
    expect((await ask()).map(({ allowed }) => allowed)).toEqual([true, false]);
    expect(upstream.requests.map(({ body }) => body.spec.user)).toEqual(['jane', 'joe', 'joe', 'joe']);
    time.now = 300_000;
    await ask();
    expect(upstream.requests.filter(({ body }) => body.spec.user === 'jane')).toHaveLength(2);
  });

  it('are not those that failed', async () => {
    const answers: FakeAnswer[] = ['reset', status({}), ALLOWED];
    const { reviewer } = fixture(() => answers.shift() ?? DENIED);
    await expect(reviewer.review('root', initialize())).rejects.toEqual(refusal(503));
    await expect(reviewer.review('root', initialize())).rejects.toEqual(refusal(500));
    expect(await reviewer.review('root', initialize())).toMatchObject({ allowed: true });
  });

  it('are shared by identical questions, in whatever order their fields were set', async () => {
    const { upstream, reviewer } = fixture(() => ALLOWED);
    const reversed = Object.fromEntries(Object.entries(jane.extra).reverse());
    const same: ReviewAttributes = {
      resource: {
        name: 'universal',
        verb: 'initialize',
        resource: 'workspacetypes',
        version: 'v1alpha1',
        group: 'tenancy.kcp.io',
      },
      user: identity('jane', jane.groups, 'u1', reversed),
    };
    await Promise.all([reviewer.review('root', initialize()), reviewer.review('root', same)]);
    await reviewer.review('root', same);
    expect(upstream.requests).toHaveLength(1);
    expect(reviewer.stats()).toEqual({ hits: 2, misses: 1, size: 1 });
  });

  it('are never shared by questions that differ in anything', async () => {
    const { upstream, reviewer } = fixture(() => DENIED);
    const { name, groups, uid, extra } = jane;
    const users = [
      jane,
      identity('joe', groups, uid, extra),
      identity(name, ['team,system:authenticated'], uid, extra),
      identity(name, groups, 'u2', extra),
      identity(name, groups, uid, { ...extra, 'authentication.kcp.io/scopes': ['cluster:b'] }),
      identity(name, groups, uid, {}),
    ];
    const questions: ReviewAttributes[] = [
      ...users.map(initialize),
      { user: jane, resource: { ...resource, verb: 'terminate' } },
      { user: jane, resource: { ...resource, name: 'other' } },
      { user: jane, resource: { ...resource, namespace: 'default' } },
      { user: jane, resource: { ...resource, subresource: 'status' } },
      { user: jane, nonResource: { path: '/a', verb: 'get' } },
      { user: jane, nonResource: { path: '/b', verb: 'get' } },
    ];
    for (const question of questions) await reviewer.review('root', question);
    await reviewer.review('root:org', initialize());
    expect(upstream.requests).toHaveLength(questions.length + 1);
    expect(reviewer.stats()).toMatchObject({ hits: 0, misses: questions.length + 1 });
  });

  it('are bounded', async () => {
    const { reviewer } = fixture(() => ALLOWED, 3);
    for (let i = 0; i < 10; i++) await reviewer.review('root', initialize(identity(`user-${i}`, [])));
    expect(reviewer.stats()).toEqual({ hits: 0, misses: 10, size: 3 });
  });
});
