import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import type { Peer } from '../listener/exchange.ts';
import { type AuthenticatorOptions, createAuthenticator } from './authenticate.ts';
import { type FakeAnswer, fakeReviewer } from './fake-reviewer.ts';
import { type Identity, identity } from './identity.ts';
import { createTokenReviewer } from './token-review.ts';

const authority = createAuthority({ commonName: 'ca' });
const certificate = (commonName: string, organizations: string[] = []): X509Certificate =>
  new X509Certificate(authority.issue({ commonName, organizations, usage: 'client' }).certPem);
const proxy = certificate('kcp-front-proxy');
const shard = certificate('kcp-shard-0', ['system:masters', 'a']);

const REQUEST_HEADER = {
  allowedNames: ['kcp-front-proxy'],
  usernameHeaders: ['X-Remote-User'],
  groupHeaders: ['X-Remote-Group'],
  uidHeaders: ['X-Remote-Uid'],
  extraHeaderPrefixes: ['X-Remote-Extra-'],
};
const CLUSTER = 'authentication.kcp.io/cluster-name';
const WARRANT = 'authorization.kcp.io/warrant';
const SCOPES = 'authentication.kcp.io/scopes';
const BUILDER = 'system:serviceaccount:default:builder';
const PRIVILEGED = [
  'system:masters',
  'system:kcp:logical-cluster-admin',
  'system:kcp:initializer:root:universal',
  'system:kcp:terminator:root:universal',
];

/** Each user of `users` has a token, which is his name. */
function fixture(users: readonly Identity[] = [], changes: Partial<AuthenticatorOptions> = {}) {
  const authenticate = createAuthenticator({
    requestHeader: REQUEST_HEADER,
    face: 'public',
    tokenAuthenticators: [{ authenticate: async token => users.find(({ name }) => name === token) }],
    ...changes,
  });
  return {
    ask: (headers: readonly string[], peer: Partial<Peer> = {}) => authenticate(headers, { address: '::1', ...peer }),
    token: (name: string) => authenticate(['Authorization', `Bearer ${name}`], { address: '::1' }),
  };
}

const headersOf = ({ name, groups, extra }: Identity): string[] => [
  ...['X-Remote-User', name],
  ...groups.flatMap(group => ['X-Remote-Group', group]),
  ...Object.entries(extra).flatMap(([key, values]) =>
    values.flatMap(value => [`X-Remote-Extra-${encodeURIComponent(key)}`, value]),
  ),
];
const byProxy = { requestHeaderCertificate: proxy };
const refusal = (code: number) => expect.objectContaining({ code });

describe('the groups of a caller of the public face', () => {
  const jane = identity('jane', [...PRIVILEGED, 'team']);

  it('are without the four that shards believe, however the caller came', async () => {
    const expected = { name: 'jane', groups: ['team', 'system:authenticated'] };
    expect(await fixture([jane]).token('jane')).toMatchObject({ ...expected, method: 'token' });
    expect(await fixture().ask(headersOf(jane), byProxy)).toMatchObject({ ...expected, method: 'request-header' });
    const peer = { clientCertificate: certificate('jane', [...PRIVILEGED, 'team']) };
    expect(await fixture().ask([], peer)).toMatchObject({ ...expected, method: 'certificate' });
  });

  it('stay without them when a flag wants to pass them on', async () => {
    const groups = { dropGroups: ['other'], passOnGroups: ['system:*', 'team'] };
    expect((await fixture([jane], { groups }).token('jane')).groups).toEqual(['team', 'system:authenticated']);
  });

  it('hold system:authenticated, also when no flag passes it on', async () => {
    const groups = { dropGroups: ['system:*'], passOnGroups: ['team'] };
    expect((await fixture([jane], { groups }).token('jane')).groups).toEqual(['team', 'system:authenticated']);
  });

  it('of nobody are those of nobody', async () => {
    expect(await fixture().ask([])).toMatchObject({ name: 'system:anonymous', groups: ['system:unauthenticated'] });
  });
});

describe('impersonation on the public face', () => {
  // GHSA-c7xh-gjv4-4jgv: the groups were checked on another hop than the one that applied them.
  it.each<[string, readonly string[], Partial<Peer>]>([
    ["a shard's certificate", [], { clientCertificate: shard }],
    ['a trusted proxy', headersOf(identity('jane', ['system:masters'])), byProxy],
    ['a token', ['Authorization', 'Bearer admin'], {}],
    ['nobody', [], {}],
  ])('is refused with 403 to %s', async (_, headers, peer) => {
    const { ask } = fixture([identity('admin', ['system:masters'])], { shardClientNames: ['kcp-shard-0'] });
    for (const asked of [
      ['Impersonate-User', 'joe'],
      ['impersonate-group', 'system:masters'],
      ['Impersonate-Extra-a', 'b'],
    ]) {
      await expect(ask([...headers, ...asked], peer)).rejects.toEqual(refusal(403));
    }
  });
});

describe('a service account on the public face', () => {
  const builder = (extra: Identity['extra']): Identity => identity(BUILDER, ['system:serviceaccounts'], 'u1', extra);

  it('brings exactly one logical cluster', async () => {
    const known = builder({ [CLUSTER]: ['1abc'], [SCOPES]: ['cluster:1abc'] });
    expect(await fixture([known]).token(BUILDER)).toMatchObject({ name: BUILDER, extra: known.extra });
    expect(await fixture().ask(headersOf(known), byProxy)).toMatchObject({ name: BUILDER, extra: known.extra });
  });

  // Without one kcp takes the account for a local one of every workspace, with two for one of both.
  it.each<[string, Identity['extra']]>([
    ['none', {}],
    ['an empty list', { [CLUSTER]: [] }],
    ['two', { [CLUSTER]: ['1abc', '2abc'] }],
    ['the same one twice', { [CLUSTER]: ['1abc', '1abc'] }],
    ['a second one under another spelling', { [CLUSTER]: ['1abc'], 'Authentication.kcp.io/Cluster-Name': ['2abc'] }],
    ['a path', { [CLUSTER]: ['../services/x'] }],
    ['one of the system', { [CLUSTER]: ['system:admin'] }],
    ['an empty one', { [CLUSTER]: [''] }],
  ])('with %s is refused with 401, by a token and by a proxy', async (_, extra) => {
    await expect(fixture([builder(extra)]).token(BUILDER)).rejects.toEqual(refusal(401));
    await expect(fixture().ask(headersOf(builder(extra)), byProxy)).rejects.toEqual(refusal(401));
  });

  // A reviewer's answer, where keys are as they are; those of headers are lower-cased.
  it('with one under another spelling only is refused with 401', async () => {
    const known = builder({ 'authentication.kcp.io/CLUSTER-NAME': ['1abc'] });
    await expect(fixture([known]).token(BUILDER)).rejects.toEqual(refusal(401));
  });

  it('is nobody that a certificate can be', async () => {
    const peer = { clientCertificate: certificate(BUILDER) };
    await expect(fixture().ask([], peer)).rejects.toEqual(refusal(401));
  });
});

describe('the extra of a user of the public face', () => {
  const extra = { [CLUSTER]: ['1abc'], [WARRANT]: ['{"user":"admin"}'], [SCOPES]: ['cluster:1abc'], other: ['x'] };

  // A warrant has the rights of the user it names: a token that could bring one would be anybody.
  it('holds no warrant and no logical cluster by a token', async () => {
    const jane = identity('jane', [], '', { ...extra, 'Authorization.KCP.io/warrant': ['{}'] });
    expect((await fixture([jane]).token('jane')).extra).toEqual({ [SCOPES]: ['cluster:1abc'], other: ['x'] });
  });

  it('holds no warrant of a service account either', async () => {
    const builder = identity(BUILDER, [], '', extra);
    const { [WARRANT]: _, ...kept } = extra;
    expect((await fixture([builder]).token(BUILDER)).extra).toEqual(kept);
  });

  it('holds no warrant that a reviewer has let through', async () => {
    const answer: FakeAnswer = { code: 201, body: { status: { authenticated: true, user: { username: 'jane', extra } } } };
    const tokenReviewer = createTokenReviewer({ upstream: fakeReviewer(() => answer), basePath: '' });
    const { token } = fixture([], { tokenReviewer });
    expect((await token('jane')).extra).toEqual({ [SCOPES]: ['cluster:1abc'], other: ['x'] });
  });

  it('is that of a trusted proxy, which is how shards send their callers on', async () => {
    expect((await fixture().ask(headersOf(identity('jane', [], '', extra)), byProxy)).extra).toEqual(extra);
  });

  it('is nothing that a client says of itself', async () => {
    const forged = headersOf(identity('admin', ['system:masters'], '', extra));
    const { ask } = fixture([identity('jane', [])]);
    expect(await ask([...forged, 'Authorization', 'Bearer jane'])).toEqual(await ask(['Authorization', 'Bearer jane']));
    const peer = { clientCertificate: certificate('joe') };
    expect(await ask(forged, peer)).toEqual(await ask([], peer));
  });
});

describe('the order on the public face', () => {
  // One authority for both: whoever may choose his name could choose a proxy's.
  it('has a certificate of a client before request headers, also under the name of a proxy', async () => {
    const peer = { clientCertificate: proxy, requestHeaderCertificate: proxy };
    const caller = await fixture().ask(headersOf(identity('admin', ['team'])), peer);
    expect(caller).toMatchObject({ name: 'kcp-front-proxy', method: 'certificate', groups: ['system:authenticated'] });
  });

  it('refuses a certificate for proxies with another name', async () => {
    const peer = { requestHeaderCertificate: certificate('someone-else') };
    await expect(fixture().ask(headersOf(identity('admin', [])), peer)).rejects.toEqual(refusal(401));
  });

  it('asks the reviewer when nobody else knows the token', async () => {
    const tokenReviewer = { review: async (token: string) => identity(`reviewed-${token}`, []) };
    const { token } = fixture([identity('jane', [])], { tokenReviewer });
    expect([(await token('jane')).name, (await token('joe')).name]).toEqual(['jane', 'reviewed-joe']);
  });

  it('ends with 401 for a token that nobody knows', async () => {
    await expect(fixture().token('nobody')).rejects.toEqual(refusal(401));
  });
});

describe('a user whose name would not arrive', () => {
  it.each(['jane\r\nX-Remote-Group: system:masters', 'jane\n', 'jane ', 'ja\0ne'])('is refused with 401: %j', async name => {
    const authenticator = { authenticate: async () => identity(name, []) };
    await expect(fixture([], { tokenAuthenticators: [authenticator] }).token('x')).rejects.toEqual(refusal(401));
  });
});

describe('the same user', () => {
  it('is another caller on the other face', async () => {
    const jane = identity('jane', ['system:masters']);
    const onServices = createAuthenticator({
      requestHeader: REQUEST_HEADER,
      tokenAuthenticators: [{ authenticate: async () => jane }],
    });
    const services = await onServices(['Authorization', 'Bearer x'], { address: '::1' });
    const atPublic = await fixture([jane]).token('jane');
    expect([services.groups, atPublic.groups]).toEqual([['system:masters', 'system:authenticated'], ['system:authenticated']]);
  });
});
