import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { tooLarge } from '../kube/errors.ts';
import {
  closeAll,
  eventually,
  httpServer,
  pause,
  quietWatch,
  rawServer,
  shardServer,
  upstreamTo,
} from '../upstream/upstream.fixture.ts';
import { fakeUpstream, fetchFrom, open, read, statusIn, testProxy } from './relay.fixture.ts';

afterEach(closeAll);

describe('an answer', () => {
  it('reaches the client byte for byte, compressed as it was', async () => {
    const bytes = gzipSync(Buffer.alloc(500_000, 'kcp '));
    const shard = await httpServer((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bytes.length, 'audit-id': 'a' }).end(bytes);
    });
    const proxy = await testProxy(upstreamTo(shard));
    const got = await fetchFrom(proxy.url);
    expect(got.body.equals(bytes)).toBe(true);
    expect(got.headers).toMatchObject({ 'content-encoding': 'gzip', 'audit-id': 'a' });
    expect(proxy.outcomes).toEqual([{ end: 'complete', upstreamStatus: 200 }]);
  });

  // Our credentials were refused, not the client's: passed on, the 401 would make it throw away its own.
  it('of 401 is not the client’s to see', async () => {
    const shard = await httpServer((_request, response) => response.writeHead(401).end('Unauthorized'));
    const got = await fetchFrom((await testProxy(upstreamTo(shard))).url);
    expect([got.status, statusIn(got)]).toEqual([502, expect.objectContaining({ reason: 'BadGateway' })]);
  });

  it('shows its head to `head`, which says what the client sees of it', async () => {
    const shard = await httpServer((_request, response) =>
      response.writeHead(201, { 'x-record': 'secret', 'x-kept': '1' }).end('ok'),
    );
    const seen: number[] = [];
    const proxy = await testProxy(upstreamTo(shard), {
      head(status, headers) {
        seen.push(status);
        return headers.filter((_, i) => headers[i - (i % 2)] !== 'x-record');
      },
    });
    const got = await fetchFrom(proxy.url);
    expect(seen).toEqual([201]);
    expect(got.headers).toMatchObject({ 'x-kept': '1' });
    expect(got.headers).not.toHaveProperty('x-record');
  });

  it('is mapped piece by piece where asked for, its length unsaid, and an error in its stead is not', async () => {
    const shard = await httpServer((request, response) => {
      response.writeHead(request.url === '/' ? 200 : 404, { 'content-length': '2' }).end('ok');
    });
    const proxy = await testProxy(upstreamTo(shard), { body: chunk => `<${Buffer.from(chunk)}>` });
    const mapped = await fetchFrom(proxy.url);
    expect([mapped.body.toString(), mapped.headers['content-length']]).toEqual(['<ok>', undefined]);
    expect((await fetchFrom(proxy.url, '/none')).body.toString()).toBe('ok');
  });

  it('whose mapping fails is cut', async () => {
    const shard = await httpServer((_request, response) => response.end('ok'));
    const proxy = await testProxy(upstreamTo(shard), {
      body() {
        throw new Error('not what was expected');
      },
    });
    expect((await fetchFrom(proxy.url)).cut).toBe(true);
    expect(proxy.outcomes[0]).toMatchObject({ end: 'cut', error: { status: { code: 500 } } });
  });

  it('that is an error can be declined, and the exchange is as before', async () => {
    const shard = await httpServer((request, response) => response.writeHead(404).end(request.url));
    const proxy = await testProxy(upstreamTo(shard), { decline: (status, body) => status === 404 && body === '/declined' });
    const kept = await fetchFrom(proxy.url, '/kept');
    expect([kept.status, kept.body.toString()]).toEqual([404, '/kept']);
    const { request, response } = open(new URL('/declined', proxy.url));
    request.end();
    await eventually(() => proxy.outcomes.length === 2);
    expect(proxy.outcomes[1]).toEqual({ end: 'declined', upstreamStatus: 404 });
    expect(await Promise.race([response, pause(50)])).toBeUndefined();
    request.destroy();
  });

  it('without a body stays without one: HEAD and 304', async () => {
    const shard = await httpServer((request, response) => {
      response.writeHead(request.method === 'HEAD' ? 200 : 304, { 'content-length': '1234', etag: '"x"' }).end();
    });
    const proxy = await testProxy(upstreamTo(shard));
    const head = await fetchFrom(proxy.url, '/', { method: 'HEAD' });
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, '1234']);
    const unmodified = await fetchFrom(proxy.url);
    expect([unmodified.status, unmodified.headers.etag, unmodified.cut]).toEqual([304, '"x"', false]);
    expect(proxy.outcomes.map(outcome => outcome.end)).toEqual(['complete', 'complete']);
  });

  // CVE-2022-3172: an aggregated server's redirect made clients send their credentials elsewhere.
  it('that redirects becomes a 502', async () => {
    const shard = await httpServer((_request, response) => response.writeHead(302, { location: 'https://evil.invalid/' }).end());
    const got = await fetchFrom((await testProxy(upstreamTo(shard))).url);
    expect(got.status).toBe(502);
    expect(got.headers).not.toHaveProperty('location');
    expect(statusIn(got)).toMatchObject({ kind: 'Status', reason: 'BadGateway' });
  });

  it('that switches protocols unasked becomes a 502', async () => {
    const port = await rawServer(
      createServer(socket => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'));
      }),
    );
    const got = await fetchFrom((await testProxy(upstreamTo(new URL(`http://127.0.0.1:${port}`)))).url);
    expect(got.status).toBe(502);
  });
});

describe('a client that leaves', () => {
  // http-proxy 1.18.1 leaves all 200 watches open upstream.
  it('takes its watch with it: of 200 none stays open upstream', async () => {
    const shard = await shardServer(quietWatch);
    const upstream = upstreamTo(shard.url);
    const proxy = await testProxy(upstream);
    const clients = Array.from({ length: 200 }, () => open(new URL('/?watch=1', proxy.url)));
    for (const { request } of clients) request.end();
    const responses = await Promise.all(clients.map(client => client.response));
    await Promise.all(responses.map(response => new Promise(resolve => response.once('data', resolve))));
    expect(shard.streams.size).toBe(200);
    for (const response of responses) response.on('error', () => undefined);
    for (const { request } of clients) request.destroy();
    await eventually(() => shard.streams.size === 0 && upstream.stats().watchStreams === 0);
    await eventually(() => proxy.outcomes.length === 200);
    expect(new Set(proxy.outcomes.map(outcome => outcome.end))).toEqual(new Set(['client-left']));
  });

  it('in the middle of an upload ends the upload, and never completes it', async () => {
    let ended = 0;
    let broken = 0;
    const shard = await httpServer(request => {
      request.resume();
      request.on('end', () => ended++);
      request.on('error', () => broken++);
    });
    const upstream = upstreamTo(shard);
    const proxy = await testProxy(upstream);
    const { request } = open(proxy.url, { method: 'POST' });
    request.write('half of it');
    await eventually(() => upstream.stats().unaryConnections === 1);
    await pause(30);
    request.destroy();
    await eventually(() => broken === 1);
    expect(ended).toBe(0);
    await eventually(() => proxy.outcomes.length === 1 && upstream.stats().unaryInFlight === 0);
    expect(proxy.outcomes[0]?.end).toBe('client-left');
  });
});

describe('a request body', () => {
  it('passes in both framings', async () => {
    const shard = await httpServer(async (request, response) => {
      response.end(`${request.headers['content-length']} ${Buffer.concat(await request.toArray())}`);
    });
    const { url } = await testProxy(upstreamTo(shard));
    const known = await fetchFrom(url, '/', { method: 'PUT', headers: { 'content-length': '4' } }, 'body');
    expect(known.body.toString()).toBe('4 body');
    const { request, response } = open(url, { method: 'PATCH' });
    request.write('bo');
    request.end('dy');
    expect((await read(await response)).body.toString()).toBe('undefined body');
  });

  it('that grows too large is answered with 413, and the upload upstream is broken off', async () => {
    let broken = false;
    const shard = await httpServer(request => {
      request.resume();
      request.on('error', () => {
        broken = true;
      });
    });
    const body = (): Readable =>
      Readable.from(
        (async function* () {
          yield Buffer.from('much');
          await pause(30);
          throw tooLarge(4);
        })(),
      );
    const proxy = await testProxy(upstreamTo(shard), {}, () => ({ method: 'POST', body: body() }));
    const got = await fetchFrom(proxy.url);
    expect(got.status).toBe(413);
    expect(statusIn(got)).toMatchObject({ reason: 'RequestEntityTooLarge' });
    await eventually(() => broken);
  });

  it('that is refused before its end still gets the answer', async () => {
    const shard = await httpServer((_request, response) => response.writeHead(403, { 'content-length': '2' }).end('no'));
    const { url } = await testProxy(upstreamTo(shard));
    const { request, response } = open(url, { method: 'POST' });
    request.write('first');
    const got = await read(await response);
    expect([got.status, got.body.toString(), got.cut]).toEqual([403, 'no', false]);
  });
});

describe('the end of access', () => {
  it('ends a running watch cleanly, and its stream upstream', async () => {
    const shard = await shardServer(quietWatch);
    let end: ((reason: string) => void) | undefined;
    let stopped = 0;
    const proxy = await testProxy(upstreamTo(shard.url), {
      until: listener => {
        end = listener;
        return () => stopped++;
      },
    });
    const { request, response } = open(new URL('/?watch=1', proxy.url));
    request.end();
    const message = await response;
    const reading = read(message);
    await eventually(() => shard.streams.size === 1);
    await pause(30);
    end?.('the binding is gone');
    const got = await reading;
    expect([got.cut, got.body.toString()]).toEqual([false, '{"type":"ADDED"}\n']);
    await eventually(() => shard.streams.size === 0);
    expect(proxy.outcomes).toEqual([{ end: 'access-ended', reason: 'the binding is gone', upstreamStatus: 200 }]);
    expect(stopped).toBe(1);
  });

  it('before anything was answered lets the client ask again', async () => {
    let dispatched = 0;
    const upstream = fakeUpstream(() => {
      dispatched++;
    });
    const proxy = await testProxy(upstream, {
      until: end => {
        end('the API set changed');
        return () => undefined;
      },
    });
    const got = await fetchFrom(proxy.url, '/?watch=1');
    expect([got.status, got.headers['retry-after'], dispatched]).toEqual([503, '1', 0]);
  });
});

describe('a slow client', () => {
  it.each(['/list', '/?watch=1'])('stops the upstream instead of filling our memory (%s)', async path => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const total = 1_000;
    let sent = 0;
    const shard = await shardServer(
      stream => {
        stream.respond({ ':status': 200 });
        const write = (): void => {
          while (sent < total) {
            sent++;
            if (!stream.write(chunk)) return;
          }
          stream.end();
        };
        stream.on('drain', write);
        write();
      },
      {
        onRequest: async (_request, response) => {
          for (; sent < total; sent++) {
            if (!response.write(chunk)) await new Promise(resolve => response.once('drain', resolve));
          }
          response.end();
        },
      },
    );
    const proxy = await testProxy(upstreamTo(shard.url));
    const { request, response } = open(new URL(path, proxy.url));
    request.end();
    const message = await response;
    message.pause();
    const before = process.memoryUsage().arrayBuffers;
    await pause(500);
    const held = process.memoryUsage().arrayBuffers - before;
    // Of 64 MB the sockets' buffers and one window are under way.
    expect(sent).toBeLessThan(total / 2);
    expect(held).toBeLessThan(24 * 1024 * 1024);
    const got = await read(message);
    expect(got.body.length).toBe(total * chunk.length);
  });
});
