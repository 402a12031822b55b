/**
 * Row 29: one `error` event that nobody listens to ends the process. Ten thousand connections and streams that break off, at every point at
 * which they can; jest fails a test during which something is thrown that nobody catches.
 */
import { connect } from 'node:net';
import { afterAll, expect, test } from '@jest/globals';
import {
  connectFrames,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  literal,
  PING,
  RST_STREAM,
  uint32,
} from '@kcp-vw/shared/listener/http2-frames.fixture.ts';
import { cleanUp, connectRaw, eventually, resetConnection } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, fieldsOf, PATH, protocols, RECORDED, WATCH } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { quietWatch, type Respond } from './recording.fixture.ts';

const fleet = await startFleet();
afterAll(cleanUp);

const CODES = [0, 1, 2, 5, 7, 8, 11, 13];
const PATHS = [PATH, WATCH, RECORDED, '/services/none', '/', '//'];
const soon = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** What stands behind breaks off as well, now here and now there. */
let turn = 0;
const falter: Respond = (request, response) => {
  turn++;
  if (turn % 5 === 0) response.destroy();
  else if (turn % 5 === 1) response.writeHead(200).end('{}');
  else if (turn % 5 === 2) response.writeHead(200, { 'content-length': '10' }).write('12345', () => response.destroy());
  else quietWatch(request, response);
};
fleet.shard.respond = falter;
fleet.service.respond = falter;

const blockOf = (method: string, path: string): Buffer =>
  Buffer.concat(fieldsOf({ path, method, token: 'alice-token' }).map(([name, value]) => literal(name, value)));

const arrived = (): number => fleet.shard.requests.length + fleet.service.requests.length;

/** Streams of one HTTP/2 connection, each reset at another point, some when they are answered; then the connection. */
async function resetStreams(count: number, seed: number): Promise<void> {
  const socket = await connectFrames(fleet.port);
  socket.resume();
  const before = arrived();
  const early = [PATH, WATCH, RECORDED].map((path, i) =>
    frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, blockOf('GET', path)),
  );
  socket.write(Buffer.concat(early));
  await eventually(() => arrived() >= before + early.length);
  for (let i = 0; i < count; i++) {
    const stream = 2 * i + 1;
    const method = i % 3 === 0 ? 'POST' : 'GET';
    if (i >= early.length) {
      const isWhole = method === 'GET';
      socket.write(
        frame(HEADERS, END_HEADERS | (isWhole ? END_STREAM : 0), stream, blockOf(method, PATHS[(i + seed) % PATHS.length] ?? '')),
      );
      if (!isWhole) socket.write(frame(DATA, i % 2 === 0 ? END_STREAM : 0, stream, Buffer.from('half')));
      if (i % 4 === 0) await soon();
    }
    socket.write(frame(RST_STREAM, 0, stream, uint32(CODES[(i + seed) % CODES.length] ?? 0)));
  }
  if (seed % 2 === 0) resetConnection(socket);
  else socket.destroy();
}

/** A connection that is reset before, during and after its handshake, and in the middle of a request. */
async function resetPlain(i: number): Promise<void> {
  const socket = connect(fleet.port, '127.0.0.1');
  socket.on('error', () => {});
  await new Promise(resolve => socket.once('connect', resolve));
  // The beginning of a handshake, of another protocol, or nothing.
  if (i % 3 === 1) socket.write(Buffer.from([0x16, 3, 1, 0, 200, 1, 0, 0, i % 256]));
  if (i % 3 === 2) socket.write('GET / HTTP/1.1\r\n');
  if (i % 2 === 0) await soon();
  socket.resetAndDestroy();
}

async function resetRequest(i: number): Promise<void> {
  const socket = await connectRaw(fleet.port);
  const method = i % 3 === 0 ? 'POST' : 'GET';
  const head = `${method} ${PATHS[i % PATHS.length]} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice-token\r\n${method === 'POST' ? 'Content-Length: 9\r\n' : ''}\r\n`;
  const upgrade = head.replace('\r\n\r\n', '\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const bytes = i % 4 === 3 ? upgrade : head;
  socket.write(i % 5 === 0 ? bytes.slice(0, (i * 7) % bytes.length) : bytes);
  for (let wait = 0; wait < i % 4; wait++) await soon();
  resetConnection(socket);
}

/**
 * Streams that are reset before Node tells of them: it pauses in the middle of what came while its own answers wait to be written, and what
 * it reads when it goes on it tells all at once. One connection of this, of somebody unknown, once ended the process.
 */
async function resetUntold(count: number): Promise<void> {
  const socket = await connectFrames(fleet.port);
  socket.resume();
  const get = Buffer.concat(fieldsOf({ path: '/' }).map(([name, value]) => literal(name, value)));
  const post = Buffer.concat(fieldsOf({ path: '/', method: 'POST' }).map(([name, value]) => literal(name, value)));
  const frames: Buffer[] = [];
  let stream = 1;
  for (let i = 0; i < count; i++, stream += 2) {
    if (i % 10 === 0) {
      frames.push(frame(HEADERS, END_HEADERS | END_STREAM, stream, get));
      frames.push(frame(HEADERS, END_HEADERS, stream + 2, post), frame(DATA, 0, stream + 2, Buffer.alloc(1_000)));
      stream += 4;
    }
    frames.push(frame(HEADERS, END_HEADERS | END_STREAM, stream, get));
    frames.push(frame(RST_STREAM, 0, stream, uint32(CODES[i % CODES.length] as number)));
  }
  const last = frame(PING, 0, 0, Buffer.alloc(8));
  const heard = new Promise(resolve => socket.once('data', resolve));
  socket.write(Buffer.concat([...frames, last]));
  await heard;
  await soon();
  socket.destroy();
}

const RESETS = { untold: 7_000, streams: 1_400, plain: 1_500, requests: 100 };

test('ten thousand resets later the front proxy serves as before, and nothing of them is left', async () => {
  for (let i = 0; i < RESETS.untold / 700; i++) await resetUntold(700);
  for (let seed = 0; seed < RESETS.streams / 140; seed++) await resetStreams(140, seed);
  for (let i = 0; i < RESETS.plain; i += 50) await Promise.all(Array.from({ length: 50 }, (_, j) => resetPlain(i + j)));
  for (let i = 0; i < RESETS.requests; i += 20) await Promise.all(Array.from({ length: 20 }, (_, j) => resetRequest(i + j)));
  expect(Object.values(RESETS).reduce((sum, count) => sum + count)).toBe(10_000);

  await eventually(() => fleet.shard.open + fleet.service.open === 0);
  fleet.forget();
  for (const protocol of protocols) {
    for (const path of [PATH, RECORDED]) {
      expect((await ask(fleet.port, protocol, { token: 'alice-token', path })).status).toBe(200);
    }
  }
  // A bug of ours would be told there.
  expect(fleet.logs()).not.toContain('a request was not handled');
  expect(fleet.audit().split('\n').length).toBeGreaterThan(500);
}, 120_000);
