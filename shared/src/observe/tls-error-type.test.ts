import { execFile } from 'node:child_process';
import { connect as connectPlain } from 'node:net';
import { connect, createServer, type TlsOptions } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { tlsErrorType } from './tls-error-type.ts';

const authority = createAuthority({ commonName: 'ca' });
const { certPem: cert, keyPem: key } = authority.issue({ commonName: 'server', usage: 'server', sans: ['DNS:localhost'] });

/** What a server is told of a handshake that a client makes fail. */
async function failureOf(client: (port: number) => void, options: TlsOptions = {}): Promise<Error> {
  const server = createServer({ cert, key, ...options });
  const failed = new Promise<Error>(resolve => server.once('tlsClientError', resolve));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  client(typeof address === 'object' && address ? address.port : 0);
  const error = await failed;
  server.close();
  return error;
}

describe('the type of a TLS error', () => {
  // Node's own clients look at the certificate when the handshake is over, and then just hang up.
  test('of a client that does not know our authority, and says so', async () => {
    const client = ['s_client', '-verify_return_error', '-tls1_2', '-connect'];
    const error = await failureOf(port => execFile('openssl', [...client, `127.0.0.1:${port}`], () => undefined));
    expect(tlsErrorType(error)).toBe('unknown_ca');
  });

  test('of a client that speaks another version', async () => {
    const error = await failureOf(
      port => connect({ port, host: '127.0.0.1', ca: authority.certPem, maxVersion: 'TLSv1.2' }).on('error', () => undefined),
      { minVersion: 'TLSv1.3' },
    );
    expect(tlsErrorType(error)).toBe('cipher_mismatch');
  });

  test('of a client that shares no cipher', async () => {
    const error = await failureOf(
      port =>
        connect({
          port,
          host: '127.0.0.1',
          maxVersion: 'TLSv1.2',
          ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256',
        }).on('error', () => undefined),
      { ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384' },
    );
    expect(tlsErrorType(error)).toBe('cipher_mismatch');
  });

  test('of a client that speaks no TLS', async () => {
    const error = await failureOf(port => {
      const socket = connectPlain(port, '127.0.0.1', () => socket.end('GET / HTTP/1.1\r\n\r\n'));
      socket.on('error', () => undefined);
    });
    expect(tlsErrorType(error)).toBe('cipher_mismatch');
  });

  test.each([
    ['CERT_HAS_EXPIRED', 'expired_cert'],
    ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED', 'expired_cert'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'hostname_mismatch'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unknown_ca'],
    // What Go says whatever it is that it does not like.
    ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'other'],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'other'],
    ['ECONNREFUSED', undefined],
    ['constructor', undefined],
  ])('with the code %s is %s', (code, type) => {
    expect(tlsErrorType(Object.assign(new Error('failed'), { code }))).toBe(type);
  });

  test('is found where it is the cause of what is told', () => {
    const cause = Object.assign(new Error('expired'), { code: 'CERT_HAS_EXPIRED' });
    expect(tlsErrorType(new Error('unreachable', { cause: new Error('failed', { cause }) }))).toBe('expired_cert');
  });

  test('is not looked for without end', () => {
    const error = new Error('its own cause');
    error.cause = error;
    expect(tlsErrorType(error)).toBeUndefined();
    expect(tlsErrorType('no error')).toBeUndefined();
  });
});
