/**
 * Row 17: floods over HTTP/2 (CVE-2023-44487, CVE-2024-27983). A stream that is reset no longer counts against the limit of streams, but
 * has made a review, a request to a service and one to a shard already; a header block that never ends is kept and decompressed for ever.
 */
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { openHttp2 } from '@kcp-vw/shared/listener/client.fixture.ts';
import {
  CONTINUATION,
  connectFrames,
  END_HEADERS,
  END_STREAM,
  frame,
  framesUntilClosed,
  HEADERS,
  literal,
  RST_STREAM,
  uint32,
} from '@kcp-vw/shared/listener/http2-frames.fixture.ts';
import { cleanUp, eventually } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { begin2, fieldsOf, PATH } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { respondWith } from './recording.fixture.ts';

const STREAMS = 100;
const fleet = await startFleet({ flags: [`--http2-max-streams-per-connection=${STREAMS}`] });
beforeEach(() => {
  fleet.forget();
  const answer = respondWith(200, { kind: 'ConfigMap' });
  fleet.shard.respond = (request, response) => {
    if (!request.url.includes('never')) answer(request, response);
  };
});
afterAll(cleanUp);

const NEVER = `${PATH}?never`;
const block = Buffer.concat(fieldsOf({ path: NEVER, token: 'alice-token' }).map(([name, value]) => literal(name, value)));

/** Another user, who asks until the attack is over; what he was answered. */
async function bystander(attack: Promise<unknown>): Promise<Set<number>> {
  const session = openHttp2(fleet.port);
  const statuses = new Set<number>();
  let over = false;
  void attack.then(() => {
    over = true;
  });
  do statuses.add((await begin2(session, { token: 'bob-token' }).response).status);
  while (!over);
  return statuses;
}

const nothingRuns = (): Promise<void> => eventually(() => fleet.shard.open === 0);

test('who opens and resets streams loses the connection, others are served, and nothing keeps running behind', async () => {
  const socket = await connectFrames(fleet.port);
  const closed = framesUntilClosed(socket);
  const attack: Buffer[] = [];
  for (let stream = 1; stream < 10_000; stream += 2) {
    attack.push(frame(HEADERS, END_STREAM | END_HEADERS, stream, block), frame(RST_STREAM, 0, stream, uint32(8)));
  }
  socket.write(Buffer.concat(attack));
  expect(await bystander(closed)).toEqual(new Set([200]));
  await nothingRuns();
});

test('who resets streams after they have got as far as the shard frees what they hold there', async () => {
  const session = openHttp2(fleet.port);
  for (let round = 0; round < 5; round++) {
    const streams = Array.from({ length: 50 }, () => begin2(session, { path: NEVER, token: 'alice-token' }));
    await eventually(() => fleet.shard.open === 50);
    for (const stream of streams) stream.leave();
    await nothingRuns();
  }
});

test('who never ends a header block loses the connection, and others are served', async () => {
  const socket = await connectFrames(fleet.port);
  const closed = framesUntilClosed(socket);
  socket.write(frame(HEADERS, END_STREAM, 1, block));
  for (let count = 0; count < 1_000; count++) socket.write(frame(CONTINUATION, 0, 1, literal('x', 'y'.repeat(1_000))));
  expect(await bystander(closed)).toEqual(new Set([200]));
  expect(fleet.shard.requests.filter(({ url }) => url.includes('never'))).toEqual([]);
});

test('one connection has no more requests behind it than it may have streams', async () => {
  const socket = await connectFrames(fleet.port);
  const closed = framesUntilClosed(socket);
  for (let stream = 1; stream < 1_000; stream += 2) socket.write(frame(HEADERS, END_STREAM | END_HEADERS, stream, block));
  expect(await bystander(closed)).toEqual(new Set([200]));
  expect(fleet.shard.requests.filter(({ url }) => url.includes('never')).length).toBeLessThanOrEqual(STREAMS);
  await nothingRuns();
});
