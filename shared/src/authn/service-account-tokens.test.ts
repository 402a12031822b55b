import { createHash, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { unauthorized } from '../kube/errors.ts';
import { sign } from './issuer.fixture.ts';
import type { ServiceAccountClaims } from './service-account-claims.ts';
import { createServiceAccountTokens } from './service-account-tokens.ts';
import type { SigningKey } from './signing-keys.ts';

/** A key as a shard has it: its id is derived from it. */
function shardKey(algorithm = 'ES256', namedCurve = 'P-256') {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
  const id = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  return { id, algorithm, privateKey, signing: { id, algorithm, key: publicKey } satisfies SigningKey };
}

const first = shardKey();
const second = shardKey('ES384', 'P-384');
const stranger = shardKey();

const looked: (readonly [ServiceAccountClaims, string])[] = [];
let gone = false;
afterEach(() => {
  looked.length = 0;
  gone = false;
});

function fixture() {
  const keys = [first.signing, second.signing];
  return createServiceAccountTokens({
    accounts: { issuers: ['https://kcp.default.svc', 'https://old.example'], audiences: ['https://kcp.default.svc', 'kcp'] },
    keys: { of: id => keys.filter(key => id === undefined || key.id === id) },
    lookup: {
      async check(claims, token) {
        looked.push([claims, token]);
        if (gone) throw unauthorized();
      },
    },
  });
}

const now = (): number => Math.floor(Date.now() / 1000);
const KUBERNETES = {
  clusterName: '1abc',
  namespace: 'default',
  serviceaccount: { name: 'builder', uid: 'u1' },
};
const bound = (changes: object = {}, kubernetes: object = {}): object => ({
  iss: 'https://kcp.default.svc',
  sub: 'system:serviceaccount:default:builder',
  aud: ['https://kcp.default.svc'],
  exp: now() + 600,
  nbf: now(),
  jti: 'id-1',
  'kubernetes.io': { ...KUBERNETES, ...kubernetes },
  ...changes,
});
const LEGACY = 'kubernetes.io/serviceaccount/';
const legacy = (changes: object = {}): object => ({
  iss: 'kubernetes/serviceaccount',
  sub: 'system:serviceaccount:default:builder',
  [`${LEGACY}clusterName`]: '1abc',
  [`${LEGACY}namespace`]: 'default',
  [`${LEGACY}service-account.name`]: 'builder',
  [`${LEGACY}service-account.uid`]: 'u1',
  [`${LEGACY}secret.name`]: 'builder-token',
  ...changes,
});
const refusal = (code: number) => expect.objectContaining({ code });
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a bound token of a service account', () => {
  it('is the account, kept to its logical cluster as kcp keeps it', async () => {
    const token = await sign(first, bound());
    expect(await fixture().authenticate(token)).toEqual({
      name: 'system:serviceaccount:default:builder',
      uid: 'u1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default'],
      extra: {
        'authentication.kcp.io/cluster-name': ['1abc'],
        'authentication.kcp.io/scopes': ['cluster:1abc'],
        'authentication.kubernetes.io/credential-id': ['JTI=id-1'],
      },
    });
    expect(looked).toEqual([[expect.objectContaining({ cluster: '1abc', account: { name: 'builder', uid: 'u1' } }), token]]);
  });

  it('says which pod it was given to, and on which node that runs', async () => {
    const user = await fixture().authenticate(
      await sign(first, bound({ jti: undefined }, { pod: { name: 'p', uid: 'pu' }, node: { name: 'n', uid: 'nu' } })),
    );
    expect(user?.extra).toEqual({
      'authentication.kcp.io/cluster-name': ['1abc'],
      'authentication.kcp.io/scopes': ['cluster:1abc'],
      'authentication.kubernetes.io/pod-name': ['p'],
      'authentication.kubernetes.io/pod-uid': ['pu'],
      'authentication.kubernetes.io/node-name': ['n'],
      'authentication.kubernetes.io/node-uid': ['nu'],
    });
  });

  it('may be signed by any of the keys, of any of the issuers, for any of the audiences', async () => {
    const token = await sign(second, bound({ iss: 'https://old.example', aud: ['other', 'kcp'] }));
    expect(await fixture().authenticate(token)).toMatchObject({ uid: 'u1' });
    expect(await fixture().authenticate(await sign(second, bound(), { kid: undefined }))).toMatchObject({ uid: 'u1' });
  });

  it('is looked up each time, also while its signature is believed', async () => {
    const tokens = fixture();
    const token = await sign(first, bound());
    expect(await tokens.authenticate(token)).toBe(await tokens.authenticate(token));
    expect(looked).toHaveLength(2);
    gone = true;
    await expect(tokens.authenticate(token)).rejects.toEqual(refusal(401));
  });

  it.each<[string, object, object]>([
    ['another audience', { aud: ['other'] }, {}],
    ['no audience', { aud: undefined }, {}],
    ['an end in the past', { exp: now() - 120 }, {}],
    ['no end', { exp: undefined }, {}],
    ['a beginning in the future', { nbf: now() + 300 }, {}],
    ['the subject of another account', { sub: 'system:serviceaccount:default:admin' }, {}],
    ['no claims of Kubernetes', { 'kubernetes.io': undefined }, {}],
    ['no account', {}, { serviceaccount: undefined }],
    ['no UID', {}, { serviceaccount: { name: 'builder' } }],
    ['no logical cluster', {}, { clusterName: undefined }],
    ['a secret without a UID', {}, { secret: { name: 's' } }],
    ['a pod that is a text', {}, { pod: 'p' }],
  ])('with %s is refused with 401 and not looked up', async (_, changes, kubernetes) => {
    await expect(fixture().authenticate(await sign(first, bound(changes, kubernetes)))).rejects.toEqual(refusal(401));
    expect(looked).toEqual([]);
  });

  // What becomes part of a path on a shard, behind which masters' credentials are.
  it.each<[string, object]>([
    ['../services/apiexport', {}],
    ['1abc/../../x', {}],
    ['*', {}],
    ['system:admin', {}],
    ['root:org', {}],
    ['1%2fabc', {}],
    ['1abc?x', {}],
    ['', {}],
    ['1abc', { namespace: '../../clusters/x' }],
    ['1abc', { namespace: 'a/b' }],
    ['1abc', { serviceaccount: { name: '../secrets/x', uid: 'u1' } }],
    ['1abc', { serviceaccount: { name: 'a/token', uid: 'u1' } }],
    ['1abc', { secret: { name: '..', uid: 'u' } }],
    ['1abc', { pod: { name: 'p?x', uid: 'u' } }],
  ])('of a cluster %j with %j is no name, and refused with 401', async (clusterName, changes) => {
    const kubernetes = { ...KUBERNETES, clusterName, ...changes };
    const sub = `system:serviceaccount:${kubernetes.namespace}:${kubernetes.serviceaccount.name}`;
    await expect(fixture().authenticate(await sign(first, bound({ sub }, kubernetes)))).rejects.toEqual(refusal(401));
    expect(looked).toEqual([]);
  });

  it('of another issuer, or of a key that we were not given, is left to others', async () => {
    expect(await fixture().authenticate(await sign(first, bound({ iss: 'https://other' })))).toBeUndefined();
    expect(await fixture().authenticate(await sign(stranger, bound()))).toBeUndefined();
    expect(await fixture().authenticate('opaque')).toBeUndefined();
  });

  it('that another key has signed under the id of ours, or under none, is refused with 401', async () => {
    for (const kid of [first.id, undefined]) {
      await expect(fixture().authenticate(await sign(stranger, bound(), { kid }))).rejects.toEqual(refusal(401));
    }
  });

  it('that says itself that it needs no signature is refused with 401', async () => {
    const token = `${base64({ alg: 'none', kid: first.id })}.${base64(bound())}.`;
    await expect(fixture().authenticate(token)).rejects.toEqual(refusal(401));
  });
});

describe('a legacy token of a service account', () => {
  it('has neither end nor audience, and is the account', async () => {
    const token = await sign(first, legacy());
    expect(await fixture().authenticate(token)).toEqual({
      name: 'system:serviceaccount:default:builder',
      uid: 'u1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default'],
      extra: { 'authentication.kcp.io/cluster-name': ['1abc'], 'authentication.kcp.io/scopes': ['cluster:1abc'] },
    });
    expect(looked).toEqual([[expect.objectContaining({ legacySecret: 'builder-token' }), token]]);
  });

  it.each<[string, object]>([
    ['an audience that is another', { aud: 'other' }],
    ['an end in the past', { exp: now() - 120 }],
    ['no secret', { [`${LEGACY}secret.name`]: undefined }],
    ['a secret that is a path', { [`${LEGACY}secret.name`]: '../x' }],
    ['no UID', { [`${LEGACY}service-account.uid`]: '' }],
    ['no logical cluster', { [`${LEGACY}clusterName`]: undefined }],
    ['the claims of a bound token only', { [`${LEGACY}clusterName`]: undefined, 'kubernetes.io': KUBERNETES }],
    ['another subject', { sub: 'system:serviceaccount:default:admin' }],
  ])('with %s is refused with 401', async (_, changes) => {
    await expect(fixture().authenticate(await sign(first, legacy(changes)))).rejects.toEqual(refusal(401));
    expect(looked).toEqual([]);
  });

  // Without an end and without a Secret to take it back by, it would count for ever.
  it('is never what a token of another issuer passes for', async () => {
    const token = await sign(first, { ...legacy(), iss: 'https://kcp.default.svc', aud: 'kcp' });
    await expect(fixture().authenticate(token)).rejects.toEqual(refusal(401));
  });
});

// CVE-2019-11250, CVE-2020-8565: tokens in logs of errors.
describe('a token that is refused', () => {
  it('is shown nowhere', async () => {
    const tokens = [
      await sign(first, bound({ aud: 'canary' })),
      await sign(first, legacy({ sub: 'canary' })),
      await sign(stranger, bound({ jti: 'canary' }), { kid: first.id }),
    ];
    for (const token of tokens) {
      const refused: unknown = await fixture()
        .authenticate(token)
        .catch((error: unknown) => error);
      expect(refused).toEqual(refusal(401));
      const seen = inspect(refused, { depth: null, showHidden: true });
      for (const part of token.split('.')) expect(seen).not.toContain(part);
      expect(seen).not.toContain('canary');
    }
  });
});
