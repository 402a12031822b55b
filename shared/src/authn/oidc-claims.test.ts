import { describe, expect, it } from '@jest/globals';
import { userOfClaims } from './oidc-claims.ts';

const RULES = { issuerUrl: 'https://issuer.example', usernameClaim: 'sub', groupsPrefix: '', requiredClaims: {} };
const refusal = (code: number) => expect.objectContaining({ code });
const groupsOf = (groups: unknown, groupsPrefix = '') =>
  userOfClaims({ sub: 'jane', groups }, { ...RULES, groupsClaim: 'groups', groupsPrefix }).groups;

describe('the name of a user', () => {
  it.each<[string, string | undefined, string]>([
    ['sub', undefined, 'https://issuer.example#jane'],
    ['sub', '', 'https://issuer.example#jane'],
    ['sub', '-', 'jane'],
    ['sub', 'oidc:', 'oidc:jane'],
    ['email', undefined, 'jane'],
    ['email', 'oidc:', 'oidc:jane'],
  ])('of the claim %s with the prefix %j is %s', (usernameClaim, usernamePrefix, name) => {
    const rules = { ...RULES, usernameClaim, ...(usernamePrefix !== undefined && { usernamePrefix }) };
    expect(userOfClaims({ [usernameClaim]: 'jane' }, rules).name).toBe(name);
  });

  // GHSA-4xh5-jcj2-ch8q: the name got lost, and the proxy acted as itself.
  it.each<[string, object]>([
    ['is absent', {}],
    ['is empty', { sub: '' }],
    ['is no text', { sub: ['jane'] }],
    ['is null', { sub: null }],
  ])('that %s is 401', (_, claims) => {
    expect(() => userOfClaims({ ...claims }, RULES)).toThrow(refusal(401));
  });

  it('is no property that every object has', () => {
    for (const usernameClaim of ['constructor', '__proto__', 'toString']) {
      expect(() => userOfClaims({ sub: 'jane' }, { ...RULES, usernameClaim })).toThrow(refusal(401));
    }
  });

  it('that is an address counts unless the issuer says that it has not been verified', () => {
    const rules = { ...RULES, usernameClaim: 'email' };
    expect(userOfClaims({ email: 'jane@a.b' }, rules).name).toBe('jane@a.b');
    expect(userOfClaims({ email: 'jane@a.b', email_verified: true }, rules).name).toBe('jane@a.b');
    for (const email_verified of [false, 'true', 1, null]) {
      expect(() => userOfClaims({ email: 'jane@a.b', email_verified }, rules)).toThrow(refusal(401));
    }
  });

  // Without a prefix users of the issuer would choose among the names of Kubernetes: service accounts, kcp's own controllers.
  it('cannot be one of Kubernetes', () => {
    for (const sub of ['system:admin', 'system:serviceaccount:default:default', 'system:kcp:serviceaccount:a:b:c']) {
      expect(() => userOfClaims({ sub }, { ...RULES, usernamePrefix: '-' })).toThrow(refusal(401));
    }
    expect(() => userOfClaims({ sub: 'admin' }, { ...RULES, usernamePrefix: 'system:' })).toThrow(refusal(401));
    expect(userOfClaims({ sub: 'system:admin' }, RULES).name).toBe('https://issuer.example#system:admin');
  });
});

describe('the groups of a user', () => {
  it('are a list or a text, with the prefix in front of each', () => {
    expect(groupsOf(['a', 'b'], 'oidc:')).toEqual(['oidc:a', 'oidc:b']);
    expect(groupsOf('a,b', 'oidc:')).toEqual(['oidc:a,b']);
    expect(groupsOf(undefined)).toEqual([]);
    expect(groupsOf([])).toEqual([]);
  });

  it('are none where no claim is configured', () => {
    expect(userOfClaims({ sub: 'jane', groups: ['a'] }, RULES).groups).toEqual([]);
  });

  it('are never those of Kubernetes', () => {
    expect(groupsOf(['system:masters', 'a', '', 'system:authenticated'])).toEqual(['a']);
    expect(groupsOf(['masters'], 'system:')).toEqual([]);
  });

  it.each([[7], [{ a: 1 }], [['a', 7]], [null]])('that are %j are 401', groups => {
    expect(() => groupsOf(groups)).toThrow(refusal(401));
  });
});

describe('a required claim', () => {
  it('has to be there with its value, as a text', () => {
    const rules = { ...RULES, requiredClaims: { tenant: 'a' } };
    expect(userOfClaims({ sub: 'jane', tenant: 'a' }, rules).name).toContain('jane');
    for (const claims of [{}, { tenant: 'b' }, { tenant: ['a'] }]) {
      expect(() => userOfClaims({ sub: 'jane', ...claims }, rules)).toThrow(refusal(401));
    }
  });
});
