import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { answer, cleanUp, type ServeOptions, serverCA, serveTls } from './listener.fixture.ts';

afterEach(cleanUp);

/** What client and server agree on; rejects when they do not. */
async function handshake(choices: ServeOptions['choices'], options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { port } = await serveTls(exchange => answer(exchange, 'ok'), choices ? { choices } : {});
  const socket = connect({ host: '127.0.0.1', port, ca: serverCA.certPem, servername: 'localhost', ...options });
  // A refused handshake is told by `once`; what the connection says after that is of no interest.
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.end();
  return socket;
}

describe('a handshake', () => {
  const ALPNProtocols = ['h2', 'http/1.1'];

  test('offers HTTP/2 unless it is turned off', async () => {
    expect((await handshake(undefined, { ALPNProtocols })).alpnProtocol).toBe('h2');
    expect((await handshake({ http2: false }, { ALPNProtocols })).alpnProtocol).toBe('http/1.1');
  });

  test('fails below the oldest version that is wanted', async () => {
    expect((await handshake(undefined, { maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
    await expect(handshake({ minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' })).rejects.toThrow();
  });

  test('takes one of the suites that are wanted', async () => {
    const ciphers = 'ECDHE-ECDSA-CHACHA20-POLY1305';
    const socket = await handshake({ ciphers }, { maxVersion: 'TLSv1.2' });
    expect(socket.getCipher().name).toBe(ciphers);
    await expect(handshake({ ciphers }, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).rejects.toThrow();
  });

  test('takes one of the groups that are wanted', async () => {
    await expect(handshake({ ecdhCurve: 'secp384r1' }, { ecdhCurve: 'X25519' })).rejects.toThrow();
    expect((await handshake({ ecdhCurve: 'secp384r1' })).getProtocol()).toBe('TLSv1.3');
  });
});
