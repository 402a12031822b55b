import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { type CryptoKey, exportSPKI, importJWK } from 'jose';
import type { OidcOptions } from '../config/options.ts';
import { type Issuer, type IssuerKey, issuerKey, sign, startIssuer } from './issuer.fixture.ts';
import { createOidcAuthenticator, type OidcAuthenticator } from './oidc.ts';

let issuer: Issuer;
let first: IssuerKey;
let second: IssuerKey;
let rsa: IssuerKey;

beforeAll(async () => {
  first = await issuerKey('first');
  second = await issuerKey('second');
  rsa = await issuerKey('rsa', 'RS256');
  issuer = await startIssuer([first]);
});
afterAll(() => issuer.close());

const opened: OidcAuthenticator[] = [];
afterEach(() => {
  for (const authenticator of opened.splice(0)) authenticator.close();
  issuer.override = undefined;
  issuer.keys = [first];
  issuer.requests.length = 0;
});

function fixture(changes: Partial<OidcOptions> = {}) {
  const time = { now: 0 };
  const errors: Error[] = [];
  const authenticator = createOidcAuthenticator({
    oidc: {
      issuerUrl: issuer.url,
      clientID: 'kcp',
      usernameClaim: 'sub',
      usernamePrefix: 'oidc:',
      groupsPrefix: '',
      requiredClaims: {},
      signingAlgorithms: ['ES256', 'RS256'],
      caFile: issuer.caFile,
      ...changes,
    },
    onError: error => errors.push(error),
    clock: () => time.now,
  });
  opened.push(authenticator);
  return { time, errors, authenticate: (token: string) => authenticator.authenticate(token) };
}

const now = (): number => Math.floor(Date.now() / 1000);
const claims = (changes: object = {}): object => ({
  iss: issuer.url,
  aud: 'kcp',
  sub: 'jane',
  exp: now() + 600,
  ...changes,
});
const refusal = (code: number) => expect.objectContaining({ code });
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const countOf = (path: string): number => issuer.requests.filter(asked => asked === path).length;

describe('an ID token', () => {
  it('is its user, without any extra', async () => {
    const user = await fixture().authenticate(await sign(first, claims({ jti: 'x', 'authorization.kcp.io/warrant': ['{}'] })));
    expect(user).toEqual({ name: 'oidc:jane', uid: '', groups: [], extra: {} });
  });

  it('may be for several audiences, and signed with any of the algorithms', async () => {
    issuer.keys = [first, rsa];
    const { authenticate } = fixture();
    expect(await authenticate(await sign(rsa, claims({ aud: ['other', 'kcp'] })))).toMatchObject({ name: 'oidc:jane' });
  });

  it('of another issuer, and what is no JWT, is left to others without a question', async () => {
    const { authenticate } = fixture();
    for (const iss of ['https://other.example', `${issuer.url}/`, undefined, 7]) {
      expect(await authenticate(await sign(first, claims({ iss })))).toBeUndefined();
    }
    for (const token of ['opaque', 'a.b.c', 'a.b', `e30.${base64('x')}.`, '{"iss":"x"}']) {
      expect(await authenticate(token)).toBeUndefined();
    }
    expect(issuer.requests).toEqual([]);
  });

  it.each<[string, () => object]>([
    ['another audience', () => ({ aud: 'other' })],
    ['no audience', () => ({ aud: undefined })],
    ['an end in the past', () => ({ exp: now() - 30 })],
    ['no end', () => ({ exp: undefined })],
    ['an end that is no number', () => ({ exp: 'never' })],
    ['a beginning in the future', () => ({ nbf: now() + 300 })],
    ['no name', () => ({ sub: undefined })],
  ])('with %s is refused with 401', async (_, changes) => {
    await expect(fixture().authenticate(await sign(first, claims(changes())))).rejects.toEqual(refusal(401));
  });

  it('that begins a few seconds from now, by an issuer whose clock is fast, is taken', async () => {
    expect(await fixture().authenticate(await sign(first, claims({ nbf: now() + 5 })))).toMatchObject({ name: 'oidc:jane' });
  });

  it('is refused with 401 when one bit of it is another', async () => {
    const [header, , signature] = (await sign(first, claims())).split('.');
    const forged = `${header}.${base64(claims({ sub: 'admin' }))}.${signature}`;
    await expect(fixture().authenticate(forged)).rejects.toEqual(refusal(401));
  });

  it('is verified once while it is believed', async () => {
    const { authenticate } = fixture();
    const token = await sign(first, claims());
    expect(await authenticate(token)).toBe(await authenticate(token));
  });
});

describe('confusion about the algorithm', () => {
  // CVE-2015-9235 and many since: the token says itself that it needs no signature.
  it('with `alg: none` ends with 401', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      const token = `${base64({ alg })}.${base64(claims())}.`;
      await expect(fixture().authenticate(token)).rejects.toEqual(refusal(401));
    }
  });

  // The issuer's public key, which everybody has, taken for a shared secret.
  it('with the public key as a secret of HMAC ends with 401', async () => {
    issuer.keys = [rsa];
    const pem = await exportSPKI((await importJWK(rsa.publicJwk, 'RS256', { extractable: true })) as CryptoKey);
    const signed = `${base64({ alg: 'HS256', kid: 'rsa' })}.${base64(claims())}`;
    const token = `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
    await expect(fixture().authenticate(token)).rejects.toEqual(refusal(401));
  });

  it('with an algorithm that is not configured ends with 401, although the issuer has a key for it', async () => {
    issuer.keys = [rsa];
    await expect(fixture({ signingAlgorithms: ['ES256'] }).authenticate(await sign(rsa, claims()))).rejects.toEqual(refusal(401));
  });

  // The token brings its own key, or says where to fetch it.
  it('with a key in the header of the token ends with 401 and is fetched from nowhere', async () => {
    const header = { jwk: second.publicJwk, jku: `${issuer.url}/evil`, kid: 'second' };
    await expect(fixture().authenticate(await sign(second, claims(), header))).rejects.toEqual(refusal(401));
    expect(countOf('/evil')).toBe(0);
  });
});

describe('the keys of the issuer', () => {
  it('are not asked for before a token needs them', async () => {
    const { authenticate } = fixture();
    expect(issuer.requests).toEqual([]);
    await authenticate(await sign(first, claims()));
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  // Every token can name a key that nobody has: each would be a request to the issuer, from us.
  it('are fetched once per cooldown in a storm of unknown key ids', async () => {
    const { time, authenticate } = fixture();
    const storm = async () => {
      const tokens = await Promise.all(Array.from({ length: 50 }, (_, i) => sign(second, claims(), { kid: `made-up-${i}` })));
      const answers = await Promise.allSettled(tokens.map(authenticate));
      expect(answers.map(answer => answer.status === 'rejected' && (answer.reason as { code: number }).code)).toEqual(
        tokens.map(() => 401),
      );
    };
    await authenticate(await sign(first, claims()));
    await storm();
    await storm();
    expect(countOf('/keys')).toBe(1);
    time.now = 30_000;
    await storm();
    await storm();
    expect(countOf('/keys')).toBe(2);
  });

  it('are fetched again for a new key', async () => {
    const { time, authenticate } = fixture();
    await authenticate(await sign(first, claims()));
    issuer.keys = [first, second];
    time.now = 30_000;
    expect(await authenticate(await sign(second, claims()))).toMatchObject({ name: 'oidc:jane' });
  });

  it('are tried one after the other for a token that names none', async () => {
    issuer.keys = [first, second];
    const token = await sign(second, claims(), { kid: undefined });
    expect(await fixture().authenticate(token)).toMatchObject({ name: 'oidc:jane' });
    const foreign = await sign({ ...(await issuerKey('x')), id: 'x' }, claims(), { kid: undefined });
    await expect(fixture().authenticate(foreign)).rejects.toEqual(refusal(401));
  });
});

describe('an issuer in trouble', () => {
  it('is 503 with a time to come again, asked for after a pause only, and told', async () => {
    issuer.override = () => ({ code: 500, body: 'canary' });
    const { time, errors, authenticate } = fixture();
    for (let i = 0; i < 5; i++) {
      await expect(authenticate(await sign(first, claims({ jti: `${i}` })))).rejects.toMatchObject({
        code: 503,
        status: { details: { retryAfterSeconds: 1 } },
      });
    }
    expect(issuer.requests).toHaveLength(1);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining(`the keys of ${issuer.url} cannot be had`)]);
    issuer.override = undefined;
    time.now = 1_000;
    expect(await authenticate(await sign(first, claims()))).toMatchObject({ name: 'oidc:jane' });
  });

  it('leaves the keys that are known in force, and not for ever', async () => {
    const { time, authenticate } = fixture();
    await authenticate(await sign(first, claims()));
    issuer.override = () => ({ code: 500, body: '' });
    time.now = 59 * 60_000;
    expect(await authenticate(await sign(first, claims({ jti: 'a' })))).toMatchObject({ name: 'oidc:jane' });
    time.now = 61 * 60_000;
    await expect(authenticate(await sign(first, claims({ jti: 'b' })))).rejects.toEqual(refusal(503));
  });

  it.each<[string, (path: string) => { code?: number; headers?: Record<string, string>; body: string }]>([
    [
      'a document about another issuer',
      () => ({ body: JSON.stringify({ issuer: 'https://evil', jwks_uri: `${issuer.url}/keys` }) }),
    ],
    ['a redirect', () => ({ code: 302, headers: { location: `${issuer.url}/keys` }, body: '' })],
    ['keys over plain http', () => ({ body: JSON.stringify({ issuer: issuer.url, jwks_uri: 'http://127.0.0.1:1/keys' }) })],
    ['no place for keys', () => ({ body: JSON.stringify({ issuer: issuer.url }) })],
    ['something that is not JSON', () => ({ body: '<html>' })],
    ['a list', () => ({ body: '[]' })],
    ['more than anybody wants to read', () => ({ body: JSON.stringify({ issuer: issuer.url, x: 'x'.repeat(2 * 1024 * 1024) }) })],
  ])('that answers with %s is 503', async (_, override) => {
    issuer.override = override;
    const { errors, authenticate } = fixture();
    await expect(authenticate(await sign(first, claims()))).rejects.toEqual(refusal(503));
    expect(errors).toHaveLength(1);
    expect(countOf('/keys')).toBe(0);
  });

  it('whose certificate is of another authority is not believed', async () => {
    const { authenticate, errors } = fixture({ caFile: otherAuthority() });
    await expect(authenticate(await sign(first, claims()))).rejects.toEqual(refusal(503));
    expect([issuer.requests, errors]).toEqual([
      [],
      [expect.objectContaining({ message: expect.stringContaining('cannot be had') })],
    ]);
  });

  it('with an authority in a file that holds none is refused at the start', () => {
    const file = `${issuer.caFile}.broken`;
    writeFileSync(file, 'nothing');
    expect(() => fixture({ caFile: file })).toThrow(`${file} cannot be used`);
  });
});

// CVE-2019-11250, CVE-2020-8565.
describe('a token that is refused', () => {
  it('is shown nowhere', async () => {
    const { errors, authenticate } = fixture();
    issuer.override = () => ({ code: 500, body: '' });
    const token = await sign(first, claims({ sub: 'canary' }));
    const unavailable = await authenticate(token).catch((error: unknown) => error);
    issuer.override = undefined;
    const refused = await fixture()
      .authenticate(`${token}x`)
      .catch((error: unknown) => error);
    const seen = inspect([unavailable, refused, errors], { depth: null, showHidden: true });
    for (const part of token.split('.')) expect(seen).not.toContain(part);
  });
});

function otherAuthority(): string {
  const file = `${issuer.caFile}.other`;
  writeFileSync(file, createAuthority({ commonName: 'other' }).certPem);
  return file;
}
