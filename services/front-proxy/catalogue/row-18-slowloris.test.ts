/**
 * Row 18: slow clients (CVE-2018-12122). A byte now and then keeps a connection, and soon all connections are kept. The cure must not be
 * worse: a timeout over whole requests, as Node has one, ends every watch.
 */
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { cleanUp, connectRaw, eventually, untilClosed } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { begin, PATH, protocols, statusOf, WATCH } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import type { Respond } from './recording.fixture.ts';

// 32 s in earnest.
const fleet = await startFleet({ limits: { headersTimeout: 300 } });
beforeEach(fleet.forget);
afterAll(cleanUp);

/** What a dribbling client is told in the end. */
async function dribble(head: string): Promise<string> {
  const socket = await connectRaw(fleet.port);
  const received = untilClosed(socket);
  socket.write(head);
  const timer = setInterval(() => socket.write('X: y\r\n'), 50);
  const answer = await received;
  clearInterval(timer);
  return answer;
}

test('a head that dribbles in is cut, and nobody behind is asked', async () => {
  const head = `GET ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice-token\r\n`;
  expect(statusOf(await dribble(head))).toBe(408);
  expect([fleet.shard.requests, fleet.reviewer.requests]).toEqual([[], []]);
});

test('a connection on which nothing is asked is cut', async () => {
  expect(statusOf(await untilClosed(await connectRaw(fleet.port)))).toBe(408);
});

test.each(protocols)('over HTTP/%s a watch on which nothing happens survives what slow clients do not', async protocol => {
  let event: () => void = () => {};
  const watch: Respond = (_request, response) => {
    response.writeHead(200).write('{"type":"ADDED"}\n');
    event = () => response.write('{"type":"MODIFIED"}\n');
  };
  fleet.shard.respond = watch;
  const { text, leave } = begin(fleet.port, protocol, { token: 'alice-token', path: WATCH });
  await eventually(() => text().includes('ADDED'));
  await dribble('GET / HTTP/1.1\r\nHost: a\r\n');
  await dribble('GET / HTTP/1.1\r\nHost: a\r\n');
  event();
  await eventually(() => text().includes('MODIFIED'));
  expect(text()).toBe('{"type":"ADDED"}\n{"type":"MODIFIED"}\n');
  leave();
});
