/** What a handler can rely on, over HTTP/1.1 and HTTP/2 alike. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { badRequest } from '../kube/errors.ts';
import { clientOf, type Protocol, protocols } from './client.fixture.ts';
import type { Exchange } from './exchange.ts';
import { answer, cleanUp, deferred, echo, eventually, serveTls } from './listener.fixture.ts';

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
