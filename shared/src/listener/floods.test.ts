/** Clients that try to keep the whole process busy: they lose their own connection, and the others notice nothing. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { openHttp2, request2, responseOf } from './client.fixture.ts';
import {
  ACK,
  CONTINUATION,
  connectFrames,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  framesUntilClosed,
  GOAWAY,
  HEADERS,
  literal,
  PING,
  RST_STREAM,
  requestBlock,
  SETTINGS,
  uint32,
} from './http2-frames.fixture.ts';
import {
  answer,
  cleanUp,
  connectRaw,
  eventually,
  resetConnection,
  type Served,
  serveTls,
  untilClosed,
} from './listener.fixture.ts';

afterEach(cleanUp);

const CANCEL = uint32(8);

/** Asks again and again until the attack is over. */
async function bystander({ port }: Served, attack: Promise<unknown>): Promise<{ asked: number; served: number }> {
  const session = openHttp2(port);
  let over = false;
  void attack.then(() => {
    over = true;
  });
  const counts = { asked: 0, served: 0 };
  do {
    counts.asked++;
    if ((await request2(session, {})).status === 200) counts.served++;
  } while (!over);
  return counts;
}

/** A server on which one request in the background answers and others, under `/slow`, never do. */
const serve = (): Promise<Served> =>
  serveTls(exchange => {
    if (exchange.url !== '/slow') answer(exchange, 'ok');
  });

describe('a client loses its connection, and another one is served all the time, when it', () => {
  // CVE-2023-44487: a reset stream does not count against the limit of streams, but has made work already.
  test('opens and resets streams rapidly', async () => {
    const served = await serve();
    const socket = await connectFrames(served.port);
    const frames = framesUntilClosed(socket);
    const requests: Buffer[] = [];
    for (let stream = 1; stream < 10_000; stream += 2) {
      requests.push(
        frame(HEADERS, END_STREAM | END_HEADERS, stream, requestBlock('GET', '/slow')),
        frame(RST_STREAM, 0, stream, CANCEL),
      );
    }
    socket.write(Buffer.concat(requests));
    const counts = await bystander(served, frames);
    expect(counts.served).toBe(counts.asked);
    expect((await frames).some(({ type }) => type === GOAWAY)).toBe(true);
    await eventually(() => served.listener.stats.exchanges === 0);
  });

  // CVE-2024-27983, CVE-2024-28182: a header block that never ends, kept and decompressed for ever.
  test('continues a header block without end', async () => {
    const served = await serve();
    const socket = await connectFrames(served.port);
    const frames = framesUntilClosed(socket);
    socket.write(frame(HEADERS, END_STREAM, 1, requestBlock('GET')));
    for (let count = 0; count < 1_000; count++) socket.write(frame(CONTINUATION, 0, 1, literal('x', 'y'.repeat(1_000))));
    const counts = await bystander(served, frames);
    expect(counts.served).toBe(counts.asked);
  });

  test('continues a header block and goes away before its end', async () => {
    const served = await serve();
    for (let count = 0; count < 50; count++) {
      const socket = await connectFrames(served.port);
      socket.write(frame(HEADERS, END_STREAM, 1, requestBlock('GET')));
      socket.write(frame(CONTINUATION, 0, 1, literal('x', 'y')));
      resetConnection(socket);
    }
    await eventually(() => served.listener.stats.connections === 0);
    expect((await request2(openHttp2(served.port), {})).status).toBe(200);
  });

  test.each([
    ['settings', frame(SETTINGS, 0, 0)],
    ['pings', frame(PING, 0, 0, Buffer.alloc(8))],
  ])('sends %s and does not read the answers', async (_name, flood) => {
    const served = await serve();
    const socket = await connectFrames(served.port);
    const closed = new Promise(resolve => socket.once('close', resolve));
    socket.pause();
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => flood));
    const pump = (): void => {
      while (!socket.destroyed && socket.write(many));
    };
    socket.on('drain', pump);
    pump();
    const counts = await bystander(served, closed);
    expect(counts.served).toBe(counts.asked);
  });

  test('opens more streams than it may', async () => {
    const served = await serve();
    const socket = await connectFrames(served.port);
    const frames = framesUntilClosed(socket);
    for (let stream = 1; stream < 1_000; stream += 2) {
      socket.write(frame(HEADERS, END_STREAM | END_HEADERS, stream, requestBlock('GET', '/slow')));
    }
    const counts = await bystander(served, frames);
    expect(counts.served).toBe(counts.asked);
    await eventually(() => served.listener.stats.exchanges === 0);
  });
});

describe('over HTTP/2', () => {
  test.each([
    ['a stream that only servers may open', frame(HEADERS, END_STREAM | END_HEADERS, 2, requestBlock('GET'))],
    ['data for a stream that is not there', frame(DATA, 0, 1, Buffer.from('hello'))],
    ['settings of an impossible length', frame(SETTINGS, 0, 0, Buffer.alloc(5))],
    ['headers that cannot be decompressed', frame(HEADERS, END_STREAM | END_HEADERS, 1, Buffer.alloc(9, 0xff))],
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
  ])('%s ends the connection with a GOAWAY, and is reported as the client’s mistake', async (_name, bytes) => {
    const { port, clientErrors, errors } = await serve();
    const socket = await connectFrames(port);
    const frames = framesUntilClosed(socket);
    socket.write(bytes);
    expect((await frames).map(({ type }) => type)).toContain(GOAWAY);
    expect(clientErrors).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  test('headers may be as large as the limit in frames as large as the settings allow', async () => {
    const served = await serve();
    const socket = await connectFrames(served.port);
    const block = Buffer.concat([
      requestBlock('GET'),
      ...Array.from({ length: 18 }, (_, i) => literal(`x-${i}`, 'y'.repeat(50_000))),
    ]);
    const size = 128 * 1024;
    for (let at = 0; at < block.length; at += size) {
      const isLast = at + size >= block.length;
      const type = at === 0 ? HEADERS : CONTINUATION;
      const flags = (at === 0 ? END_STREAM : 0) | (isLast ? END_HEADERS : 0);
      socket.write(frame(type, flags, 1, block.subarray(at, at + size)));
    }
    const received = await new Promise<Buffer>(resolve => {
      let all = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        all = Buffer.concat([all, chunk]);
        if (all.includes('ok')) resolve(all);
      });
    });
    expect(received.includes('ok')).toBe(true);
    socket.write(frame(PING, ACK, 0, Buffer.alloc(8)));
  });

  test('as many watches as the limit run on one connection, and all of them may end at once', async () => {
    const { port, listener } = await serve();
    const session = openHttp2(port);
    const streams = Array.from({ length: 250 }, () => session.request({ ':path': '/slow' }));
    await eventually(() => listener.stats.exchanges === 250);
    const ended = streams.map(responseOf);
    for (const stream of streams) stream.close(8);
    await Promise.all(ended);
    await eventually(() => listener.stats.exchanges === 0);
    expect((await request2(session, {})).status).toBe(200);
  });
});

describe('connections that break off', () => {
  // http-proxy ended the process with an 'error' event that nobody listened to.
  test('at any moment do not end the process', async () => {
    const { port, listener, errors } = await serveTls(async exchange => {
      exchange.writeHead(200, []);
      for await (const chunk of exchange.body ?? []) exchange.write(chunk as Buffer);
      exchange.end();
    });
    const request = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
    const http2 = Buffer.concat([
      frame(HEADERS, END_HEADERS, 1, requestBlock('POST')),
      frame(DATA, 0, 1, Buffer.from('hello')),
      frame(DATA, END_STREAM, 1, Buffer.from('hello')),
    ]);
    const rounds: Promise<unknown>[] = [];
    for (let round = 0; round < 150; round++) {
      const isHttp2 = round % 2 === 1;
      const bytes = isHttp2 ? http2 : Buffer.from(request.repeat(3));
      const socket = await (isHttp2 ? connectFrames(port) : connectRaw(port));
      rounds.push(untilClosed(socket));
      socket.write(bytes.subarray(0, Math.floor((bytes.length * round) / 150)));
      if (round % 3 === 0) resetConnection(socket);
      else if (round % 3 === 1) socket.destroy();
      else setTimeout(() => resetConnection(socket), 2);
    }
    await Promise.all(rounds);
    await eventually(() => listener.stats.connections === 0);
    expect(listener.stats.exchanges).toBe(0);
    expect((await request2(openHttp2(port), {})).status).toBe(200);
    expect(errors.every(error => !String(error).includes('TypeError'))).toBe(true);
  });
});
