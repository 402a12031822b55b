/** An upstream before a listener on a Unix socket: short requests go in frames once these were offered, and nothing else changes. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '../config/options.ts';
import { FRAME, FRAMES_PROTOCOL, type FrameKind, WINDOW } from '../frames/frame.ts';
import { FrameReader } from '../frames/frame-reader.ts';
import { FrameWriter } from '../frames/frame-writer.ts';
import type { Exchange, Handler } from '../listener/exchange.ts';
import { headerValue } from '../listener/headers.ts';
import { cleanUp, temporaryFolder } from '../listener/listener.fixture.ts';
import { createListener, type Listener } from '../listener/listener.ts';
import { createUpstream, type ManagedUpstream } from './pool.ts';
import { closeAll, track } from './upstream.fixture.ts';
import type { UpstreamCall, UpstreamError, UpstreamRequest } from './upstream.ts';

afterEach(closeAll);
afterEach(cleanUp);

interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

const GET = { method: 'GET', path: '/', headers: [], body: null, longRunning: false } satisfies UpstreamRequest;

function ask(upstream: ManagedUpstream, request: Partial<UpstreamRequest> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let headers: readonly string[] = [];
    const chunks: Uint8Array[] = [];
    upstream.dispatch(
      { ...GET, ...request },
      {
        onHead(code, given) {
          status = code;
          headers = given;
        },
        onData(chunk) {
          chunks.push(chunk);
          return true;
        },
        onEnd: () => resolve({ status, headers, body: Buffer.concat(chunks) }),
        onError: reject,
      },
    );
  });
}

interface Pair {
  readonly listener: Listener;
  readonly upstream: ManagedUpstream;
  /** Of each exchange: whether it came over a connection of its own. */
  readonly seen: Exchange[];
}

async function pair(handler: Handler, unary: Parameters<typeof createUpstream>[0]['unary'] = {}): Promise<Pair> {
  const socketPath = join(temporaryFolder(), 'service.sock');
  const seen: Exchange[] = [];
  const listener = track(
    await createListener({
      address: { socketPath },
      limits: DEFAULT_LIMITS,
      handler(exchange) {
        seen.push(exchange);
        return handler(exchange);
      },
      onError(error) {
        throw error;
      },
    }),
  );
  const upstream = track(createUpstream({ name: 'service', origin: { socketPath }, limits: DEFAULT_LIMITS, unary }));
  await ask(upstream, { path: '/first' });
  // The connection with frames and the one that it was offered on.
  while (upstream.stats().unaryConnections < 2) await sleep(5);
  return { listener, upstream, seen };
}

const text = (exchange: Exchange, body: string): void => {
  exchange.writeHead(200, ['content-type', 'text/plain', 'content-length', String(Buffer.byteLength(body))]);
  exchange.end(body);
};

const FIRST = '/first';

test('a hundred requests at a time need no connection more', async () => {
  const { listener, upstream } = await pair(async exchange => {
    await sleep(20);
    text(exchange, exchange.url);
  });
  const paths = Array.from({ length: 100 }, (_, i) => `/${i}`);
  const answers = await Promise.all(paths.map(path => ask(upstream, { path })));
  expect(answers.map(({ body }) => body.toString())).toEqual(paths);
  expect(listener.stats.connections).toBe(2);
});

test('the service sees the request, and the proxy the answer, as over HTTP/1.1', async () => {
  const { upstream, seen } = await pair(exchange => {
    exchange.writeHead(404, [
      'content-type',
      'application/json',
      'x-bytes',
      '\xc3\xa4',
      'connection',
      'close',
      'content-length',
      '2',
    ]);
    exchange.end('{}');
  });
  const headers = ['x-remote-user', 'ada', 'x-remote-group', 'a', 'x-remote-group', 'b,c', 'x-bytes', '\xc3\xa4'];
  const { status, headers: got, body } = await ask(upstream, { method: 'DELETE', path: '/a?b=c%20d', headers });
  expect([status, body.toString()]).toEqual([404, '{}']);
  expect(got).toEqual(['content-type', 'application/json', 'x-bytes', '\xc3\xa4', 'content-length', '2']);
  const exchange = seen.at(-1);
  expect(exchange).toMatchObject({
    method: 'DELETE',
    url: '/a?b=c%20d',
    httpVersion: '1.1',
    body: null,
    peer: { address: 'unix' },
  });
  expect(exchange?.headers).toEqual(['host', 'localhost', ...headers]);
});

test('requests with a body go over HTTP/1.1', async () => {
  const { upstream, listener } = await pair(async exchange => {
    let body = '';
    for await (const chunk of exchange.body ?? []) body += String(chunk);
    text(exchange, body);
  });
  const { body } = await ask(upstream, { method: 'POST', body: Readable.from([Buffer.from('abc')]) });
  expect(body.toString()).toBe('abc');
  expect(listener.stats.connections).toBe(2);
});

test('what cannot be written fails, and says nothing of the service', async () => {
  const { upstream } = await pair(exchange => text(exchange, ''));
  await expect(ask(upstream, { headers: ['x-header', 'a\r\nb'] })).rejects.toMatchObject({ failure: 'reset', nothingSent: true });
  expect(upstream.stats().unaryInFlight).toBe(0);
});

test('a response that is cut does not look complete, and costs the others nothing', async () => {
  const { upstream } = await pair(async exchange => {
    if (exchange.url !== '/cut') {
      await sleep(30);
      return text(exchange, 'whole');
    }
    exchange.writeHead(200, ['content-length', '10']);
    exchange.write('half');
    exchange.abort();
  });
  const other = ask(upstream, { path: '/other' });
  await expect(ask(upstream, { path: '/cut' })).rejects.toMatchObject({ failure: 'reset', nothingSent: false });
  expect((await other).body.toString()).toBe('whole');
});

test('a reader who does not keep up stops the writer, and gets all of it in the end', async () => {
  const total = 3 * 1024 * 1024;
  const piece = Buffer.alloc(64 * 1024, 'x');
  let written = 0;
  const { upstream } = await pair(exchange => {
    if (exchange.url === FIRST) return text(exchange, '');
    exchange.writeHead(200, ['content-length', String(total)]);
    const go = (): void => {
      while (written < total) {
        written += piece.length;
        if (!exchange.write(piece)) break;
      }
      if (written === total) exchange.end();
    };
    exchange.onDrain(go);
    go();
  });
  let received = 0;
  let isOpen = false;
  const { call, ended } = await new Promise<{ call: UpstreamCall; ended: Promise<void> }>((resolve, reject) => {
    let end: () => void;
    const done = new Promise<void>(settled => {
      end = settled;
    });
    const started: UpstreamCall = upstream.dispatch(GET, {
      onHead: () => resolve({ call: started, ended: done }),
      onData(chunk) {
        received += chunk.length;
        return isOpen;
      },
      onEnd: () => end(),
      onError: reject,
    });
  });
  let before = -1;
  while (before !== written) {
    before = written;
    await sleep(50);
  }
  expect(written).toBeLessThan(1024 * 1024);
  isOpen = true;
  call.resume();
  await ended;
  expect(received).toBe(total);
});

test('an answer of one large piece comes whole', async () => {
  const body = Buffer.alloc(8 * 1024 * 1024 + 1, 'x');
  const { upstream } = await pair(exchange => {
    exchange.writeHead(200, ['content-length', String(body.length)]);
    exchange.end(body);
  });
  expect((await ask(upstream)).body.equals(body)).toBe(true);
});

test.each(['onHead', 'onData'] as const)('a reader whose %s throws loses its answer, and no other', async method => {
  const { upstream } = await pair(async exchange => {
    await sleep(20);
    text(exchange, 'whole');
  });
  const other = ask(upstream);
  const error = await new Promise<UpstreamError>(resolve => {
    const reader = { onHead: () => undefined, onData: () => true, onEnd: () => undefined, onError: resolve };
    const throws = (): never => {
      throw new Error('a bug');
    };
    upstream.dispatch(GET, { ...reader, [method]: throws });
  });
  expect(error).toMatchObject({ failure: 'reset', nothingSent: false });
  expect((await other).body.toString()).toBe('whole');
  expect(upstream.stats().unaryInFlight).toBe(0);
});

test('a request that is given up ends at the service', async () => {
  let closed: ((complete: boolean) => void) | undefined;
  const gone = new Promise<boolean>(resolve => {
    closed = resolve;
  });
  const { upstream } = await pair(exchange => {
    if (exchange.url === FIRST) return text(exchange, '');
    exchange.onClose(complete => closed?.(complete));
  });
  const call = upstream.dispatch(GET, {
    onHead: () => undefined,
    onData: () => true,
    onEnd: () => undefined,
    onError: () => undefined,
  });
  await sleep(20);
  call.abort();
  expect(await gone).toBe(false);
  expect(upstream.stats().unaryInFlight).toBe(0);
});

test('a service that dies fails what it had, and only that', async () => {
  const { upstream, listener } = await pair(exchange => {
    if (exchange.url === FIRST) text(exchange, '');
  });
  const failed = ask(upstream).catch((error: UpstreamError) => error);
  await sleep(20);
  await listener.close();
  expect(await failed).toMatchObject({ failure: 'reset', nothingSent: false });
  await expect(ask(upstream)).rejects.toMatchObject({ failure: 'unreachable', nothingSent: true });
});

test('a service that drains answers what it has, and gets nothing more', async () => {
  const { upstream, listener } = await pair(async exchange => {
    if (exchange.url !== FIRST) await sleep(100);
    text(exchange, 'done');
  });
  const running = ask(upstream);
  await sleep(20);
  const drained = listener.drain();
  expect((await running).body.toString()).toBe('done');
  await drained;
  expect(listener.stats).toEqual({ connections: 0, exchanges: 0 });
  await expect(ask(upstream)).rejects.toMatchObject({ failure: 'unreachable' });
});

test('a service that says nothing in time is told, and the others go on', async () => {
  const { upstream } = await pair(
    async exchange => {
      if (exchange.url === '/silent') return;
      text(exchange, 'here');
    },
    { headersTimeout: 100 },
  );
  await expect(ask(upstream, { path: '/silent' })).rejects.toMatchObject({ failure: 'timeout' });
  expect((await ask(upstream)).body.toString()).toBe('here');
});

test('requests in frames count against the same limit as those on connections of their own', async () => {
  const { upstream } = await pair(
    exchange => {
      if (exchange.url === FIRST) text(exchange, '');
    },
    { connections: 2, waiting: 0 },
  );
  const held = [ask(upstream), ask(upstream)].map(answer => answer.catch((error: UpstreamError) => error.failure));
  await expect(ask(upstream)).rejects.toMatchObject({ failure: 'busy' });
  await upstream.close();
  expect(await Promise.all(held)).toEqual(['unreachable', 'unreachable']);
});

/** A server that offers frames, and answers each request in them as it likes. */
async function misbehaving(answer: (writer: FrameWriter, stream: number) => void): Promise<ManagedUpstream> {
  const socketPath = join(temporaryFolder(), 'other.sock');
  const sockets = new Set<Duplex>();
  const server = createServer((_, response) => void response.setHeader('upgrade', FRAMES_PROTOCOL).end());
  server.on('upgrade', (_, socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${FRAMES_PROTOCOL}\r\n\r\n`);
    const writer = new FrameWriter(socket);
    const onFrame = (kind: number, stream: number): void => {
      if (kind === FRAME.request) answer(writer, stream);
    };
    const reader = new FrameReader({ onFrame, onData: () => undefined });
    socket.on('data', chunk => reader.read(chunk));
  });
  await new Promise<void>(resolve => void server.listen(socketPath, resolve));
  track({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise(resolve => server.close(resolve));
    },
  });
  const upstream = track(createUpstream({ name: 'service', origin: { socketPath }, limits: DEFAULT_LIMITS }));
  await ask(upstream);
  while (upstream.stats().unaryConnections < 2) await sleep(5);
  return upstream;
}

const MISTAKES: Record<string, (writer: FrameWriter, stream: number) => void> = {
  'a body without a head': (writer, stream) => writer.data(stream, Buffer.from('x')),
  'a head without a status': (writer, stream) => writer.text(FRAME.head, stream, 'OK'),
  'a status that is not final': (writer, stream) => writer.text(FRAME.head, stream, '101'),
  'a header without a value': (writer, stream) => writer.text(FRAME.head, stream, '200\nx-name'),
  'a head that is too large': (writer, stream) => writer.text(FRAME.head, stream, `200\nx-name\n${'x'.repeat(70_000)}`),
  'an end without a head': (writer, stream) => writer.sign(FRAME.end, stream),
  'a frame of an unknown kind': (writer, stream) => writer.sign(99 as FrameKind, stream),
  'a request': (writer, stream) => writer.text(FRAME.request, stream, 'GET\n/'),
};
test.each(Object.entries(MISTAKES))('%s is no answer, and the next one is asked for over HTTP/1.1', async (_, mistake) => {
  const upstream = await misbehaving(mistake);
  await expect(ask(upstream)).rejects.toMatchObject({ failure: 'reset', nothingSent: false });
  if (mistake !== MISTAKES['an end without a head']) expect((await ask(upstream)).status).toBe(200);
});

test('a service that sends more than there is room for loses its connection, and fills no memory', async () => {
  const upstream = await misbehaving((writer, stream) => {
    writer.text(FRAME.head, stream, '200');
    for (let i = 0; i < 20; i++) writer.data(stream, Buffer.alloc(64 * 1024));
  });
  let received = 0;
  const error = await new Promise<UpstreamError>(resolve => {
    upstream.dispatch(GET, {
      onHead: () => undefined,
      onData(chunk) {
        received += chunk.length;
        return false;
      },
      onEnd: () => undefined,
      onError: resolve,
    });
  });
  expect(error).toMatchObject({ failure: 'reset' });
  expect(received).toBeLessThanOrEqual(WINDOW);
});

test('a server that offers no frames is never asked for them', async () => {
  const socketPath = join(temporaryFolder(), 'plain.sock');
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.upgrade);
    response.end('plain');
  });
  await new Promise<void>(resolve => void server.listen(socketPath, resolve));
  track({ close: () => new Promise(resolve => server.close(resolve)) });
  const upstream = track(createUpstream({ origin: { socketPath }, limits: DEFAULT_LIMITS }));
  for (let i = 0; i < 3; i++) expect((await ask(upstream)).body.toString()).toBe('plain');
  expect(asked).toEqual([undefined, undefined, undefined]);
});

test('the offer is no header of the answer', async () => {
  const { upstream } = await pair(exchange => text(exchange, ''));
  const { headers } = await ask(upstream, { method: 'POST', body: 'x' });
  expect(headerValue(headers, 'upgrade')).toBeUndefined();
});
