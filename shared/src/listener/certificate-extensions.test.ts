import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { certificateExtensions } from './certificate-extensions.ts';

const root = createAuthority({ commonName: 'root' });
const extensionsOf = ({ certPem }: { certPem: string }) => certificateExtensions(new X509Certificate(certPem));

describe('the extensions of a certificate', () => {
  test('of an authority allow it to certify, without a limit to the path', () => {
    expect(extensionsOf(root)).toEqual({
      pathLength: Number.POSITIVE_INFINITY,
      mayDigitallySign: true,
      mayCertify: true,
      hasNameConstraints: false,
      hasUnknownCritical: false,
    });
  });

  test('tell the path length, large ones too', () => {
    expect(extensionsOf(root.issueAuthority({ commonName: 'a', pathLength: 0 })).pathLength).toBe(0);
    expect(extensionsOf(root.issueAuthority({ commonName: 'a', pathLength: 300 })).pathLength).toBe(300);
  });

  test('of a leaf do not allow it to certify', () => {
    const leaf = extensionsOf(root.issue({ commonName: 'a', usage: 'client' }));
    expect(leaf.mayCertify).toBe(false);
    expect(leaf.mayDigitallySign).toBe(true);
  });

  test('tell name constraints', () => {
    const extensions = ['nameConstraints=permitted;DNS:example.com'];
    expect(extensionsOf(root.issueAuthority({ commonName: 'a', extensions })).hasNameConstraints).toBe(true);
  });

  test('that nobody knows matter only if they are critical', () => {
    const withExtension = (extension: string) => extensionsOf(root.issueAuthority({ commonName: 'a', extensions: [extension] }));
    expect(withExtension('1.2.3.4=critical,ASN1:NULL').hasUnknownCritical).toBe(true);
    expect(withExtension('1.2.3.4=ASN1:NULL').hasUnknownCritical).toBe(false);
  });
});
