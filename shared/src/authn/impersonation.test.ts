import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { asCaller, identity, withSystemGroup } from './identity.ts';
import { impersonate, impersonationHeaders, withLifecycleGroup } from './impersonation.ts';

const masters = asCaller(identity('kcp-shard-0', ['system:masters', 'system:authenticated']), 'certificate');
const user = asCaller(identity('jane', ['system:authenticated']), 'token');

const refusal = (code: number) => expect.objectContaining({ code });

describe('impersonation by masters', () => {
  it('serves the request in the name of the impersonated user, and remembers who asked', () => {
    const caller = impersonate(masters, [
      ...['impersonate-user', 'joe', 'IMPERSONATE-UID', 'u1', 'Impersonate-Group', 'a,b', 'Impersonate-Group', 'c'],
      ...['Impersonate-Extra-Authentication.kcp.io%2fscopes', 'x', 'Accept', '*/*'],
    ]);
    expect(caller).toEqual({
      name: 'joe',
      uid: 'u1',
      groups: ['a,b', 'c', 'system:authenticated'],
      extra: { 'authentication.kcp.io/scopes': ['x'] },
      method: 'certificate',
      impersonator: identity('kcp-shard-0', ['system:masters', 'system:authenticated']),
    });
    expect(Object.isFrozen(caller)).toBe(true);
  });

  it('leaves nothing of the masters to the impersonated user', () => {
    expect(impersonate(masters, ['Impersonate-User', 'joe']).groups).toEqual(['system:authenticated']);
  });

  it('makes system:anonymous unauthenticated', () => {
    expect(impersonate(masters, ['Impersonate-User', 'system:anonymous']).groups).toEqual(['system:unauthenticated']);
  });

  it('gives a service account its groups when none are given', () => {
    const name = 'system:serviceaccount:default:builder';
    const own = ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'];
    expect(impersonate(masters, ['Impersonate-User', name]).groups).toEqual(own);
    expect(impersonate(masters, ['Impersonate-User', name, 'Impersonate-Group', 'a']).groups).toEqual([
      'a',
      'system:authenticated',
    ]);
    expect(impersonate(masters, ['Impersonate-User', 'system:serviceaccount:a:b:c']).groups).toEqual(['system:authenticated']);
    expect(impersonate(masters, ['Impersonate-User', 'system:serviceaccount:UP:b']).groups).toEqual(['system:authenticated']);
  });

  // A lifecycle group is pre-authorized on shards: asserted here, it would open every initializing workspace.
  it('cannot assert lifecycle groups', () => {
    const groups = ['Impersonate-Group', 'system:kcp:initializer:root:universal', 'Impersonate-Group', 'a'];
    expect(impersonate(masters, ['Impersonate-User', 'joe', ...groups]).groups).toEqual(['a', 'system:authenticated']);
  });

  it.each([
    ['a group', ['Impersonate-Group', 'a']],
    ['a UID', ['Impersonate-Uid', 'u1']],
    ['extra', ['Impersonate-Extra-Scopes', 'a']],
  ])('of %s without a user is refused with 400', (_, headers) => {
    expect(() => impersonate(masters, headers)).toThrow(refusal(400));
  });

  // Whose name got lost on the way would be served as the masters who forwarded him.
  it('of an empty user is refused with 400', () => {
    expect(() => impersonate(masters, ['Impersonate-User', ''])).toThrow(refusal(400));
  });

  it('of two users at once is refused with 400', () => {
    expect(() => impersonate(masters, ['Impersonate-User', 'a', 'Impersonate-User', 'b'])).toThrow(refusal(400));
    const uids = ['Impersonate-Uid', '1', 'Impersonate-Uid', '2'];
    expect(() => impersonate(masters, ['Impersonate-User', 'a', ...uids])).toThrow(refusal(400));
  });

  it('in a way that we do not know is refused with 400', () => {
    expect(() => impersonate(masters, ['Impersonate-User', 'a', 'Impersonate-Scope', 'b'])).toThrow(
      'header Impersonate-Scope is not supported',
    );
  });

  it('of a user who could not be named upstream is refused', () => {
    expect(() => impersonate(masters, ['Impersonate-User', 'a\xff'])).toThrow(refusal(400));
    expect(() => impersonate(masters, ['Impersonate-User', 'a\x01'])).toThrow(refusal(401));
  });
});

describe('impersonation by anyone else', () => {
  it('is refused with 403, as Kubernetes words it', () => {
    expect(() => impersonate(user, ['Impersonate-User', 'joe', 'Impersonate-Group', 'system:masters'])).toThrow(
      expect.objectContaining({
        code: 403,
        message:
          'users "joe" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope: ' +
          'only system:masters may impersonate here',
      }),
    );
  });

  // GHSA-c7xh-gjv4-4jgv: the user stays the same, only the groups grow.
  it.each([
    [['Impersonate-Group', 'system:masters'], 'groups "system:masters" is forbidden'],
    [['Impersonate-Extra-Scopes', 'a'], 'userextras.authentication.k8s.io "a" is forbidden'],
    [['impersonate-uid', 'u1'], 'uids.authentication.k8s.io "u1" is forbidden'],
    [['Impersonate-Scope', 'a'], 'cannot send header Impersonate-Scope'],
    [['Impersonate-User', ''], 'users is forbidden'],
  ])('is refused with 403 without a user too: %j', (headers, message) => {
    expect(() => impersonate(user, headers)).toThrow(refusal(403));
    expect(() => impersonate(user, headers)).toThrow(message);
  });

  it('is refused to a user who impersonates itself', () => {
    expect(() => impersonate(user, ['Impersonate-User', 'jane'])).toThrow(refusal(403));
  });
});

describe('a request without impersonation', () => {
  it('keeps its caller', () => {
    expect(impersonate(user, ['Accept', '*/*'])).toBe(user);
  });

  it('may hold names with underscores, which mean nothing', () => {
    expect(impersonate(user, ['Impersonate_User', 'admin', 'Impersonate_Group', 'system:masters'])).toBe(user);
  });
});

describe('impersonation headers', () => {
  it('name the user, the UID if there is one, each group and each extra value', () => {
    const who = identity('Jörg', ['b', 'a'], 'u1', { 'authentication.kcp.io/scopes': ['1', '2'] });
    expect(impersonationHeaders(who)).toEqual([
      ...['Impersonate-User', 'J\xc3\xb6rg', 'Impersonate-Uid', 'u1', 'Impersonate-Group', 'b', 'Impersonate-Group', 'a'],
      ...['Impersonate-Extra-authentication.kcp.io%2Fscopes', '1', 'Impersonate-Extra-authentication.kcp.io%2Fscopes', '2'],
    ]);
    expect(impersonationHeaders(identity('jane', []))).toEqual(['Impersonate-User', 'jane']);
  });

  // A shard that sees no Impersonate-User answers our own masters credentials (GHSA-4xh5-jcj2-ch8q).
  it('are refused for a user without a name', () => {
    expect(() => impersonationHeaders(identity('', []))).toThrow(refusal(401));
  });

  it.each(['a\r\nImpersonate-Group: system:masters', 'a\0', 'admin '])('are refused for %j', name => {
    expect(() => impersonationHeaders(identity(name, []))).toThrow(refusal(401));
    expect(() => impersonationHeaders(identity('jane', [name]))).toThrow(refusal(401));
  });

  it('are read as the same user again, whoever it is', () => {
    const text = fc.string({ unit: 'grapheme' }).filter(value => value === value.trim());
    const key = fc.oneof(text, fc.constantFrom('a/b', 'A%2Fb', 'Upper', '__proto__'));
    fc.assert(
      fc.property(
        text.filter(name => name !== ''),
        text,
        fc.array(fc.oneof(text, fc.constantFrom('a,b', 'x/y', '100%')), { minLength: 1 }),
        fc.dictionary(key, fc.array(text, { minLength: 1 })),
        (name, uid, groups, extra) => {
          const who = identity(name, withSystemGroup(name, groups), uid, extra);
          expect(impersonate(masters, impersonationHeaders(who))).toMatchObject({ ...who });
        },
      ),
    );
  });
});

describe('a lifecycle group', () => {
  const who = identity('jane', ['team'], 'u1', { k: ['v'] });

  it("stands before the caller's groups and is sent upstream", () => {
    const scoped = withLifecycleGroup(who, 'system:kcp:initializer:root:universal');
    expect(scoped).toEqual({ ...who, groups: ['system:kcp:initializer:root:universal', 'team'] });
    expect(impersonationHeaders(scoped)).toContain('system:kcp:initializer:root:universal');
    expect(Object.isFrozen(scoped) && Object.isFrozen(scoped.groups)).toBe(true);
  });

  it('is the only kind of group that can be added', () => {
    expect(() => withLifecycleGroup(who, 'system:masters')).toThrow(TypeError);
  });
});
