/** Requests to upgrade as the stages see them: exchanges like any other, on which only a refusal can be answered. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { sendText } from '../answer/send.ts';
import { forbiddenBecause } from '../kube/errors.ts';
import { decorated } from '../listener/decorated-exchange.ts';
import type { Exchange, Handler } from '../listener/exchange.ts';
import { headerValues } from '../listener/headers.ts';
import {
  cleanUp,
  connectRaw,
  eventually,
  exchangeRaw,
  parseRaw,
  serveTls,
  until,
  untilClosed,
} from '../listener/listener.fixture.ts';
import { refuse } from '../listener/refuse.ts';
import { createMetrics } from '../observe/metrics.ts';
import { KEY, spdy, webSocket } from './tunnel.fixture.ts';
import { upgradesTo } from './upgrades.ts';

afterEach(cleanUp);

async function serve(handler: Handler) {
  const exchanges: Exchange[] = [];
  const errors: unknown[] = [];
  const completions: boolean[] = [];
  const metrics = createMetrics({ views: [], processMetrics: false });
  const observed: Handler = exchange => {
    exchanges.push(exchange);
    exchange.onClose(complete => completions.push(complete));
    return handler(exchange);
  };
  const onUpgrade = upgradesTo({
    handler: observed,
    onError: error => void errors.push(error),
    metrics,
  });
  const { port } = await serveTls(observed, { onUpgrade });
  return { port, exchanges, errors, completions, metrics: () => metrics.registry.metrics() };
}

describe('a request to upgrade', () => {
  test('has what every request has, and what it is to be upgraded to', async () => {
    const { port, exchanges } = await serve(exchange => refuse(exchange, forbiddenBecause('no')));
    await exchangeRaw(port, webSocket('/a%2Fb?x', 'X-A: 1\r\nX-A: 2\r\n'));
    expect(exchanges[0]).toMatchObject({
      httpVersion: '1.1',
      method: 'GET',
      url: '/a%2Fb?x',
      body: null,
      peer: { address: '127.0.0.1' },
      upgrade: { protocol: 'websocket' },
    });
    expect(headerValues(exchanges[0]?.headers ?? [], 'x-a')).toEqual(['1', '2']);
  });

  test('is refused in one piece, with its length, and the connection ends', async () => {
    const { port, completions } = await serve(exchange => {
      exchange.writeHead(403, ['content-type', 'text/plain', 'x-a', 'b']);
      exchange.write('n');
      exchange.end('o');
    });
    const answer = await exchangeRaw(port, `${webSocket()}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(answer).toBe(
      'HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\nx-a: b\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno',
    );
    expect(completions).toEqual([true]);
  });

  // A stage that knows nothing of upgrades would give away what it serves; a client of a WebSocket has no use for it.
  test.each([200, 204, 302])('that a stage answers with %i is refused', async status => {
    const { port } = await serve(exchange => sendText(exchange, status, 'secret'));
    const { status: sent, body } = parseRaw(await exchangeRaw(port, webSocket()));
    expect([sent, JSON.parse(body).kind]).toEqual([400, 'Status']);
    expect(body).not.toContain('secret');
  });

  test('whose handler throws is answered with 500, and reported', async () => {
    const { port, errors } = await serve(() => {
      throw new Error('a bug');
    });
    expect(parseRaw(await exchangeRaw(port, webSocket())).status).toBe(500);
    expect(errors).toHaveLength(1);
  });

  test('is closed when its client leaves before there is an answer, which no reader of its bytes would have to notice', async () => {
    const { port, exchanges, completions } = await serve(() => undefined);
    for (const leave of ['destroy', 'end'] as const) {
      const socket = await connectRaw(port);
      socket.write(`${webSocket()}and some bytes`);
      await eventually(() => exchanges.some(({ closed }) => !closed));
      socket[leave]();
      await eventually(() => exchanges.every(({ closed }) => closed));
    }
    expect(completions).toEqual([false, false]);
  });

  test.each([
    ['POST to a WebSocket', webSocket().replace('GET', 'POST')],
    ['DELETE to a WebSocket', webSocket().replace('GET', 'DELETE')],
    ['PUT to SPDY', spdy().replace('POST', 'PUT')],
    ['WebSocket without a key', webSocket().replace(`Sec-WebSocket-Key: ${KEY}\r\n`, '')],
    // Each hop could believe another one.
    ['WebSocket with two keys', webSocket('/', `Sec-WebSocket-Key: ${KEY}\r\n`)],
    ['WebSocket with two versions', webSocket('/', 'Sec-WebSocket-Version: 8\r\n')],
  ])('with %s is refused before any stage sees it', async (_name, request) => {
    const { port, exchanges } = await serve(() => undefined);
    expect(parseRaw(await exchangeRaw(port, request)).status).toBe(400);
    expect(exchanges).toEqual([]);
  });

  test('brings the token of its subprotocols as Authorization, and nothing else of it to any stage', async () => {
    const { port, exchanges } = await serve(exchange => refuse(exchange, forbiddenBecause('no')));
    const canary = Buffer.from('canary').toString('base64url');
    const protocols = `Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.${canary}, a\r\n`;
    await exchangeRaw(port, webSocket('/', protocols));
    expect(exchanges[0]?.headers.join('\n')).toContain('Bearer canary');
    expect(exchanges[0]?.headers.join('\n')).not.toContain(canary);
    expect(parseRaw(await exchangeRaw(port, webSocket('/', protocols.replace(', a', '')))).status).toBe(401);
    expect(exchanges).toHaveLength(1);
  });

  test('shows decorated headers in the answer 101 as in any other', async () => {
    const { port, exchanges } = await serve(exchange => {
      const shown = decorated(exchange, { responseHeaders: headers => [...headers, 'audit-id', 'x'] });
      shown.upgrade?.switchProtocols(['sec-websocket-accept', 'y']);
      shown.upgrade?.connection.write('the head of somebody\r\n\r\nbytes');
    });
    const socket = await connectRaw(port);
    const received = until(socket, 'bytes');
    socket.write(webSocket());
    expect((await received).split('\r\n').slice(3)).toEqual(['sec-websocket-accept: y', 'audit-id: x', '', 'bytes']);
    expect(exchanges[0]?.status).toBe(101);
  });

  // A value that ends its line would let a backend write headers of ours, or a second answer.
  test('has no header in its answer that ends before its end', async () => {
    const { port, errors } = await serve(exchange => exchange.upgrade?.switchProtocols(['a', 'b\r\nset-cookie: c']));
    expect(parseRaw(await exchangeRaw(port, webSocket())).status).toBe(500);
    expect(errors).toHaveLength(1);
  });
});

test('tunnels are counted by protocol while they are open, and refusals are none', async () => {
  const { port, metrics } = await serve(exchange => {
    if (exchange.url === '/no') refuse(exchange, forbiddenBecause('no'));
    else exchange.upgrade?.switchProtocols([]);
  });
  const sockets = await Promise.all(
    [webSocket(), webSocket(), spdy()].map(async request => {
      const socket = await connectRaw(port);
      const switched = until(socket, '\r\n\r\n');
      socket.write(request);
      await switched;
      return socket;
    }),
  );
  expect(await metrics()).toContain('proxy_upgrades_active{protocol="websocket"} 2');
  expect(await metrics()).toContain('proxy_upgrades_active{protocol="spdy"} 1');
  await exchangeRaw(port, webSocket('/no'));
  expect(await metrics()).toContain('proxy_upgrades_active{protocol="websocket"} 2');
  const closed = sockets.map(untilClosed);
  for (const socket of sockets) socket.end();
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
  while (!(await metrics()).includes('proxy_upgrades_active{protocol="spdy"} 0')) await new Promise(setImmediate);
  while (!(await metrics()).includes('proxy_upgrades_active{protocol="websocket"} 0')) await new Promise(setImmediate);
});
