import { X509Certificate } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { authorityOf, createAuthority } from './pki.ts';

const parsed = ({ certPem }: { certPem: string }): X509Certificate => new X509Certificate(certPem);

describe('an authority', () => {
  const authority = createAuthority({ commonName: 'test-ca' });

  test('signs itself', () => {
    const certificate = parsed(authority);
    expect(certificate.subject).toBe('CN=test-ca');
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  test('issues client certificates with organizations in the order given', () => {
    const pair = authority.issue({ commonName: 'shard-admin', organizations: ['system:masters', 'a/b+c'], usage: 'client' });
    const certificate = parsed(pair);
    expect(certificate.subject).toBe('O=system:masters\nO=a/b\\+c\nCN=shard-admin');
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.verify(parsed(authority).publicKey)).toBe(true);
    expect(certificate.checkIssued(parsed(authority))).toBe(true);
  });

  test('issues serving certificates for names and addresses', () => {
    const certificate = parsed(authority.issue({ commonName: 'x', usage: 'server', sans: ['DNS:localhost', 'IP:127.0.0.1'] }));
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  test('issues certificates that are valid for the days asked, or not any more', () => {
    const day = 24 * 60 * 60 * 1000;
    const remaining = (days?: number, expired?: boolean): number => {
      const pair = authority.issue({
        commonName: 'x',
        usage: 'client',
        ...(days !== undefined && { days }),
        ...(expired !== undefined && { expired }),
      });
      return (parsed(pair).validToDate.getTime() - Date.now()) / day;
    };
    expect(Math.round(remaining(10))).toBe(10);
    expect(Math.round(remaining())).toBe(365);
    expect(remaining(undefined, true)).toBeLessThan(0);
  });

  test('issues authorities below itself', () => {
    const intermediate = authority.issueAuthority({ commonName: 'intermediate', pathLength: 0 });
    const leaf = intermediate.issue({ commonName: 'leaf', usage: 'client' });
    expect(parsed(intermediate).ca).toBe(true);
    expect(parsed(intermediate).checkIssued(parsed(authority))).toBe(true);
    expect(parsed(leaf).verify(parsed(intermediate).publicKey)).toBe(true);
  });

  test('can be pretended with a certificate that is none', () => {
    const leaf = authority.issue({ commonName: 'leaf', usage: 'client' });
    const forged = authorityOf(leaf).issue({ commonName: 'forged', organizations: ['system:masters'], usage: 'client' });
    expect(parsed(forged).verify(parsed(leaf).publicKey)).toBe(true);
  });

  test('leaves no key behind in the folder for temporary files', () => {
    createAuthority({ commonName: 'tidy' }).issue({ commonName: 'leaf', usage: 'client' });
    expect(readdirSync(tmpdir()).filter(name => name.startsWith(`pki-${process.pid}-`))).toEqual([]);
  });
});

describe('without openssl', () => {
  const path = process.env.PATH;
  afterEach(() => {
    process.env.PATH = path;
  });

  test('the error says what to install', () => {
    process.env.PATH = '/nonexistent';
    expect(() => createAuthority({ commonName: 'x' })).toThrow('`openssl`, which is not on the PATH');
  });
});
