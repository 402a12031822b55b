import { describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { authoritiesAfterLeaf } from './serving-authorities.ts';

const root = createAuthority({ commonName: 'root-ca' });
const { certPem: leaf } = root.issue({ commonName: 'server', usage: 'server', sans: ['DNS:localhost'] });

describe('the authorities of a serving certificate', () => {
  test('are the ones that follow it', () => {
    expect(authoritiesAfterLeaf(`${leaf}\n${root.certPem}`)).toBe(root.certPem);
    const other = createAuthority({ commonName: 'next-root-ca' });
    expect(authoritiesAfterLeaf(Buffer.from(`${leaf}${root.certPem}${other.certPem}`))).toBe(root.certPem + other.certPem);
  });

  test('are unknown where none follows', () => {
    expect(authoritiesAfterLeaf(leaf)).toBeUndefined();
    expect(authoritiesAfterLeaf('')).toBeUndefined();
  });

  test('do not begin with the certificate itself, were it an authority', () => {
    expect(authoritiesAfterLeaf(root.certPem)).toBeUndefined();
  });

  // A front proxy that is told to believe only what it does not know believes nobody.
  test('are unknown where intermediate ones follow without their root', () => {
    const intermediate = root.issueAuthority({ commonName: 'intermediate-ca' });
    const { certPem: below } = intermediate.issue({ commonName: 'server', usage: 'server', sans: ['DNS:localhost'] });
    expect(authoritiesAfterLeaf(below + intermediate.certPem)).toBeUndefined();
    expect(authoritiesAfterLeaf(below + intermediate.certPem + root.certPem)).toBe(intermediate.certPem + root.certPem);
  });

  test('are no certificates of servers that follow it', () => {
    expect(authoritiesAfterLeaf(leaf + leaf)).toBeUndefined();
    expect(authoritiesAfterLeaf(leaf + leaf + root.certPem)).toBe(root.certPem);
  });
});
