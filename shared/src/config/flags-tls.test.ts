import { createSecureContext } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { tlsChoices } from './flags-tls.ts';

describe('the choices of TLS', () => {
  test('are left to Node where nothing is chosen', () => {
    expect(tlsChoices(undefined, [], [])).toEqual({});
  });

  test('never go below TLS 1.2', () => {
    expect(tlsChoices('VersionTLS10', [], [])).toEqual({ minVersion: 'TLSv1.2' });
    expect(tlsChoices('VersionTLS13', [], [])).toEqual({ minVersion: 'TLSv1.3' });
    expect(() => tlsChoices('TLSv1.3', [], [])).toThrow('--tls-min-version takes VersionTLS10,');
  });

  test('keep the suites of TLS 1.3, which Go does not let one choose', () => {
    const { ciphers } = tlsChoices(undefined, ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256'], []);
    expect(ciphers).toBe(
      'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES256-GCM-SHA384',
    );
  });

  test('refuse the suites that Go calls insecure', () => {
    expect(() => tlsChoices(undefined, ['TLS_RSA_WITH_RC4_128_SHA'], [])).toThrow('not "TLS_RSA_WITH_RC4_128_SHA"');
  });

  test('are names that OpenSSL knows', () => {
    const suites = ['ECDSA', 'RSA'].flatMap(kind =>
      ['AES_128_CBC_SHA', 'AES_128_GCM_SHA256', 'AES_256_CBC_SHA', 'AES_256_GCM_SHA384', 'CHACHA20_POLY1305'].map(
        suite => `TLS_ECDHE_${kind}_WITH_${suite}`,
      ),
    );
    const choices = tlsChoices('VersionTLS12', suites, ['23', '24', '25', '29', '4587', '4588', '4589']);
    expect(() => createSecureContext(choices)).not.toThrow();
    for (const suite of (choices.ciphers ?? '').split(':').slice(3)) {
      expect(() => createSecureContext({ ciphers: suite })).not.toThrow();
    }
  });
});
