/** How a response ends when it does not end well, and what it waits for. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { clientOf, type Protocol, protocols } from './client.fixture.ts';
import type { Exchange } from './exchange.ts';
import { cleanUp, deferred, serveTls } from './listener.fixture.ts';

afterEach(cleanUp);

const both = describe.each(protocols.map(protocol => ({ protocol })));

const start = async (protocol: Protocol, ...serve: Parameters<typeof serveTls>) => {
  const served = await serveTls(...serve);
  return { ...served, client: clientOf(protocol, served.port) };
};

/** Closes are remembered in the order they happened. */
const closesOf = (exchange: Exchange, closes: boolean[]): void => exchange.onClose(complete => void closes.push(complete));

both('a response over HTTP/$protocol never looks complete', ({ protocol }) => {
  test.each([true, false])('when it is aborted (content-length: %s)', async withLength => {
    const closes: boolean[] = [];
    const { client } = await start(protocol, exchange => {
      closesOf(exchange, closes);
      exchange.writeHead(200, withLength ? ['content-length', '100'] : []);
      exchange.write('half');
      setTimeout(() => exchange.abort(), 20);
    });
    expect(await client.request({})).toMatchObject({ status: 200, body: 'half', complete: false });
    expect(closes).toEqual([false]);
  });

  test('when it is aborted in the same tick', async () => {
    const { client } = await start(protocol, exchange => {
      exchange.writeHead(200, []);
      exchange.write('half');
      exchange.abort();
    });
    expect((await client.request({})).complete).toBe(false);
  });

  test('when it is aborted while much of it waits for the client', async () => {
    const { client } = await start(protocol, exchange => {
      exchange.writeHead(200, []);
      exchange.write(Buffer.alloc(2_000_000));
      exchange.abort();
    });
    expect((await client.request({})).complete).toBe(false);
  });

  test('when it is aborted before it has begun', async () => {
    const { client } = await start(protocol, exchange => exchange.abort());
    expect(await client.request({})).toMatchObject({ status: 0, complete: false });
  });

  // The client would take the beginning of the next response for the end of this one.
  test.each(['abc', 'abcdefghijk'])('when its content-length is 10 and its body %s', async body => {
    const { client } = await start(protocol, exchange => {
      exchange.writeHead(200, ['content-length', '10']);
      exchange.write(body.slice(0, 2));
      exchange.end(body.slice(2));
    });
    expect((await client.request({})).complete).toBe(false);
  });
});

both('a client that goes away over HTTP/$protocol', ({ protocol }) => {
  test('closes the exchange, and nothing can be written any more', async () => {
    const closed = deferred<boolean>();
    const exchanges: Exchange[] = [];
    const { client, listener } = await start(protocol, exchange => {
      exchanges.push(exchange);
      exchange.onClose(closed.resolve);
      exchange.writeHead(200, []);
      exchange.write('{"type":"ADDED"}\n');
    });
    const watch = client.open({ method: 'GET' });
    await watch.download;
    expect(listener.stats.exchanges).toBe(1);
    watch.leave();
    expect(await closed.promise).toBe(false);
    expect(exchanges[0]?.closed).toBe(true);
    expect(exchanges[0]?.write('more')).toBe(false);
    expect(listener.stats.exchanges).toBe(0);
  });

  test('before the response has begun closes it too', async () => {
    const closed = deferred<boolean>();
    const arrived = deferred<void>();
    const { client } = await start(protocol, exchange => {
      exchange.onClose(closed.resolve);
      arrived.resolve();
    });
    const request = client.open({ method: 'GET' });
    await arrived.promise;
    request.leave();
    expect(await closed.promise).toBe(false);
  });

  test('in the middle of its body makes the body fail', async () => {
    const outcome = deferred<unknown>();
    const arrived = deferred<void>();
    const { client } = await start(protocol, async exchange => {
      try {
        for await (const _ of exchange.body ?? []) arrived.resolve();
        outcome.resolve('complete');
      } catch (error) {
        outcome.resolve(error);
      }
    });
    const request = client.open({ method: 'POST', headers: { 'content-length': '10' } });
    request.upload.write('12345');
    await arrived.promise;
    request.leave();
    expect(String(await outcome.promise)).toContain('Error');
  });
});

both('back-pressure over HTTP/$protocol', ({ protocol }) => {
  test('stops a writer whose client does not read, and lets it go on when the client does', async () => {
    const size = 64 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const full = deferred<Exchange>();
    const { client } = await start(protocol, exchange => {
      exchange.writeHead(200, ['content-length', String(size)]);
      const pump = (): void => {
        while (exchange.bytesWritten < size) {
          if (!exchange.write(chunk)) {
            full.resolve(exchange);
            return;
          }
        }
        exchange.end();
      };
      exchange.onDrain(pump);
      pump();
    });
    const request = client.open({ method: 'GET' });
    const download = await request.download;
    const exchange = await full.promise;
    // The kernel's buffers fill up; nothing else may.
    let before = -1;
    while (before !== exchange.bytesWritten) {
      before = exchange.bytesWritten;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    expect(exchange.bytesWritten).toBeLessThan(size / 2);
    let received = 0;
    for await (const piece of download) received += (piece as Buffer).length;
    expect(received).toBe(size);
  });

  test('stops a client whose body nobody reads', async () => {
    const arrived = deferred<Exchange>();
    const limits = { requestBody: 256 * 1024 * 1024 };
    const { client } = await start(protocol, exchange => arrived.resolve(exchange), { limits });
    const { upload } = client.open({ method: 'POST' });
    const chunk = Buffer.alloc(1024 * 1024);
    let sent = 0;
    const pump = (): void => {
      while (sent < 64 && upload.write(chunk)) sent++;
    };
    upload.on('drain', pump);
    pump();
    const exchange = await arrived.promise;
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    expect(sent).toBeLessThan(32);
    expect(exchange.body?.readableLength ?? 0).toBeLessThan(1024 * 1024);
  });
});
