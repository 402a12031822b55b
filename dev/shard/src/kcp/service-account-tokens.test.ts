import { describe, expect, test } from '@jest/globals';
import { ServiceAccountTokens } from './service-account-tokens.ts';

const ACCOUNT = { metadata: { name: 'rest', namespace: 'default', uid: 'u', annotations: { 'kcp.io/cluster': 'abc' } } };
const issued = (tokens: ServiceAccountTokens, seconds = 600): string =>
  (tokens.issue({ spec: { expirationSeconds: seconds } }, ACCOUNT).status as { token: string }).token;

describe('the token of a service account', () => {
  test('names the account and the logical cluster that it is of', () => {
    const tokens = new ServiceAccountTokens();
    expect(tokens.identity(issued(tokens))).toMatchObject({
      name: 'system:serviceaccount:default:rest',
      uid: 'u',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
      extra: { 'authentication.kcp.io/cluster-name': ['abc'], 'authentication.kcp.io/scopes': ['cluster:abc'] },
    });
  });

  test('of another kcp, with another content, or that is over, is nobody’s', () => {
    const tokens = new ServiceAccountTokens();
    const [head, body = '', signature] = issued(tokens).split('.');
    const forged = Buffer.from(body, 'base64url').toString().replace('default:rest', 'default:root');
    expect(tokens.identity(issued(new ServiceAccountTokens()))).toBeUndefined();
    expect(tokens.identity([head, Buffer.from(forged).toString('base64url'), signature].join('.'))).toBeUndefined();
    expect(tokens.identity(issued(tokens, -5))).toBeUndefined();
    expect(tokens.identity('nonsense')).toBeUndefined();
  });

  test('lasts an hour for who asks for no other time, as Go does with a null', () => {
    const tokens = new ServiceAccountTokens();
    const { status, spec } = tokens.issue({ spec: { audiences: null, expirationSeconds: null } }, ACCOUNT);
    expect(spec).toEqual({ audiences: ['https://kcp.default.svc'], expirationSeconds: 3_600 });
    expect(tokens.identity((status as { token: string }).token)).toBeDefined();
  });
});
