/** What a service makes of frames that its front proxy would not send. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '../config/options.ts';
import { decodeFields, FRAME, FRAMES_PROTOCOL, type FrameKind } from '../frames/frame.ts';
import { FrameReader } from '../frames/frame-reader.ts';
import { FrameWriter } from '../frames/frame-writer.ts';
import { cleanUp, onCleanUp, serveTls, temporaryFolder } from './listener.fixture.ts';
import { createListener } from './listener.ts';

afterEach(cleanUp);

interface Client {
  readonly writer: FrameWriter;
  readonly socket: Duplex;
  /** The status that the request is answered with. */
  answered(stream: number): Promise<string>;
  readonly clientErrors: readonly string[];
}

async function connect(): Promise<Client> {
  const socketPath = join(temporaryFolder(), 'service.sock');
  const clientErrors: string[] = [];
  const listener = await createListener({
    address: { socketPath },
    limits: { ...DEFAULT_LIMITS, requestHeaders: 2_000 },
    handler(exchange) {
      exchange.writeHead(200, ['content-length', '0']);
      exchange.end();
    },
    onError(error) {
      throw error;
    },
    onClientError: error => void clientErrors.push(error.message),
  });
  onCleanUp(() => listener.close());
  const asked = httpRequest({ socketPath, headers: { connection: 'Upgrade', upgrade: FRAMES_PROTOCOL }, agent: false }).end();
  const [, socket] = (await once(asked, 'upgrade')) as [unknown, Duplex];
  onCleanUp(() => void socket.destroy());
  socket.on('error', () => undefined);
  const statuses = new Map<number, string>();
  const reader = new FrameReader({
    onFrame(kind, stream, payload) {
      if (kind === FRAME.head) statuses.set(stream, decodeFields(payload.toString())[0] ?? '');
    },
    onData: () => undefined,
  });
  socket.on('data', chunk => reader.read(chunk));
  const answered = async (stream: number): Promise<string> => {
    for (;;) {
      const status = statuses.get(stream);
      if (status !== undefined) return status;
      await once(socket, 'data');
    }
  };
  return { writer: new FrameWriter(socket), socket, answered, clientErrors };
}

const HEAD = 'GET\n/\nhost\nlocalhost';

test('requests are answered, and checked as over HTTP/1.1', async () => {
  const { writer, answered } = await connect();
  writer.text(FRAME.request, 1, HEAD);
  writer.text(FRAME.request, 2, 'GET\n/');
  writer.text(FRAME.request, 3, 'GET\nhttp://other/\nhost\nlocalhost');
  writer.text(FRAME.request, 4, `${HEAD}\ncontent-length\n5`);
  writer.text(FRAME.request, 5, `${HEAD}\nx-long\n${'x'.repeat(3_000)}`);
  writer.text(FRAME.request, 6, HEAD);
  expect(await Promise.all([1, 2, 3, 4, 5, 6].map(answered))).toEqual(['200', '400', '400', '400', '431', '200']);
});

const MISTAKES: Record<string, (writer: FrameWriter) => void> = {
  'a body': writer => writer.data(1, Buffer.from('x')),
  'a header without a value': writer => writer.text(FRAME.request, 1, `${HEAD}\nx-name`),
  'an answer': writer => writer.text(FRAME.head, 1, '200'),
  'an unknown kind': writer => writer.sign(99 as FrameKind, 1),
  'a window without its bytes': writer => writer.sign(FRAME.window, 1),
};
test.each(Object.entries(MISTAKES))('%s ends the connection, and is told', async (_, mistake) => {
  const { writer, socket, clientErrors } = await connect();
  mistake(writer);
  await once(socket, 'close');
  expect(clientErrors).toHaveLength(1);
});

test('what comes late for a request that has its answer is nothing', async () => {
  const { writer, answered } = await connect();
  writer.text(FRAME.request, 1, HEAD);
  await answered(1);
  writer.sign(FRAME.reset, 1);
  writer.window(1, 100);
  writer.text(FRAME.request, 2, HEAD);
  expect(await answered(2)).toBe('200');
});

test('a public port offers no frames, and takes none', async () => {
  const { port } = await serveTls(exchange => {
    exchange.writeHead(200, ['content-length', '0']);
    exchange.end();
  });
  const { request } = await import('node:https');
  const { serverCA } = await import('./listener.fixture.ts');
  const options = { port, host: '127.0.0.1', servername: 'localhost', ca: serverCA.certPem, agent: false } as const;
  const [plain] = await once(request(options).end(), 'response');
  plain.resume();
  expect(plain.headers.upgrade).toBeUndefined();
  const [refused] = await once(
    request({ ...options, headers: { connection: 'Upgrade', upgrade: FRAMES_PROTOCOL } }).end(),
    'response',
  );
  refused.resume();
  expect(refused.statusCode).toBe(400);
});
