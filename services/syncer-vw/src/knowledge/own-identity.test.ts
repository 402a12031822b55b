import { describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { ManualClock } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { type FakeResponse, fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import type { UpstreamFailure } from '@kcp-vw/shared/upstream/upstream.ts';
import { fakeLog, settleAll } from './knowledge.fixture.ts';
import { refuseMasters, refusePrivileged } from './own-identity.ts';

const FILE = '/etc/kubeconfig';
const REFUSAL = `kubeconfig ${FILE} is one of system:masters, with which syncer-vw does not run: give it that of a service account`;
const authority = createAuthority({ commonName: 'ca' });
const certificateOf = (organizations: readonly string[]): Buffer =>
  Buffer.from(authority.issue({ commonName: 'me', organizations, usage: 'client' }).certPem);

const me = (groups: readonly string[]): FakeResponse => ({
  status: 201,
  body: { status: { userInfo: { username: 'system:serviceaccount:syncer-vw:syncer-vw', groups } } },
});

function ask(answers: readonly (FakeResponse | UpstreamFailure)[], cert?: Buffer) {
  const upstream = fakeUpstream((_request, index) => answers[Math.min(index, answers.length - 1)] ?? 'reset');
  const clock = new ManualClock();
  const { lines, log } = fakeLog();
  const stopping = new AbortController();
  const backoff = { initial: 1000, random: () => 0 };
  const access = { file: FILE, ...(cert && { cert }) };
  const done = refusePrivileged(access, upstream, '/clusters/root:compute', { log, clock, backoff, signal: stopping.signal });
  const outcome = done.catch((error: Error) => error.message);
  return { upstream, clock, lines, outcome, stopping };
}

describe('a certificate', () => {
  test.each([[['system:masters']], [['a', 'system:masters']]])('of %j is refused without a question', async organizations => {
    const { outcome, upstream } = ask([me([])], certificateOf(organizations));
    expect([await outcome, upstream.requests.length]).toEqual([REFUSAL, 0]);
  });

  test.each([[[]], [['system:masters2']], [['a', 'b']]])('of %j is not', organizations => {
    expect(() => refuseMasters({ file: FILE, cert: certificateOf(organizations) })).not.toThrow();
  });
});

describe('who we are', () => {
  test('is asked in the workspace', async () => {
    const { outcome, upstream } = ask([me(['system:authenticated'])]);
    expect(await outcome).toEqual({ user: 'system:serviceaccount:syncer-vw:syncer-vw', groups: ['system:authenticated'] });
    expect(upstream.requests.map(({ method, path, body }) => [method, path, JSON.parse(body)])).toEqual([
      [
        'POST',
        '/clusters/root:compute/apis/authentication.k8s.io/v1/selfsubjectreviews',
        { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      ],
    ]);
  });

  test('must not be one of masters', async () => {
    expect(await ask([me(['system:authenticated', 'system:masters'])]).outcome).toBe(REFUSAL);
  });

  test.each<[string, FakeResponse | UpstreamFailure]>([
    ['cannot be reached', 'unreachable'],
    ['breaks the connection', 'reset'],
    ['starts', { status: 503, body: { message: 'starting' } }],
    ['does not have the workspace yet', { status: 403, body: { message: 'workspace access not permitted' } }],
  ])('is asked again while the server %s', async (_what, failure) => {
    const { outcome, clock, lines } = ask([failure, failure, me([])]);
    for (let i = 0; i < 4; i += 1) {
      await settleAll();
      await clock.advance(10_000);
    }
    expect(await outcome).toMatchObject({ user: 'system:serviceaccount:syncer-vw:syncer-vw' });
    expect(lines.map(({ text }) => text)).toEqual(Array(2).fill('kcp cannot be asked yet who this service is; trying again'));
  });

  test.each<[FakeResponse, string]>([
    [{ status: 401, body: { message: 'Unauthorized' } }, 'it answered 401: Unauthorized'],
    [{ status: 201, body: {} }, 'its answer names no user'],
    [{ status: 201, body: { status: { userInfo: { username: 'me', groups: [7] } } } }, 'its answer names no user'],
  ])('has to be said: %j', async (answer, why) => {
    expect(await ask([answer]).outcome).toBe(`kubeconfig ${FILE}: kcp does not say whose it is: ${why}`);
  });

  test('is not waited for any more when the service stops', async () => {
    const { outcome, stopping, upstream } = ask(['unreachable']);
    await settleAll();
    stopping.abort();
    expect(await outcome).toBe(`kubeconfig ${FILE}: nobody waits any more to know whose it is`);
    expect(upstream.requests).toHaveLength(1);
  });
});
