/** What a handler can rely on, over HTTP/1.1 and HTTP/2 alike. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { badRequest } from '../kube/errors.ts';
import type { Exchange } from './exchange.ts';
import { answer, cleanUp, clientOf, deferred, echo, eventually, type Protocol, protocols, serveTls } from './listener.fixture.ts';

afterEach(cleanUp);

const both = describe.each(protocols.map(protocol => ({ protocol })));

const start = async (protocol: Protocol, ...serve: Parameters<typeof serveTls>) => {
  const served = await serveTls(...serve);
  return { ...served, client: clientOf(protocol, served.port) };
};

/** Closes are remembered in the order they happened. */
const closesOf = (exchange: Exchange, closes: boolean[]): void => exchange.onClose(complete => void closes.push(complete));

both('an exchange over HTTP/$protocol', ({ protocol }) => {
  test('carries the request as it was sent', async () => {
    const { client } = await start(protocol, echo);
    const { status, body } = await client.request({
      method: 'POST',
      path: '/api//v1/%2e%2e/x?a=%2F&&b',
      headers: { 'X-Group': ['a,b', 'c'], 'x-other': 'd' },
      body: 'hello',
    });
    const seen = JSON.parse(body);
    expect(status).toBe(200);
    expect(seen).toMatchObject({ httpVersion: protocol, method: 'POST', url: '/api//v1/%2e%2e/x?a=%2F&&b', body: 'hello' });
    const headers = seen.headers as string[];
    const groups = headers.filter((_, index) => headers[index - 1]?.toLowerCase() === 'x-group' && index % 2 === 1);
    expect(groups).toEqual(['a,b', 'c']);
    expect(headers.some(name => name.startsWith(':'))).toBe(false);
    expect(headers.map(name => name.toLowerCase()).filter(name => name === 'host')).toHaveLength(1);
  });

  test('has no body if the request has none', async () => {
    const bodies: unknown[] = [];
    const { client } = await start(protocol, exchange => {
      bodies.push(exchange.body);
      answer(exchange, 'ok');
    });
    for (const method of ['GET', 'HEAD', 'OPTIONS']) await client.request({ method });
    expect(bodies).toEqual([null, null, null]);
  });

  test('keeps repeated response headers apart, and the bytes of their values', async () => {
    const { client } = await start(protocol, exchange => {
      exchange.writeHead(200, ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'Warning', '299 - "M\xc3\xbcll"']);
      exchange.end();
    });
    const { headers } = await client.request({});
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(headers.warning).toBe('299 - "M\xc3\xbcll"');
  });

  test('sends no connection headers of the handler', async () => {
    const { client } = await start(protocol, exchange => {
      const headers = ['Connection', 'x-secret', 'Keep-Alive', 'timeout=9', 'Transfer-Encoding', 'gzip', 'Upgrade', 'h2c'];
      exchange.writeHead(200, [...headers, 'TE', 'trailers', 'x-kept', '1']);
      exchange.end('body');
    });
    const { status, headers, body } = await client.request({});
    expect(status).toBe(200);
    expect(body).toBe('body');
    expect(headers['x-kept']).toBe('1');
    expect(headers.upgrade).toBeUndefined();
    expect(headers.connection ?? '').not.toContain('x-secret');
    expect(headers['transfer-encoding'] ?? '').not.toContain('gzip');
  });

  test('sends the head before there is a body, as a watch needs it', async () => {
    const { client } = await start(protocol, exchange => exchange.writeHead(200, []));
    const request = client.open({ method: 'GET' });
    await expect(request.download).resolves.toBeDefined();
  });

  test('counts status and bytes', async () => {
    const done = deferred<Exchange>();
    const { client } = await start(protocol, exchange => {
      expect(exchange.status).toBe(0);
      exchange.onClose(() => done.resolve(exchange));
      exchange.writeHead(201, []);
      exchange.write('äö');
      exchange.write('');
      exchange.end(Buffer.from('abc'));
    });
    expect(await client.request({})).toMatchObject({
      status: 201,
      complete: true,
      body: Buffer.from('äöabc').toString('latin1'),
    });
    const { status, bytesWritten, closed } = await done.promise;
    expect({ status, bytesWritten, closed }).toEqual({ status: 201, bytesWritten: 7, closed: true });
  });

  test.each(['HEAD', 'GET'])('sends no body with a %s answered by a status that has none', async method => {
    const closes: boolean[] = [];
    const { client } = await start(protocol, exchange => {
      closesOf(exchange, closes);
      exchange.writeHead(method === 'HEAD' ? 200 : 304, method === 'HEAD' ? ['content-length', '5'] : []);
      exchange.write('hel');
      exchange.end('lo');
    });
    const response = await client.request({ method });
    expect(response).toMatchObject({ body: '', complete: true });
    if (method === 'HEAD') expect(response.headers['content-length']).toBe('5');
    // The connection is still in order.
    expect((await client.request({ method })).complete).toBe(true);
    await eventually(() => closes.length === 2);
    expect(closes).toEqual([true, true]);
  });

  test('tells its end once, and at once to those who ask late', async () => {
    const calls: string[] = [];
    const done = deferred<void>();
    const { client } = await start(protocol, exchange => {
      exchange.onClose(complete => {
        calls.push(`first ${complete}`);
        exchange.onClose(again => calls.push(`late ${again}`));
        done.resolve();
      });
      answer(exchange, 'ok');
    });
    await client.request({});
    await done.promise;
    expect(calls).toEqual(['first true', 'late true']);
  });

  test('ignores whatever is written after its end', async () => {
    const done = deferred<Exchange>();
    const { client, errors } = await start(protocol, exchange => {
      exchange.onClose(() => done.resolve(exchange));
      answer(exchange, 'ok');
      expect(exchange.write('more')).toBe(false);
      exchange.end('more');
    });
    expect(await client.request({})).toMatchObject({ body: 'ok', complete: true });
    const exchange = await done.promise;
    exchange.writeHead(500, []);
    expect(exchange.write('more')).toBe(false);
    exchange.end();
    exchange.abort();
    expect(exchange.status).toBe(200);
    expect((await client.request({})).complete).toBe(true);
    expect(errors).toEqual([]);
  });

  test('answers with a Status when the handler throws, and reports it', async () => {
    const { client, errors } = await start(protocol, exchange => {
      if (exchange.url === '/status') throw badRequest('not like this');
      throw new Error('a secret of ours');
    });
    const response = await client.request({});
    expect(response.status).toBe(500);
    expect(JSON.parse(response.body)).toMatchObject({ kind: 'Status', code: 500, reason: 'InternalError' });
    expect(response.body).not.toContain('secret');
    expect(JSON.parse((await client.request({ path: '/status' })).body)).toMatchObject({ code: 400, message: 'not like this' });
    expect(errors).toHaveLength(2);
  });

  test('cuts a response that has begun when the handler rejects', async () => {
    const { client, errors } = await start(protocol, async exchange => {
      exchange.writeHead(200, []);
      exchange.write('half');
      await Promise.reject(new Error('broken'));
    });
    expect((await client.request({})).complete).toBe(false);
    expect(errors).toHaveLength(1);
  });

  test('answers with 500 when the handler gives headers that cannot be sent', async () => {
    const { client, errors } = await start(protocol, exchange => exchange.writeHead(200, ['x', 'a\r\nset-cookie: evil']));
    const response = await client.request({});
    expect(response.status).toBe(500);
    expect(response.headers['set-cookie']).toBeUndefined();
    expect(errors).toHaveLength(1);
  });

  test('survives listeners that throw', async () => {
    const { client, errors } = await start(protocol, exchange => {
      exchange.onClose(() => {
        throw new Error('close listener');
      });
      answer(exchange, 'ok');
    });
    await client.request({});
    await client.request({});
    await eventually(() => errors.length === 2);
  });
});

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
