/** An upstream before a listener on a Unix socket: short requests go in frames once these were offered, and nothing else changes. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { cleanUp } from '../listener/listener.fixture.ts';
import { ask, GET, pair, text } from './frame-client.fixture.ts';
import { closeAll } from './upstream.fixture.ts';
import type { UpstreamCall, UpstreamError } from './upstream.ts';

afterEach(closeAll);
afterEach(cleanUp);

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
