import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RequestBody } from './body.ts';
import { connectFrames, DATA, END_HEADERS, frame, HEADERS, RST_STREAM, requestBlock, uint32 } from './http2-frames.fixture.ts';
import { answer, cleanUp, deferred, serveTls } from './listener.fixture.ts';

afterEach(cleanUp);

async function read(body: RequestBody): Promise<string> {
  let text = '';
  for await (const chunk of body) text += String(chunk);
  return text;
}

describe('a request body', () => {
  test('is what its source is', async () => {
    const source = new PassThrough();
    source.write('hel');
    source.end('lo');
    expect(await read(new RequestBody(source, { limit: 5 }))).toBe('hello');
  });

  test('fails with a 413 at the first byte over the limit, and stops its source', async () => {
    const source = new PassThrough();
    const body = new RequestBody(source, { limit: 5 });
    source.write('hello');
    source.write('!');
    await expect(read(body)).rejects.toMatchObject({ code: 413, message: 'Request entity too large: limit is 5' });
    expect(source.isPaused()).toBe(true);
    expect(source.destroyed).toBe(false);
  });

  test('leaves its source alone until somebody reads, and says when that is', async () => {
    const source = new PassThrough();
    const calls: string[] = [];
    const body = new RequestBody(source, { limit: 5, onFirstRead: () => void calls.push('read') });
    source.end('abc');
    await new Promise(resolve => setImmediate(resolve));
    expect(source.readableLength).toBe(3);
    expect(calls).toEqual([]);
    await read(body);
    expect(calls).toEqual(['read']);
  });

  test('does not read ahead of its reader', async () => {
    const source = new PassThrough({ highWaterMark: 1024 });
    const body = new RequestBody(source, { limit: 10_000_000 });
    body.once('readable', () => {});
    let written = 0;
    while (written < 1_000 && (source.write(Buffer.alloc(1024)) || body.readableLength < body.readableHighWaterMark)) {
      written++;
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(written).toBeLessThan(200);
  });

  test.each([
    ['fails', (source: PassThrough) => source.destroy(new Error('reset'))],
    ['closes', (source: PassThrough) => source.destroy()],
    ['is aborted', (source: PassThrough) => source.emit('aborted')],
  ])('fails when its source %s before its end', async (_name, end) => {
    const source = new PassThrough();
    const body = new RequestBody(source, { limit: 100 });
    source.write('half');
    const reading = read(body);
    setImmediate(() => end(source));
    await expect(reading).rejects.toThrow('went away');
  });

  test('fails for a reader who comes after its source has failed', async () => {
    const source = new PassThrough();
    const body = new RequestBody(source, { limit: 100 });
    source.destroy(new Error('reset'));
    await new Promise(resolve => setImmediate(resolve));
    await expect(read(body)).rejects.toThrow('went away');
  });

  // Node ends the readable side of such a stream as if the body were complete: half an object would have been written to the shard.
  test('of an HTTP/2 stream that is reset without an error is not complete', async () => {
    const outcome = deferred<string>();
    const arrived = deferred<void>();
    const { port } = await serveTls(async exchange => {
      try {
        for await (const _ of exchange.body ?? []) arrived.resolve();
        outcome.resolve('complete');
      } catch (error) {
        outcome.resolve(String(error));
      }
      answer(exchange, 'ok');
    });
    const socket = await connectFrames(port);
    socket.write(Buffer.concat([frame(HEADERS, END_HEADERS, 1, requestBlock('POST')), frame(DATA, 0, 1, Buffer.from('half'))]));
    await arrived.promise;
    socket.write(frame(RST_STREAM, 0, 1, uint32(0)));
    expect(await outcome.promise).toContain('the client went away');
  });
});
