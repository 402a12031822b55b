/** What is at the other end of frames may be anything. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '../config/options.ts';
import { FRAME, FRAMES_PROTOCOL, type FrameKind, WINDOW } from '../frames/frame.ts';
import { FrameReader } from '../frames/frame-reader.ts';
import { FrameWriter } from '../frames/frame-writer.ts';
import { headerValue } from '../listener/headers.ts';
import { cleanUp, temporaryFolder } from '../listener/listener.fixture.ts';
import { ask, GET, pair, text } from './frame-client.fixture.ts';
import { createUpstream, type ManagedUpstream } from './pool.ts';
import { closeAll, track } from './upstream.fixture.ts';
import type { UpstreamError } from './upstream.ts';

afterEach(closeAll);
afterEach(cleanUp);

/** A server that offers frames, and answers each request in them as it likes. */
async function misbehaving(answer: (writer: FrameWriter, stream: number) => void): Promise<ManagedUpstream> {
  const socketPath = join(temporaryFolder(), 'other.sock');
  const sockets = new Set<Duplex>();
  const server = createServer((_, response) => void response.setHeader('upgrade', FRAMES_PROTOCOL).end());
  server.on('upgrade', (_, socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${FRAMES_PROTOCOL}\r\n\r\n`);
    const writer = new FrameWriter(socket);
    const onFrame = (kind: number, stream: number): void => {
      if (kind === FRAME.request) answer(writer, stream);
    };
    const reader = new FrameReader({ onFrame, onData: () => undefined });
    socket.on('data', chunk => reader.read(chunk));
  });
  await new Promise<void>(resolve => void server.listen(socketPath, resolve));
  track({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise(resolve => server.close(resolve));
    },
  });
  const upstream = track(createUpstream({ name: 'service', origin: { socketPath }, limits: DEFAULT_LIMITS }));
  await ask(upstream);
  while (upstream.stats().unaryConnections < 2) await sleep(5);
  return upstream;
}

const MISTAKES: Record<string, (writer: FrameWriter, stream: number) => void> = {
  'a body without a head': (writer, stream) => writer.data(stream, Buffer.from('x')),
  'a head without a status': (writer, stream) => writer.text(FRAME.head, stream, 'OK'),
  'a status that is not final': (writer, stream) => writer.text(FRAME.head, stream, '101'),
  'a header without a value': (writer, stream) => writer.text(FRAME.head, stream, '200\nx-name'),
  'a head that is too large': (writer, stream) => writer.text(FRAME.head, stream, `200\nx-name\n${'x'.repeat(70_000)}`),
  'an end without a head': (writer, stream) => writer.sign(FRAME.end, stream),
  'a frame of an unknown kind': (writer, stream) => writer.sign(99 as FrameKind, stream),
  'a request': (writer, stream) => writer.text(FRAME.request, stream, 'GET\n/'),
};
test.each(Object.entries(MISTAKES))('%s is no answer, and the next one is asked for over HTTP/1.1', async (_, mistake) => {
  const upstream = await misbehaving(mistake);
  await expect(ask(upstream)).rejects.toMatchObject({ failure: 'reset', nothingSent: false });
  if (mistake !== MISTAKES['an end without a head']) expect((await ask(upstream)).status).toBe(200);
});

test('a service that sends more than there is room for loses its connection, and fills no memory', async () => {
  const upstream = await misbehaving((writer, stream) => {
    writer.text(FRAME.head, stream, '200');
    for (let i = 0; i < 20; i++) writer.data(stream, Buffer.alloc(64 * 1024));
  });
  let received = 0;
  const error = await new Promise<UpstreamError>(resolve => {
    upstream.dispatch(GET, {
      onHead: () => undefined,
      onData(chunk) {
        received += chunk.length;
        return false;
      },
      onEnd: () => undefined,
      onError: resolve,
    });
  });
  expect(error).toMatchObject({ failure: 'reset' });
  expect(received).toBeLessThanOrEqual(WINDOW);
});

test('a server that offers no frames is never asked for them', async () => {
  const socketPath = join(temporaryFolder(), 'plain.sock');
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.upgrade);
    response.end('plain');
  });
  await new Promise<void>(resolve => void server.listen(socketPath, resolve));
  track({ close: () => new Promise(resolve => server.close(resolve)) });
  const upstream = track(createUpstream({ origin: { socketPath }, limits: DEFAULT_LIMITS }));
  for (let i = 0; i < 3; i++) expect((await ask(upstream)).body.toString()).toBe('plain');
  expect(asked).toEqual([undefined, undefined, undefined]);
});

test('the offer is no header of the answer', async () => {
  const { upstream } = await pair(exchange => text(exchange, ''));
  const { headers } = await ask(upstream, { method: 'POST', body: 'x' });
  expect(headerValue(headers, 'upgrade')).toBeUndefined();
});
