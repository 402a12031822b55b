import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { trustEveryone, trustFrontProxy } from './front-proxy-peer.ts';

const authority = createAuthority({ commonName: 'fleet-ca' });
const certificate = (commonName: string): X509Certificate =>
  new X509Certificate(authority.issue({ commonName, usage: 'client' }).certPem);
const frontProxy = certificate('front-proxy');
const address = '10.0.0.1';

const code = (
  allowedNames: readonly string[],
  peer: { requestHeaderCertificate?: X509Certificate; clientCertificate?: X509Certificate },
) => trustFrontProxy({ allowedNames })({ address, ...peer })?.code;

describe('the identity that a connection’s requests carry', () => {
  test('is believed from an allowed name of the requestheader CA', () => {
    expect(code(['other', 'front-proxy'], { requestHeaderCertificate: frontProxy })).toBeUndefined();
  });

  test('is not believed without such a certificate', () => {
    expect(code(['front-proxy'], {})).toBe(401);
    expect(code(['front-proxy'], { clientCertificate: frontProxy })).toBe(401);
  });

  test.each(['front-prox', 'Front-Proxy', 'front-proxy ', 'system:masters'])('is not believed from the name %j', name => {
    expect(code(['front-proxy'], { requestHeaderCertificate: certificate(name) })).toBe(403);
  });

  // Kubernetes reads an empty list as "any name", which is right for no process that takes masters at their word.
  test('is believed from nobody when no name is allowed', () => {
    expect(code([], { requestHeaderCertificate: frontProxy })).toBe(403);
    expect(code([''], { requestHeaderCertificate: frontProxy })).toBe(403);
  });

  // One authority in both files: users may ask it for a certificate with just that name.
  test('is not believed from a certificate that is a user’s as well', () => {
    expect(code(['front-proxy'], { requestHeaderCertificate: frontProxy, clientCertificate: frontProxy })).toBe(403);
  });

  test('is believed from whoever can open a private socket', () => {
    expect(trustEveryone({ address: 'unix' })).toBeUndefined();
  });
});
