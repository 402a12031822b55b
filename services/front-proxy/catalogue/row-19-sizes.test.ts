/**
 * Row 19: bodies and headers without bound (CVE-2019-11253, CVE-2024-22019). What is held until it is complete is memory that clients
 * decide about. The bounds must be Kubernetes': a token of 64 KiB is legitimate, and Node's default for all headers is 16 KiB.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openHttp2, responseOf } from '@kcp-vw/shared/listener/client.fixture.ts';
import { cleanUp, connectRaw, eventually, until, untilClosed } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, PATH, protocols, RECORDED, statusOf } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';

const MIB = 1024 * 1024;
const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

describe.each(protocols)('over HTTP/%s', protocol => {
  test('a body that is said to be larger than 3 MiB is a 413 before anybody behind is asked', async () => {
    const headers = { 'content-length': String(3 * MIB + 1) };
    const question = { token: 'alice-token', method: 'POST', headers, body: Buffer.alloc(3 * MIB + 1) };
    expect((await ask(fleet.port, protocol, question)).status).toBe(413);
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
  });

  test('a body that grows larger than 3 MiB is a 413, and nobody behind takes it for complete', async () => {
    let complete = 0;
    fleet.shard.respond = (_request, response) => {
      complete++;
      response.end();
    };
    const headers = protocol === '1.1' ? { 'transfer-encoding': 'chunked' } : {};
    const question = { token: 'alice-token', method: 'POST', headers, body: Buffer.alloc(4 * MIB) };
    expect((await ask(fleet.port, protocol, question)).status).toBe(413);
    await eventually(() => fleet.shard.open === 0);
    expect(complete).toBe(0);
  });

  test('a body of 3 MiB gets there whole', async () => {
    const question = { token: 'alice-token', method: 'POST', body: Buffer.alloc(3 * MIB, 'x') };
    expect((await ask(fleet.port, protocol, question)).status).toBe(200);
    expect(fleet.shard.last.body).toHaveLength(3 * MIB);
  });

  test('a token of 64 KiB is reviewed and gets no further, a longer one is refused without a review', async () => {
    const token = 'x'.repeat(64 * 1024);
    fleet.reviews.set(token, { authenticated: true, user: { username: 'long' } });
    for (const path of [PATH, RECORDED]) expect((await ask(fleet.port, protocol, { token, path })).status).toBe(200);
    expect((fleet.shard.everything + fleet.service.everything).includes('xxxxxxxx')).toBe(false);
    const reviews = fleet.reviewer.requests.length;
    expect((await ask(fleet.port, protocol, { token: `${token}x` })).status).toBe(401);
    expect(fleet.reviewer.requests).toHaveLength(reviews);
  });
});

// Held until it is complete, a body could be refused by its size; passed on as it comes, it costs nothing.
test('a body is passed on as it comes, over HTTP/1.1', async () => {
  const socket = await connectRaw(fleet.port);
  socket.write(`POST ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice-token\r\nContent-Length: 10\r\n\r\nfirst`);
  await eventually(() => fleet.shard.requests[0]?.body === 'first');
  const answered = until(socket, 'ConfigMap');
  socket.write('later');
  expect(statusOf(await answered)).toBe(200);
});

test('a body is passed on as it comes, over HTTP/2', async () => {
  const fields = { ':method': 'POST', ':path': PATH, authorization: 'Bearer alice-token' };
  const stream = openHttp2(fleet.port).request(fields, { endStream: false });
  const response = responseOf(stream);
  stream.write('first');
  await eventually(() => fleet.shard.requests[0]?.body === 'first');
  stream.end('later');
  expect((await response).status).toBe(200);
});

test('headers of more than 1 MiB are a 431 over HTTP/1.1, and the connection ends', async () => {
  const socket = await connectRaw(fleet.port);
  const received = untilClosed(socket);
  socket.write(`GET ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice-token\r\n`);
  for (let i = 0; i < 40; i++) socket.write(`X-${i}: ${'y'.repeat(30_000)}\r\n`);
  expect(statusOf(await received)).toBe(431);
  expect([fleet.shard.requests, fleet.reviewer.requests]).toEqual([[], []]);
});

test('headers of more than 1 MiB are refused over HTTP/2', async () => {
  const headers = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x-${i}`, 'y'.repeat(30_000)]));
  const { status } = await ask(fleet.port, '2.0', { token: 'alice-token', headers });
  expect([0, 431]).toContain(status);
  expect([fleet.shard.requests, fleet.reviewer.requests]).toEqual([[], []]);
});

// CVE-2024-22019: extensions of chunks are read and thrown away as fast as they come.
test('chunk extensions without an end are cut', async () => {
  const socket = await connectRaw(fleet.port);
  const received = untilClosed(socket);
  socket.write(`POST ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice-token\r\nTransfer-Encoding: chunked\r\n\r\n5;`);
  for (let i = 0; i < 20; i++) socket.write('a'.repeat(10_000));
  expect([400, 413]).toContain(statusOf(await received));
  await eventually(() => fleet.shard.open === 0);
});
