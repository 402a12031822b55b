import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  closeAll,
  eventually,
  get,
  NGHTTP2_ENHANCE_YOUR_CALM,
  NGHTTP2_REFUSED_STREAM,
  pause,
  quietWatch,
  shardServer,
  upstreamTo,
  watch,
} from './upstream.fixture.ts';

afterEach(closeAll);

describe('the end of a stream', () => {
  it('is complete when the server said so, also to a reader that was slow', async () => {
    const shard = await shardServer(stream => {
      stream.respond({ ':status': 200 });
      stream.write('one');
      setTimeout(() => stream.end('two'), 30);
    });
    const slow = watch(upstreamTo(shard.url));
    slow.accept = false;
    await slow.firstData;
    await pause(150);
    slow.accept = true;
    slow.call.resume();
    expect(await slow.done).toBe(true);
    expect(slow.text).toBe('onetwo');
  });

  // A reset with NO_ERROR is to node:http2 an end like any other, and so is a connection that died.
  it('is an error when the server reset the stream with NO_ERROR, also to a reader that was slow', async () => {
    const shard = await shardServer(stream => {
      stream.respond({ ':status': 200 });
      stream.write('half of an eve');
      setTimeout(() => stream.destroy(), 30);
    });
    const upstream = upstreamTo(shard.url);
    const cut = watch(upstream);
    expect(await cut.done).toBe(false);
    expect(cut.error?.failure).toBe('reset');
    const slow = watch(upstream);
    slow.accept = false;
    await slow.firstData;
    await pause(150);
    slow.accept = true;
    slow.call.resume();
    expect(await slow.done).toBe(false);
  });

  it('by refusal proves that nothing was processed', async () => {
    const shard = await shardServer(stream => stream.close(NGHTTP2_REFUSED_STREAM));
    const refused = watch(upstreamTo(shard.url));
    expect(await refused.done).toBe(false);
    expect(refused.error).toMatchObject({ failure: 'reset', nothingSent: true });
  });

  // Seen on the inner hop, where thousands of watches came and went: Node's server counts a reset stream until it is destroyed.
  it('by a server that has no room for it is told from one that breaks off', async () => {
    const full = await shardServer(stream => stream.close(NGHTTP2_ENHANCE_YOUR_CALM));
    const refused = watch(upstreamTo(full.url));
    expect(await refused.done).toBe(false);
    expect(refused.error).toMatchObject({ failure: 'busy', nothingSent: false });

    const breaking = await shardServer(stream => {
      stream.respond({ ':status': 200 });
      stream.write('{}', () => stream.session?.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM));
    });
    const cut = watch(upstreamTo(breaking.url));
    expect(await cut.done).toBe(false);
    expect(cut.error?.failure).toBe('reset');
  });

  it('by abort reaches the server, and the handler hears nothing more', async () => {
    const shard = await shardServer(quietWatch);
    const upstream = upstreamTo(shard.url);
    const one = watch(upstream);
    await one.firstData;
    let heard = false;
    void one.done.then(() => {
      heard = true;
    });
    one.call.abort();
    await eventually(() => shard.streams.size === 0);
    await pause(20);
    expect(heard).toBe(false);
  });
});

describe('what is sent', () => {
  it('keeps repeated headers apart and carries our credentials', async () => {
    let received: readonly string[] = [];
    const shard = await shardServer(stream => {
      stream.respond({ ':status': 200 });
      stream.end();
    });
    const upstream = upstreamTo(shard.url, { authorization: () => 'ours' });
    const warm = watch(upstream);
    await warm.done;
    for (const session of shard.sessions) {
      session.on('stream', (_stream, _headers, _flags, raw: string[]) => {
        received = raw;
      });
    }
    const headers = [
      'X-Remote-Group',
      'a',
      'x-remote-group',
      'b,c',
      'Connection',
      'x-secret',
      'X-Secret',
      '1',
      'Authorization',
      'no',
    ];
    const sent = get(upstream, '/w?a=%2F', { headers, longRunning: true });
    expect(await sent.done).toBe(true);
    expect(received).toEqual([
      ...[':method', 'GET', ':path', '/w?a=%2F', ':authority', shard.url.host, ':scheme', 'https'],
      ...['x-remote-group', 'a', 'x-remote-group', 'b,c', 'authorization', 'Bearer ours'],
    ]);
  });

  it('may have a body', async () => {
    const shard = await shardServer(stream => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    const body = new PassThrough();
    const echo = get(upstreamTo(shard.url), '/', { method: 'POST', body, longRunning: true });
    body.write('one ');
    await echo.firstData;
    body.end('two');
    expect(await echo.done).toBe(true);
    expect(echo.text).toBe('one two');
  });
});

describe('back-pressure', () => {
  it('holds no more than a stream’s window, and other streams go on', async () => {
    let sent = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const shard = await shardServer((stream, path) => {
      stream.respond({ ':status': 200 });
      if (path !== '/flood') return void stream.write('quick');
      const write = (): void => {
        while (sent < 64 * 1024 * 1024) {
          sent += chunk.length;
          if (!stream.write(chunk)) return;
        }
      };
      stream.on('drain', write);
      write();
    });
    const upstream = upstreamTo(shard.url);
    const slow = watch(upstream, '/flood');
    slow.accept = false;
    await slow.firstData;
    await pause(300);
    expect(sent).toBeLessThan(2 * 1024 * 1024);
    await watch(upstream, '/quick').firstData;
    expect(slow.bytes).toBeLessThan(512 * 1024);
  });
});
