/** Connections that end at any moment, on any side, in any way: nothing of it may end the process, or stay behind. */
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { numOpenSockets } from 'http-proxy';
import { DEFAULT_LIMITS } from '../config/options.ts';
import { cleanUp, eventually, onCleanUp } from '../listener/listener.fixture.ts';
import { createListener } from '../listener/listener.ts';
import { SWITCHED, serveBackend, type Taken, tunnelsTo, webSocket } from './tunnel.fixture.ts';

afterEach(cleanUp);

const BACKENDS: readonly ((taken: Taken) => void)[] = [
  ({ socket }) => void socket.resetAndDestroy(),
  ({ socket }) => void socket.end('HTTP/1.1 101'),
  ({ socket }) => void socket.end(`${SWITCHED}\r\nbytes`),
  ({ socket }) => socket.write(`${SWITCHED}\r\n`, () => socket.resetAndDestroy()),
  ({ socket }) => {
    socket.write(`${SWITCHED}\r\n`);
    socket.on('data', () => socket.resetAndDestroy());
  },
  ({ socket }) => socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nhalf', () => socket.resetAndDestroy()),
  ({ socket }) => void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
  ({ socket }) => socket.write(`${SWITCHED}\r\n${'x'.repeat(200_000)}`),
  () => undefined,
];

const CLIENTS = {
  'reset at once': socket => void socket.resetAndDestroy(),
  end: socket => void socket.end(),
  'write and reset': socket => void socket.write('bytes', () => socket.resetAndDestroy()),
  'reset when it hears something': socket => void socket.once('data', () => socket.resetAndDestroy()),
  'end when it hears something': socket => void socket.once('data', () => socket.end('bytes')),
  'write when it hears something, and stay': socket => {
    socket.once('data', () => {
      socket.write('bytes');
      setTimeout(() => socket.resetAndDestroy(), 100);
    });
  },
} satisfies Record<string, (socket: Socket) => void>;

const CONNECTIONS = 2_000;
const AT_ONCE = 40;

// An `error` event without a listener ends the process, and http-proxy has sockets without.
test('thousands of connections that break anywhere leave nothing behind', async () => {
  const backend = await serveBackend(taken => BACKENDS[Number(/ \/(\d+) /.exec(taken.received)?.[1])]?.(taken));
  const tunnels = tunnelsTo(backend, { answerTimeout: 1_000, lingerTimeout: 5 });
  const { handler, onUpgrade, upstream, exchanges, outcomes, errors } = tunnels;
  // Without TLS, of which a thousand handshakes would take longer than all the rest.
  const listener = await createListener({
    address: { host: '127.0.0.1', port: 0 },
    limits: DEFAULT_LIMITS,
    handler,
    onUpgrade,
    onError: error => void errors.push(error),
  });
  onCleanUp(() => listener.close());
  const bound = listener.address();
  const port = 'port' in bound ? bound.port : 0;

  const attack = async ([behaviour, client]: readonly [number, keyof typeof CLIENTS]): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await new Promise(resolve => socket.once('connect', resolve));
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()));
    socket.write(webSocket(`/${behaviour}`));
    socket.resume();
    CLIENTS[client](socket);
    await closed;
  };
  const pair = fc.tuple(fc.nat(BACKENDS.length - 1), fc.constantFrom(...(Object.keys(CLIENTS) as (keyof typeof CLIENTS)[])));
  const pairs = fc.array(pair, { minLength: CONNECTIONS, maxLength: CONNECTIONS });
  const everybody = fc.asyncProperty(pairs, async all => {
    const waiting = [...all];
    const attackers = Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await attack(next);
    });
    await Promise.all(attackers);
  });
  await fc.assert(everybody, { numRuns: 1, endOnFailure: true });
  await eventually(() => listener.stats.exchanges === 0 && outcomes.length === exchanges.length);
  await eventually(() => upstream.stats().tunnels === 0 && numOpenSockets() === 0);
  expect(errors).toEqual([]);
  expect(new Set(outcomes.map(({ end }) => end))).toEqual(new Set(['client-left', 'complete', 'cut', 'refused']));
}, 120_000);
