import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { UsageError } from '../config/flags-values.ts';
import { isProgrammingError, startupSentence } from './startup-error.ts';

const listening = (host: string, port: number): Promise<Error | undefined> =>
  new Promise(resolve => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });

describe('why a process does not start', () => {
  test('names a port that is in use', async () => {
    const taken = createServer();
    await new Promise<void>(resolve => void taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const error = await listening('127.0.0.1', port);
    taken.close();
    expect(startupSentence(error)).toBe(`cannot listen on port ${port} of 127.0.0.1: it is in use by another process`);
  });

  test('names an address that is not ours', async () => {
    // TEST-NET-1 (RFC 5737) belongs to nobody.
    expect(startupSentence(await listening('192.0.2.1', 1))).toBe(
      'cannot listen on port 1 of 192.0.2.1: this host has no such address',
    );
  });

  test('names the path of a socket', () => {
    const error = Object.assign(new Error('listen'), { syscall: 'listen', code: 'EACCES', address: '/run/x.sock', port: -1 });
    expect(startupSentence(error)).toBe('cannot listen on /run/x.sock: this user may not');
  });

  test('is otherwise what the error says', () => {
    expect(startupSentence(new UsageError('--kubeconfig is required'))).toBe('--kubeconfig is required');
    expect(startupSentence('x')).toBe('x');
  });

  test('needs its stack where the program is wrong, not where its environment is', () => {
    expect(isProgrammingError(new TypeError('x'))).toBe(true);
    expect(isProgrammingError(new UsageError('x'))).toBe(false);
    expect(isProgrammingError(new Error('x'))).toBe(false);
  });
});
