import { describe, expect, test } from '@jest/globals';
import { parseArguments } from './flags.ts';

const face = (...flags: readonly string[]) => parseArguments(['--kubeconfig=k', ...flags]).options.publicFace;
const PUBLIC = '--face=public';
const OIDC = ['--oidc-issuer-url=https://issuer', '--oidc-client-id=kcp'];

describe('the flags of a public face', () => {
  test('are refused elsewhere: nobody should believe that they do something', () => {
    expect(() => face(...OIDC)).toThrow(/belong to --face=public$/);
    expect(() => face('--service-account-key-file=k', '--shards-kubeconfig=s')).toThrow(/belong to --face=public$/);
  });

  test('have an issuer and an audience together, and the issuer is https', () => {
    expect(face(PUBLIC, ...OIDC).oidc).toMatchObject({
      issuerUrl: 'https://issuer',
      clientID: 'kcp',
      signingAlgorithms: ['RS256'],
    });
    expect(() => face(PUBLIC, '--oidc-client-id=kcp')).toThrow(/needed together$/);
    expect(() => face(PUBLIC, '--oidc-issuer-url=http://issuer', '--oidc-client-id=kcp')).toThrow(/takes an https URL/);
  });

  // With HS256 the key that checks a token also signs one, and with none anybody does.
  test.each(['none', 'HS256', 'HS512', 'rs256'])('take no algorithm but asymmetric ones: %s', algorithm => {
    expect(() => face(PUBLIC, ...OIDC, `--oidc-signing-algs=${algorithm}`)).toThrow(/^--oidc-signing-algs takes/);
  });

  test('read claims that are required', () => {
    expect(face(PUBLIC, ...OIDC, '--oidc-required-claim=a=b,c=d=e').oidc?.requiredClaims).toEqual({ a: 'b', c: 'd=e' });
    expect(() => face(PUBLIC, ...OIDC, '--oidc-required-claim=a')).toThrow(/takes claim=value/);
  });

  test('look service accounts up where they live, or do not take their tokens', () => {
    expect(() => face(PUBLIC, '--service-account-key-file=k')).toThrow(/^--shards-kubeconfig is required/);
    expect(face(PUBLIC, '--service-account-key-file=k', '--shards-kubeconfig=s').serviceAccounts).toMatchObject({
      issuers: ['https://kcp.default.svc'],
      audiences: ['https://kcp.default.svc'],
    });
  });

  test('take a file of tokens only from somebody who says that it is insecure', () => {
    expect(() => face(PUBLIC, '--token-auth-file=t')).toThrow(/^--token-auth-file is insecure/);
    expect(face(PUBLIC, '--token-auth-file=t', '--insecure-token-auth-file').tokenFile).toBe('t');
  });
});
