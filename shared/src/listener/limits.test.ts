/** What a client may send at most: bodies, headers, time. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { StatusError } from '../kube/errors.ts';
import { clientOf, openHttp2, protocols, request2 } from './client.fixture.ts';
import type { Exchange } from './exchange.ts';
import {
  answer,
  cleanUp,
  connectRaw,
  deferred,
  echo,
  eventually,
  parseRaw,
  serveTls,
  until,
  untilClosed,
} from './listener.fixture.ts';
import { refuse } from './refuse.ts';

afterEach(cleanUp);

const both = describe.each(protocols.map(protocol => ({ protocol })));

/** Reads the body and answers with its size, or with the error it ends with. */
async function measure(exchange: Exchange): Promise<void> {
  let size = 0;
  try {
    for await (const chunk of exchange.body ?? []) size += (chunk as Buffer).length;
    answer(exchange, String(size));
  } catch (error) {
    refuse(exchange, error as StatusError);
  }
}

both('a body over HTTP/$protocol', ({ protocol }) => {
  test('may be as large as the limit', async () => {
    const { port } = await serveTls(measure, { limits: { requestBody: 100_000 } });
    const response = await clientOf(protocol, port).request({ method: 'POST', body: Buffer.alloc(100_000) });
    expect(response).toMatchObject({ status: 200, body: '100000' });
  });

  test('whose content-length is over the limit is refused with 413 before the handler sees it', async () => {
    const seen: string[] = [];
    const { port } = await serveTls(exchange => void seen.push(exchange.url), { limits: { requestBody: 100_000 } });
    const response = await clientOf(protocol, port).request({
      method: 'POST',
      headers: { 'content-length': 8_000_000 },
      body: Buffer.alloc(8_000_000),
    });
    expect(response).toMatchObject({ status: 413, complete: true });
    expect(JSON.parse(response.body)).toMatchObject({ kind: 'Status', reason: 'RequestEntityTooLarge', code: 413 });
    expect(seen).toEqual([]);
  });

  test('of unknown length ends with a 413 as soon as it is over the limit', async () => {
    const { port, errors } = await serveTls(measure, { limits: { requestBody: 100_000 } });
    const { upload, response } = clientOf(protocol, port).open({ method: 'POST' });
    const received = response;
    // It would go on for ever.
    const chunk = Buffer.alloc(50_000);
    const pump = (): void => {
      while (!upload.destroyed && !upload.writableEnded && upload.write(chunk));
    };
    upload.on('drain', pump);
    pump();
    expect(await received).toMatchObject({ status: 413 });
    expect(errors).toEqual([]);
  });

  test('that is too large and that nobody listens to does not end the process', async () => {
    const closed = deferred<boolean>();
    const { port } = await serveTls(
      exchange => {
        exchange.onClose(closed.resolve);
        exchange.body?.resume();
        exchange.body?.once('close', () => exchange.abort());
      },
      { limits: { requestBody: 10 } },
    );
    const { upload } = clientOf(protocol, port).open({ method: 'POST' });
    upload.write('more than ten bytes');
    expect(await closed.promise).toBe(false);
  });

  test('that nobody reads does not keep the response from being complete, nor the next request from being served', async () => {
    const { port, listener } = await serveTls(exchange => answer(exchange, 'no', 403));
    const client = clientOf(protocol, port);
    for (let round = 0; round < 2; round++) {
      const response = await client.request({ method: 'POST', body: Buffer.alloc(2_000_000) });
      expect(response).toMatchObject({ status: 403, body: 'no', complete: true });
    }
    await eventually(() => listener.stats.exchanges === 0);
  });

  test('that is read in part does not either', async () => {
    const { port, listener } = await serveTls(async exchange => {
      for await (const _ of exchange.body ?? []) break;
      answer(exchange, 'enough', 400);
    });
    const response = await clientOf(protocol, port).request({ method: 'POST', body: Buffer.alloc(2_000_000) });
    expect(response).toMatchObject({ status: 400, body: 'enough' });
    await eventually(() => listener.stats.exchanges === 0);
  });

  test('that does not come to its end within the time for requests loses its connection or stream', async () => {
    const closed = deferred<boolean>();
    const { port } = await serveTls(
      exchange => {
        exchange.onClose(closed.resolve);
        exchange.body?.resume();
      },
      { limits: { headersTimeout: 200 }, timeouts: { request: 300 } },
    );
    const { upload } = clientOf(protocol, port).open({ method: 'POST', headers: { 'content-length': 100 } });
    upload.write('slowly');
    expect(await closed.promise).toBe(false);
  });

  test('does not limit the time of its response', async () => {
    const { port } = await serveTls(
      async exchange => {
        exchange.writeHead(200, []);
        await new Promise(resolve => setTimeout(resolve, 700));
        exchange.end('still here');
      },
      { limits: { headersTimeout: 100 }, timeouts: { request: 200, idle: 200 } },
    );
    expect(await clientOf(protocol, port).request({ method: 'POST', body: 'x' })).toMatchObject({
      body: 'still here',
      complete: true,
    });
  });
});

both('headers over HTTP/$protocol', ({ protocol }) => {
  test('may hold a token of 64 KiB', async () => {
    const { port } = await serveTls(exchange => answer(exchange, String(exchange.headers.join().length)));
    const authorization = `Bearer ${randomBytes(48 * 1024).toString('base64url')}`;
    const response = await clientOf(protocol, port).request({ headers: { authorization } });
    expect(response.status).toBe(200);
    expect(Number(response.body)).toBeGreaterThan(64 * 1024);
  });

  test('must not have a second Host or Authorization', async () => {
    const { port } = await serveTls(echo);
    const client = clientOf(protocol, port);
    const twice = { authorization: ['Bearer a', 'Bearer b'] as unknown as string };
    if (protocol === '2.0') {
      expect((await client.request({ headers: { host: 'other', ':authority': 'one' } })).status).toBe(400);
      expect((await client.request({ headers: { host: 'one', ':authority': 'one' } })).status).toBe(200);
    } else {
      expect((await client.request({ headers: twice })).status).toBe(400);
    }
  });
});

describe('headers that are too large', () => {
  test('are answered with 431 over HTTP/1.1', async () => {
    const { port, clientErrors } = await serveTls(echo);
    const socket = await connectRaw(port);
    const received = untilClosed(socket);
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(1024 * 1024 + 1)}\r\n\r\n`);
    const { status, body } = parseRaw(await received);
    expect(status).toBe(431);
    expect(JSON.parse(body)).toMatchObject({ kind: 'Status', code: 431 });
    expect(clientErrors).toHaveLength(1);
  });

  test('are refused over HTTP/2, and the session goes on', async () => {
    const seen: string[] = [];
    const { port } = await serveTls(
      exchange => {
        seen.push(exchange.url);
        answer(exchange, 'ok');
      },
      { limits: { requestHeaders: 60_000 } },
    );
    const session = openHttp2(port);
    // The server's settings arrive first, as with any client that has been connected for a moment.
    await new Promise(resolve => session.once('remoteSettings', resolve));
    expect((await request2(session, large(100_000))).status).toBe(0);
    expect((await request2(session, { ':path': '/small', ...large(50_000) })).status).toBe(200);
    expect(seen).toEqual(['/small']);
  });
});

/** So many bytes of headers, which compression makes no shorter. */
const large = (bytes: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: bytes / 10_000 }, (_, index) => [`x-${index}`, '\\'.repeat(10_000)]));

both('Expect over HTTP/$protocol', ({ protocol }) => {
  test('is answered when the handler reads the body, and does not reach it', async () => {
    const { port } = await serveTls(echo);
    const { upload, response } = clientOf(protocol, port).open({
      method: 'POST',
      headers: { expect: '100-continue', 'content-length': 5 },
    });
    const received = response;
    upload.once('continue', () => upload.end('hello'));
    const seen = JSON.parse((await received).body);
    expect(seen.body).toBe('hello');
    expect((seen.headers as string[]).map(name => name.toLowerCase())).not.toContain('expect');
  });

  test('is not answered when the handler refuses the request', async () => {
    const { port } = await serveTls(exchange => answer(exchange, 'no', 403));
    const { upload, response } = clientOf(protocol, port).open({
      method: 'POST',
      headers: { expect: '100-continue', 'content-length': 5 },
    });
    const continued: boolean[] = [];
    upload.once('continue', () => continued.push(true));
    expect((await response).status).toBe(403);
    expect(continued).toEqual([]);
  });

  test('of anything else is 417', async () => {
    const { port } = await serveTls(echo);
    const client = clientOf(protocol, port);
    expect((await client.request({ method: 'POST', headers: { expect: '200-ok' }, body: 'x' })).status).toBe(417);
    expect((await client.request({ method: 'POST', headers: { expect: '100-continue, 200-ok' }, body: 'x' })).status).toBe(417);
  });
});

describe('time', () => {
  // CVE-2018-12122: one byte now and then keeps a connection, and all connections are soon kept.
  test('is up for a head that dribbles in over HTTP/1.1', async () => {
    const { port } = await serveTls(echo, { limits: { headersTimeout: 300 } });
    const socket = await connectRaw(port);
    const received = untilClosed(socket);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
    const dribble = setInterval(() => socket.write('X: y\r\n'), 50);
    expect(parseRaw(await received).status).toBe(408);
    clearInterval(dribble);
  });

  test('is up for a connection that says nothing', async () => {
    const { port } = await serveTls(echo, { limits: { headersTimeout: 300 } });
    await untilClosed(await connectRaw(port));
  });

  test('is up for an HTTP/2 session without requests, also when it keeps sending frames', async () => {
    const { port } = await serveTls(exchange => answer(exchange, 'ok'), { timeouts: { idle: 300 } });
    const session = openHttp2(port);
    const closed = new Promise(resolve => session.once('close', resolve));
    expect((await request2(session, {})).status).toBe(200);
    const pings = setInterval(() => !session.destroyed && session.ping(() => {}), 50);
    await closed;
    clearInterval(pings);
  });

  test('is not up for a watch on which nothing happens', async () => {
    const { port } = await serveTls(
      exchange => {
        exchange.writeHead(200, []);
        setTimeout(() => exchange.end('event'), 500);
      },
      { timeouts: { idle: 100, request: 100 }, limits: { headersTimeout: 100 } },
    );
    for (const protocol of protocols) {
      expect(await clientOf(protocol, port).request({})).toMatchObject({ body: 'event', complete: true });
    }
  });

  test('is up for a TLS handshake that never begins', async () => {
    const { port, clientErrors } = await serveTls(echo, { timeouts: { handshake: 200 } });
    await untilClosed(connect(port, '127.0.0.1'));
    expect(clientErrors).toHaveLength(1);
  });
});

describe('a refused upload', () => {
  // A socket closed with unread bytes in it resets the connection, and the client reports a broken pipe instead of the 413.
  test('can be read by a client that sends all of its body first', async () => {
    const { port, listener } = await serveTls(measure, { limits: { requestBody: 1_000 } });
    const transport = connect(port, '127.0.0.1');
    const socket = await connectRaw(port, {}, transport);
    const sent = new Promise<Error | null | undefined>(resolve => {
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n');
      transport.pause();
      // By then the server has answered, and has nothing more to say.
      setTimeout(() => socket.write(Buffer.alloc(3_000_000), resolve), 100);
    });
    expect(await sent).toBeFalsy();
    const received = until(socket, 'RequestEntityTooLarge');
    transport.resume();
    expect(await received).toContain('HTTP/1.1 413');
    await eventually(() => listener.stats.connections === 0);
  });
});
