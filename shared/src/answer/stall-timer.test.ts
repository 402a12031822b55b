import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RequestBody } from '../listener/body.ts';
import type { Exchange } from '../listener/exchange.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import { StallTimer } from './stall-timer.ts';

const TIMEOUT = 20;
const SEVERAL = TIMEOUT * 6;
let timer: StallTimer | undefined;
afterEach(() => timer?.stop());

function watchOver(exchange: Exchange) {
  let stalls = 0;
  timer = new StallTimer(exchange, TIMEOUT, () => stalls++);
  return { timer, stalls: () => stalls };
}

function upload() {
  const client = new PassThrough();
  const body = new RequestBody(client, { limit: 1_000_000 });
  return { client, body, exchange: fakeExchange('POST', '/', { body }) };
}

// 64 clients that hold a connection to the shard each would be all that the pool has: everybody else would get 429.
describe('a client that holds up its request', () => {
  test('by not reading loses it, once', async () => {
    const watched = watchOver(fakeExchange('GET', '/'));
    watched.timer.blocked();
    await sleep(SEVERAL);
    expect(watched.stalls()).toBe(1);
  });

  test('by not sending its body loses it', async () => {
    const { body, exchange } = upload();
    body.resume();
    const watched = watchOver(exchange);
    await sleep(SEVERAL);
    expect(watched.stalls()).toBe(1);
  });

  test('but goes on reading or sending keeps it, however slowly', async () => {
    const { client, body, exchange } = upload();
    body.resume();
    const watched = watchOver(exchange);
    for (let i = 0; i < 20; i++) {
      client.write('x');
      await sleep(TIMEOUT / 2);
    }
    expect(watched.stalls()).toBe(0);
  });

  test('is not one who has sent everything and waits for the answer, or reads again', async () => {
    const { client, body, exchange } = upload();
    body.resume();
    client.end('x');
    const watched = watchOver(exchange);
    watched.timer.blocked();
    watched.timer.drained();
    await sleep(SEVERAL);
    expect(watched.stalls()).toBe(0);
  });
});
