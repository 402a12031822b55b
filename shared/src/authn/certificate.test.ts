import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { CREDENTIAL_ID_KEY, certificateIdentity, commonName } from './certificate.ts';

const authority = createAuthority({ commonName: 'client-ca' });
const issue = (name: string, organizations: string[] = []): X509Certificate =>
  new X509Certificate(authority.issue({ commonName: name, organizations, usage: 'client' }).certPem);

/** Subject: one RDN with O=one and O=two, then CN=adminXevil. Only ever parsed, so its dates do not matter. */
const MULTI_VALUED = `-----BEGIN CERTIFICATE-----
MIIBszCCAVmgAwIBAgIUdgr6jjvF2WMrQ7tU6Qe/jaKRbAEwCgYIKoZIzj0EAwIw
LzEYMAoGA1UECgwDb25lMAoGA1UECgwDdHdvMRMwEQYDVQQDDAphZG1pblhldmls
MB4XDTI2MTEyMjE4Mjg1OFoXDTI2MTEyMzE4Mjg1OFowLzEYMAoGA1UECgwDb25l
MAoGA1UECgwDdHdvMRMwEQYDVQQDDAphZG1pblhldmlsMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEfgFMyxfCZPPqOnCXoGU8ITdeEhrSLXbi4bOltD+j5/tVcMyf
hn8O3C97tr85BWcdTnovCR8anB2KMNxfldjEPaNTMFEwHQYDVR0OBBYEFI5Qpu9z
qUUXNNGQHBJJrL5RXl3uMB8GA1UdIwQYMBaAFI5Qpu9zqUUXNNGQHBJJrL5RXl3u
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAMHxYc9xFvlbHVCg
r0rh+lzV0BfKBySvpzPMWRdPJwj8AiBk1npwKSQXIEZLouTJC8M9dZQx84gKwWxx
1tXeYD4gMQ==
-----END CERTIFICATE-----`;

/** The same certificate with bytes of the common name's encoding replaced: its tag (offset -2) or one of its characters. */
function patched(...bytes: readonly (readonly [offset: number, byte: number])[]): X509Certificate {
  const der = Buffer.from(new X509Certificate(MULTI_VALUED).raw);
  const start = der.lastIndexOf('adminXevil');
  for (const [offset, byte] of bytes) der[start + offset] = byte;
  return new X509Certificate(der);
}

describe('the identity of a client certificate', () => {
  it('has the common name as user, every organization as group, and no UID', () => {
    const who = certificateIdentity(issue('kcp-admin', ['system:kcp:admin', 'team']));
    expect(who).toMatchObject({ name: 'kcp-admin', uid: '', groups: ['system:kcp:admin', 'team'] });
  });

  it('names the credential by the SHA-256 of the certificate, as Kubernetes does', () => {
    const certificate = issue('kcp-admin');
    const fingerprint = createHash('sha256').update(certificate.raw).digest('hex');
    expect(certificateIdentity(certificate)?.extra).toEqual({ [CREDENTIAL_ID_KEY]: [`X509SHA256=${fingerprint}`] });
  });

  it('takes values with separators, quotes, escapes and UTF-8 as they are', () => {
    const groups = ['a,b', 'say "hi"', 'a+b', 'a=b', 'CN=admin', 'back\\slash', 'a/b', 'Größe 雪', '#1'];
    expect(certificateIdentity(issue('Jörg, "x" + CN=admin', groups))).toMatchObject({ name: 'Jörg, "x" + CN=admin', groups });
  });

  it('takes each value of an RDN that has several', () => {
    expect(certificateIdentity(new X509Certificate(MULTI_VALUED))).toMatchObject({ name: 'adminXevil', groups: ['one', 'two'] });
  });

  // Code that ends a string at NUL reads `admin` here.
  it('does not end at a NUL', () => {
    expect(certificateIdentity(patched([5, 0]))?.name).toBe('admin\0evil');
  });

  it('does not end at a line break, which separates attributes in the text form of a subject', () => {
    expect(certificateIdentity(patched([5, 0x0a]))).toMatchObject({ name: 'admin\nevil', groups: ['one', 'two'] });
  });

  it('decodes latin1 values of old certificate authorities', () => {
    const TELETEX = 0x14;
    expect(certificateIdentity(patched([-2, TELETEX], [5, 0xe9]))?.name).toBe('adminéevil');
  });

  it('is none without a common name', () => {
    // The last byte of the attribute's OID: 2.5.4.3 is the common name, 2.5.4.13 a description.
    const nameless = patched([-3, 13]);
    expect(certificateIdentity(nameless)).toBeUndefined();
    expect(commonName(nameless)).toBe('');
  });

  it('loses lifecycle groups: no certificate authority hands those out', () => {
    const groups = ['system:kcp:initializer:root:universal', 'team', 'system:kcp:terminator:root:universal'];
    expect(certificateIdentity(issue('jane', groups))?.groups).toEqual(['team']);
  });

  it('is read once for a connection', () => {
    const certificate = issue('jane');
    expect(certificateIdentity(certificate)).toBe(certificateIdentity(certificate));
  });
});
