import { setImmediate as nextTurn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { RawHeaders } from '../listener/headers.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import { sendCollected, sendCompressed } from './collect.ts';
import { acceptsGzip, COMPRESSED_FROM } from './compression.ts';
import { sendLargeObject } from './send.ts';
import { ask, BASE, FakeExchange, newCollection, widget } from './serve.fixture.ts';

const GZIP = ['Accept-Encoding', 'gzip'];

describe('whether a request takes gzip', () => {
  test.each([
    ['gzip', true],
    ['GZip;q=0.5, br', true],
    ['br, *', true],
    ['*;q=0, gzip', true],
    ['br', false],
    ['gzip;q=0, *', false],
    ['gzip ; q=0.000', false],
    ['', false],
  ])('of `%s`: %p', (value, expected) => {
    expect(acceptsGzip(['accept-encoding', value])).toBe(expected);
  });

  test('one that says nothing does not', () => {
    expect(acceptsGzip([])).toBe(false);
  });
});

describe('an answer that was collected', () => {
  const response = (size: number, headers: RawHeaders = []) => ({ status: 200, headers, body: Buffer.alloc(size, 'kcp ') });
  const sent = async (headers: RawHeaders, size: number, own: RawHeaders = [], how = sendCompressed) => {
    const exchange = fakeExchange('GET', '/', { headers });
    await how(exchange, response(size, own));
    const header = (name: string) => exchange.responseHeader(name);
    return { exchange, body: exchange.bytes, encoding: header('content-encoding'), length: header('content-length'), header };
  };

  test('is compressed where it is large and the caller takes that', async () => {
    const { body, encoding, length, header } = await sent(GZIP, COMPRESSED_FROM, ['content-type', 'application/json']);
    expect([encoding, length, header('vary')]).toEqual(['gzip', String(body.length), 'Accept-Encoding']);
    expect(header('content-type')).toBe('application/json');
    expect(gunzipSync(body)).toEqual(response(COMPRESSED_FROM).body);
  });

  test.each([
    ['it is small', GZIP, COMPRESSED_FROM - 1],
    ['the caller takes no gzip', [], COMPRESSED_FROM],
  ])('is plain where %s, whatever the shard sent', async (_, headers, size) => {
    const { body, encoding, length } = await sent(headers, size, ['content-encoding', 'gzip', 'content-length', '7']);
    expect([encoding, length]).toEqual([undefined, String(size)]);
    expect(body).toHaveLength(size);
  });

  test('says once what it varies with, and once that it is compressed', async () => {
    const { exchange } = await sent(GZIP, COMPRESSED_FROM, ['vary', 'Accept', 'content-encoding', 'gzip', 'content-length', '7']);
    const names = exchange.responseHeaders.filter((_, i) => i % 2 === 0);
    expect(names.toSorted()).toEqual(['content-encoding', 'content-length', 'vary']);
  });

  test('of an error is as it came', async () => {
    const { encoding } = await sent(GZIP, COMPRESSED_FROM, [], async (exchange, one) => sendCollected(exchange, one));
    expect(encoding).toBeUndefined();
  });

  test('is sent to nobody who has left while it was compressed', async () => {
    const exchange = fakeExchange('GET', '/', { headers: GZIP });
    const done = sendCompressed(exchange, response(COMPRESSED_FROM));
    exchange.leave();
    await done;
    expect(exchange.status).toBe(0);
  });

  test('of an object that is printed is compressed alike', async () => {
    const exchange = fakeExchange('GET', '/', { headers: GZIP });
    const object = { items: Array.from({ length: 20_000 }, (_, i) => `item ${i}`) };
    await sendLargeObject(exchange, 200, object, 'application/json');
    expect(exchange.responseHeader('content-encoding')).toBe('gzip');
    expect(JSON.parse(gunzipSync(exchange.bytes).toString())).toEqual(object);
  });
});

describe('a list that is served', () => {
  const filled = (count: number) => {
    const collection = newCollection();
    for (let i = 0; i < count; i += 1) collection.set(widget(`w${i}`, { color: `${'é'.repeat(500)}${i}` }));
    return collection;
  };

  test('is compressed where it is large and the caller takes that', async () => {
    const collection = filled(2_000);
    const plain = await ask(collection, BASE);
    const got = await ask(collection, BASE, { headers: GZIP });
    await Promise.all([plain.done, got.done]);
    expect([got.header('content-encoding'), got.header('vary'), got.complete]).toEqual(['gzip', 'Accept-Encoding', true]);
    expect(plain.header('content-encoding')).toBeUndefined();
    expect(gunzipSync(got.bytes).toString()).toBe(plain.text);
  });

  test('is plain where it is small', async () => {
    const got = await ask(filled(3), BASE, { headers: GZIP });
    expect([got.header('content-encoding'), got.json().items.length]).toEqual([undefined, 3]);
  });

  test('waits for a slow client', async () => {
    const got = await ask(filled(2_000), BASE, { headers: GZIP, blocked: true });
    for (let turns = 0; got.bytes.length === 0 && turns < 10_000; turns += 1) await nextTurn();
    const first = got.bytes.length;
    for (let turns = 0; turns < 100; turns += 1) await nextTurn();
    expect([first > 0, got.bytes.length, got.closed]).toEqual([true, first, false]);
    got.unblock();
    await got.done;
    expect(JSON.parse(gunzipSync(got.bytes).toString()).items).toHaveLength(2_000);
  });

  test('ends with a client that leaves', async () => {
    const got = await ask(filled(2_000), BASE, { headers: GZIP, blocked: true });
    got.leave();
    await got.done;
    expect([got instanceof FakeExchange, got.complete]).toEqual([true, false]);
  });
});
