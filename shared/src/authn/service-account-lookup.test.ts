import { describe, expect, it } from '@jest/globals';
import { serviceUnavailable } from '../kube/errors.ts';
import { type FakeResponse, fakeUpstream } from '../testing/fake-upstream.ts';
import type { UpstreamFailure } from '../upstream/upstream.ts';
import type { ServiceAccountClaims } from './service-account-claims.ts';
import { createServiceAccountLookup } from './service-account-lookup.ts';

const ACCOUNT = '/clusters/1abc/api/v1/namespaces/default/serviceaccounts/builder';
const SECRET = '/clusters/1abc/api/v1/namespaces/default/secrets/s';
const POD = '/clusters/1abc/api/v1/namespaces/default/pods/p';
const NODE = '/clusters/1abc/api/v1/nodes/n';
const CLAIMS: ServiceAccountClaims = {
  cluster: '1abc',
  namespace: 'default',
  account: { name: 'builder', uid: 'u1' },
  tokenID: '',
};
const LEGACY: ServiceAccountClaims = { ...CLAIMS, legacySecret: 's' };

type Answers = Record<string, FakeResponse | UpstreamFailure>;
const object = (uid: string, metadata: object = {}, rest: object = {}): FakeResponse => ({
  body: { metadata: { uid, ...metadata }, ...rest },
});
const holding = (token: string, metadata: object = {}): FakeResponse =>
  object('su', metadata, { data: { token: Buffer.from(token).toString('base64') } });

function fixture(answers: Answers) {
  const time = { now: 0 };
  const shard = fakeUpstream(({ path }) => answers[path] ?? { status: 404, body: { kind: 'Status' } });
  const lookup = createServiceAccountLookup({
    shards: { of: async cluster => (cluster === '1abc' ? shard : undefined) },
    clock: () => time.now,
  });
  return { time, answers, paths: () => shard.requests.map(({ path }) => path), check: lookup.check };
}
const refusal = (code: number) => expect.objectContaining({ code });
const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

describe('the account of a bound token', () => {
  it('is looked for where it lives, and remembered for 10 seconds', async () => {
    const { time, paths, check } = fixture({ [ACCOUNT]: object('u1') });
    await check(CLAIMS, 't');
    time.now = 9_999;
    await check(CLAIMS, 't2');
    expect(paths()).toEqual([ACCOUNT]);
    time.now = 10_000;
    await check(CLAIMS, 't');
    expect(paths()).toHaveLength(2);
  });

  it('that has been deleted is refused with 401 when it is not remembered any more', async () => {
    const { time, answers, check } = fixture({ [ACCOUNT]: object('u1') });
    await check(CLAIMS, 't');
    delete answers[ACCOUNT];
    time.now = 10_000;
    await expect(check(CLAIMS, 't')).rejects.toEqual(refusal(401));
  });

  it('is another one when its UID is, and each of them is asked for itself', async () => {
    const { answers, check } = fixture({ [ACCOUNT]: object('u1') });
    await check(CLAIMS, 't');
    answers[ACCOUNT] = object('u2');
    await expect(check({ ...CLAIMS, account: { name: 'builder', uid: 'u3' } }, 't')).rejects.toEqual(refusal(401));
    await check({ ...CLAIMS, account: { name: 'builder', uid: 'u2' } }, 't');
  });

  it('counts for a minute after its deletion has begun, as in Kubernetes', async () => {
    await fixture({ [ACCOUNT]: object('u1', { deletionTimestamp: ago(30) }) }).check(CLAIMS, 't');
    for (const deletionTimestamp of [ago(90), 'nonsense']) {
      const { check } = fixture({ [ACCOUNT]: object('u1', { deletionTimestamp }) });
      await expect(check(CLAIMS, 't')).rejects.toEqual(refusal(401));
    }
  });

  it('of a logical cluster that is nowhere is refused with 401', async () => {
    const { check, paths } = fixture({ [ACCOUNT]: object('u1') });
    await expect(check({ ...CLAIMS, cluster: '2abc' }, 't')).rejects.toEqual(refusal(401));
    expect(paths()).toEqual([]);
  });

  it.each<[string, Partial<ServiceAccountClaims>, string]>([
    ['Secret', { secret: { name: 's', uid: 'x' } }, SECRET],
    ['pod', { pod: { name: 'p', uid: 'x' }, node: { name: 'n', uid: 'y' } }, POD],
    ['node', { node: { name: 'n', uid: 'x' } }, NODE],
  ])('counts as long as the %s that the token is bound to', async (_, reference, path) => {
    const claims = { ...CLAIMS, ...reference };
    await fixture({ [ACCOUNT]: object('u1'), [path]: object('x') }).check(claims, 't');
    for (const other of [undefined, object('z'), object('x', { deletionTimestamp: ago(90) })]) {
      const { check } = fixture({ [ACCOUNT]: object('u1'), ...(other && { [path]: other }) });
      await expect(check(claims, 't')).rejects.toEqual(refusal(401));
    }
  });
});

describe('a shard that cannot tell', () => {
  it.each<[FakeResponse | UpstreamFailure, number]>([
    ['unreachable', 503],
    ['timeout', 503],
    ['reset', 503],
    [{ status: 500, body: {} }, 503],
    [{ status: 429, body: {} }, 503],
    [{ status: 200, body: [] }, 503],
    [{ status: 401, body: {} }, 500],
    [{ status: 403, body: {} }, 500],
  ])('%j is %i and not 401, and not remembered', async (answer, code) => {
    const { answers, check } = fixture({ [ACCOUNT]: answer });
    await expect(check(CLAIMS, 't')).rejects.toEqual(refusal(code));
    answers[ACCOUNT] = object('u1');
    await check(CLAIMS, 't');
  });

  it('is 503 when nobody knows which shard it is', async () => {
    const lookup = createServiceAccountLookup({ shards: { of: () => Promise.reject(serviceUnavailable('down')) } });
    await expect(lookup.check(CLAIMS, 't')).rejects.toEqual(refusal(503));
  });
});

describe('the Secret of a legacy token', () => {
  it('has to hold it', async () => {
    const { paths, check } = fixture({ [ACCOUNT]: object('u1'), [SECRET]: holding('the-token') });
    await check(LEGACY, 'the-token');
    expect(paths()).toEqual([SECRET, ACCOUNT]);
    await expect(check(LEGACY, 'an-older-token')).rejects.toEqual(refusal(401));
  });

  it.each<[string, Answers]>([
    ['is gone', { [ACCOUNT]: object('u1') }],
    ['is being deleted', { [ACCOUNT]: object('u1'), [SECRET]: holding('t', { deletionTimestamp: ago(1) }) }],
    ['holds nothing', { [ACCOUNT]: object('u1'), [SECRET]: object('su') }],
    [
      'is marked as invalid',
      {
        [ACCOUNT]: object('u1'),
        [SECRET]: holding('t', { labels: { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' } }),
      },
    ],
    ['is there without its account', { [SECRET]: holding('t') }],
    ['is of an account of the same name', { [ACCOUNT]: object('u2'), [SECRET]: holding('t') }],
    [
      'is of an account that is being deleted',
      { [ACCOUNT]: object('u1', { deletionTimestamp: ago(1) }), [SECRET]: holding('t') },
    ],
  ])('that %s makes it 401', async (_, answers) => {
    await expect(fixture(answers).check(LEGACY, 't')).rejects.toEqual(refusal(401));
  });
});
