import { X509Certificate } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { unauthorized } from '../kube/errors.ts';
import type { Peer } from '../listener/exchange.ts';
import { createAuthenticator } from './authenticate.ts';
import { CREDENTIAL_ID_KEY } from './certificate.ts';
import { type Identity, identity } from './identity.ts';

const authority = createAuthority({ commonName: 'ca' });
const certificate = (commonName: string, organizations: string[] = []): X509Certificate =>
  new X509Certificate(authority.issue({ commonName, organizations, usage: 'client' }).certPem);
const admin = certificate('kcp-admin', ['system:kcp:admin']);
const shard = certificate('kcp-shard-0', ['system:masters']);
const proxy = certificate('kcp-front-proxy');

const REQUEST_HEADER = {
  allowedNames: ['kcp-front-proxy'],
  usernameHeaders: ['X-Remote-User'],
  groupHeaders: ['X-Remote-Group'],
  uidHeaders: ['X-Remote-Uid'],
  extraHeaderPrefixes: ['X-Remote-Extra-'],
};

function fixture(allowedNames = REQUEST_HEADER.allowedNames) {
  const review = jest.fn(async (token: string): Promise<Identity> => {
    if (token === 'user-1-token') return identity('user-1', ['team-1']);
    throw unauthorized();
  });
  const authenticate = createAuthenticator({ requestHeader: { ...REQUEST_HEADER, allowedNames }, tokenReviewer: { review } });
  return {
    review,
    authenticate: (headers: string[], peer: Partial<Peer> = {}) => authenticate(headers, { address: '::1', ...peer }),
  };
}

const refusal = (code: number) => expect.objectContaining({ code });
const FORGED = [
  'X-Remote-User',
  'admin',
  'X-Remote-Group',
  'system:masters',
  'x-ReMoTe-eXtRa-authorization.kcp.io%2fwarrant',
  '{}',
];
const TOKEN = ['Authorization', 'Bearer user-1-token'];

describe('a client certificate', () => {
  it('is its user, authenticated', async () => {
    const caller = await fixture().authenticate([], { clientCertificate: admin });
    expect(caller).toMatchObject({
      name: 'kcp-admin',
      uid: '',
      groups: ['system:kcp:admin', 'system:authenticated'],
      extra: { [CREDENTIAL_ID_KEY]: [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] },
      method: 'certificate',
    });
    expect(Object.isFrozen(caller)).toBe(true);
  });

  it('keeps system:masters: this face trusts what the binary of kcp trusts', async () => {
    expect((await fixture().authenticate([], { clientCertificate: shard })).groups).toContain('system:masters');
  });

  // The apibinder's client comes from the shard's loopback configuration: certificate and a token that only the shard knows.
  it('wins over a bearer token, which is not even looked at', async () => {
    const { review, authenticate } = fixture();
    const caller = await authenticate(['Authorization', 'Bearer loopback'], { clientCertificate: shard });
    expect(caller.name).toBe('kcp-shard-0');
    expect(review).not.toHaveBeenCalled();
  });

  it('is the identity even when X-Remote-* says another, which is not for it to say', async () => {
    const { authenticate } = fixture();
    const peer = { clientCertificate: admin };
    expect(await authenticate(FORGED, peer)).toEqual(await authenticate([], peer));
  });

  it('without a common name is no credential', async () => {
    // `/CN=` makes openssl leave the attribute out.
    const nameless = certificate('', ['system:masters']);
    expect(await fixture().authenticate([], { clientCertificate: nameless })).toMatchObject({ name: 'system:anonymous' });
    expect(await fixture().authenticate(TOKEN, { clientCertificate: nameless })).toMatchObject({ name: 'user-1' });
  });

  it('with a name that no header can carry is refused with 401', async () => {
    await expect(fixture().authenticate([], { clientCertificate: certificate('admin ') })).rejects.toEqual(refusal(401));
  });
});

describe('request headers', () => {
  const HEADERS = ['X-Remote-User', 'jane', 'X-Remote-Group', 'a,b', 'X-Remote-Extra-Scopes', 'x'];

  it('of an allowed proxy are believed, before its own certificate and any token', async () => {
    const { review, authenticate } = fixture();
    const caller = await authenticate([...HEADERS, ...TOKEN], { requestHeaderCertificate: proxy, clientCertificate: proxy });
    const jane = { name: 'jane', groups: ['a,b', 'system:authenticated'], extra: { scopes: ['x'] }, method: 'request-header' };
    expect(caller).toMatchObject(jane);
    expect(review).not.toHaveBeenCalled();
  });

  it('of any certificate of the CA are believed when no names are configured', async () => {
    expect(await fixture([]).authenticate(HEADERS, { requestHeaderCertificate: admin })).toMatchObject({ name: 'jane' });
  });

  it('of a proxy with another name are refused with 401', async () => {
    const peer = { requestHeaderCertificate: certificate('someone-else') };
    await expect(fixture().authenticate(HEADERS, peer)).rejects.toEqual(refusal(401));
    await expect(fixture().authenticate(TOKEN, peer)).rejects.toEqual(refusal(401));
  });

  // Where one CA signs clients and proxies, every client's certificate verifies as a proxy's: the names tell them apart.
  it('of a client whose certificate is of the same CA are ignored, the certificate counts', async () => {
    const peer = { requestHeaderCertificate: admin, clientCertificate: admin };
    expect(await fixture().authenticate(HEADERS, peer)).toMatchObject({ name: 'kcp-admin', method: 'certificate' });
  });

  it('without a user fall back to the certificate if it is one of a client', async () => {
    const peer = { requestHeaderCertificate: proxy, clientCertificate: proxy };
    expect(await fixture().authenticate([], peer)).toMatchObject({ name: 'kcp-front-proxy', method: 'certificate' });
  });

  // GHSA-4xh5-jcj2-ch8q: the user's name got lost; nobody must not become somebody.
  it('without a user and without another credential are refused with 401', async () => {
    const peer = { requestHeaderCertificate: proxy };
    await expect(fixture().authenticate(['X-Remote-User', '', 'X-Remote-Group', 'a'], peer)).rejects.toEqual(refusal(401));
  });

  it('without a user leave a token to count, which kcp-front-proxy passes on unread', async () => {
    const caller = await fixture().authenticate(TOKEN, { requestHeaderCertificate: proxy });
    expect(caller).toMatchObject({ name: 'user-1', method: 'token' });
  });

  it('from anyone without a proxy certificate vanish', async () => {
    const { authenticate } = fixture();
    expect(await authenticate(FORGED)).toEqual(await authenticate([]));
    expect(await authenticate([...FORGED, ...TOKEN])).toEqual(await authenticate(TOKEN));
  });
});

describe('a bearer token', () => {
  it("is the reviewer's user, authenticated", async () => {
    expect(await fixture().authenticate(TOKEN)).toEqual({
      ...identity('user-1', ['team-1', 'system:authenticated']),
      method: 'token',
    });
  });

  it('that does not validate is 401 and never anonymous', async () => {
    await expect(fixture().authenticate(['authorization', 'bearer nonsense'])).rejects.toEqual(refusal(401));
  });

  it('is 401 where nobody can review it', async () => {
    const authenticate = createAuthenticator({ requestHeader: REQUEST_HEADER });
    await expect(authenticate(TOKEN, { address: '::1' })).rejects.toEqual(refusal(401));
  });

  // Servers differ in which of two they take: the one checked here might not be the one used behind us.
  it('beside another Authorization header is refused with 400', async () => {
    await expect(fixture().authenticate([...TOKEN, 'Authorization', 'Bearer other'])).rejects.toEqual(refusal(400));
  });

  it.each([
    [['Sec-WebSocket-Protocol', 'base64url.bearer.authorization.k8s.io.dXNlci0xLXRva2Vu']],
    [['Authorization', 'Basic dXNlcjpwYXNz']],
    [['Authorization', 'Bearer']],
    [['Authorization', 'Bearer ']],
    [['Authorization', 'Bearer  user-1-token']],
    [['Authorization', 'Negotiate Bearer user-1-token']],
    [['Authorization', '']],
  ])('is not %j: nothing is reviewed, the caller is anonymous', async headers => {
    const { review, authenticate } = fixture();
    expect(await authenticate(headers)).toMatchObject({ name: 'system:anonymous' });
    expect(review).not.toHaveBeenCalled();
  });
});

describe('no credentials', () => {
  it('are the anonymous user, unauthenticated', async () => {
    expect(await fixture().authenticate([])).toEqual({
      ...identity('system:anonymous', ['system:unauthenticated']),
      method: 'anonymous',
    });
  });
});

describe('impersonation', () => {
  const AS_JANE = ['Impersonate-User', 'jane', 'Impersonate-Group', 'team'];

  it('is applied to what the chain found', async () => {
    const caller = await fixture().authenticate(AS_JANE, { clientCertificate: shard });
    expect(caller).toMatchObject({
      name: 'jane',
      groups: ['team', 'system:authenticated'],
      impersonator: { name: 'kcp-shard-0' },
    });
  });

  it.each([
    ['a certificate', [], { clientCertificate: admin }],
    ['a token', TOKEN, {}],
    ['nothing', [], {}],
    ['forged request headers', FORGED, {}],
  ])('is refused with 403 to %s without system:masters', async (_, headers, peer) => {
    await expect(fixture().authenticate([...headers, ...AS_JANE], peer)).rejects.toEqual(refusal(403));
  });
});

describe('impersonation where the certificates of shards are named', () => {
  const AS_JANE = ['Impersonate-User', 'jane'];
  const authenticate = createAuthenticator({
    requestHeader: REQUEST_HEADER,
    shardClientNames: ['kcp-shard-0', 'kcp-admin'],
    tokenReviewer: { review: async () => identity('kcp-shard-0', ['system:masters']) },
  });
  const ask = (headers: readonly string[], peer: Partial<Peer>) =>
    authenticate([...headers, ...AS_JANE], { address: '::1', ...peer });

  it('is theirs', async () => {
    expect(await ask([], { clientCertificate: shard })).toMatchObject({ name: 'jane', impersonator: { name: 'kcp-shard-0' } });
  });

  it.each<[string, readonly string[], Partial<Peer>]>([
    ['masters with another certificate', [], { clientCertificate: certificate('other', ['system:masters']) }],
    ['a name of the list without system:masters', [], { clientCertificate: admin }],
    ['masters by a token, under the name of a shard', TOKEN, {}],
    [
      'masters by the word of a proxy, under the name of a shard',
      ['X-Remote-User', 'kcp-shard-0', 'X-Remote-Group', 'system:masters'],
      { requestHeaderCertificate: proxy },
    ],
  ])('is refused with 403 to %s', async (_, headers, peer) => {
    await expect(ask(headers, peer)).rejects.toEqual(refusal(403));
  });
});

describe('a service account', () => {
  const CLUSTER = 'X-Remote-Extra-authentication.kcp.io%2Fcluster-name';
  const ACCOUNT = ['X-Remote-User', 'system:serviceaccount:default:builder'];

  // Two values make an account local to both workspaces.
  it('of two logical clusters is refused with 401, by a proxy and by impersonation', async () => {
    const { authenticate } = fixture();
    const two = [...ACCOUNT, CLUSTER, '1abc', CLUSTER, '2abc'];
    await expect(authenticate(two, { requestHeaderCertificate: proxy })).rejects.toEqual(refusal(401));
    const impersonated = two.map(text => text.replace('X-Remote', 'Impersonate'));
    await expect(authenticate(impersonated, { clientCertificate: shard })).rejects.toEqual(refusal(401));
  });

  it('of one or of none, as kcp sends it, is taken', async () => {
    const { authenticate } = fixture();
    const peer = { requestHeaderCertificate: proxy };
    expect(await authenticate(ACCOUNT, peer)).toMatchObject({ extra: {} });
    expect(await authenticate([...ACCOUNT, CLUSTER, '1abc'], peer)).toMatchObject({
      extra: { 'authentication.kcp.io/cluster-name': ['1abc'] },
    });
  });
});

describe('identity', () => {
  it('never crosses from one request to another', async () => {
    const authenticate = createAuthenticator({
      requestHeader: REQUEST_HEADER,
      tokenReviewer: { review: async token => identity(token, [`group-of-${token}`]) },
    });
    const names = Array.from({ length: 1000 }, (_, i) => `user-${i}`);
    const callers = await Promise.all(
      names.map((name, i) =>
        i % 2 === 0
          ? authenticate(['Authorization', `Bearer ${name}`], { address: '::1' })
          : authenticate(['X-Remote-User', name, 'X-Remote-Group', `group-of-${name}`], {
              address: '::1',
              requestHeaderCertificate: proxy,
            }),
      ),
    );
    expect(callers.map(({ name, groups }) => [name, groups])).toEqual(
      names.map(name => [name, [`group-of-${name}`, 'system:authenticated']]),
    );
  });
});
