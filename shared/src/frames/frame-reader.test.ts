import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeFields, encodeFields, FRAME, type FrameKind } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';

interface Written {
  readonly bytes: Buffer[];
  readonly socket: Duplex;
}

function written(): Written {
  const bytes: Buffer[] = [];
  const socket = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _, done) {
      bytes.push(chunk);
      done();
    },
  });
  return { bytes, socket };
}

/** What a reader makes of the bytes, with the pieces of data put together. */
function read(chunks: readonly Buffer[]): [kind: number, stream: number, payload: string][] {
  const frames: [number, number, string][] = [];
  const reader = new FrameReader({
    onFrame: (kind, stream, payload) => void frames.push([kind, stream, payload.toString('latin1')]),
    onData(stream, piece) {
      const last = frames.at(-1);
      if (last?.[0] === FRAME.data && last[1] === stream) last[2] += piece.toString('latin1');
      else frames.push([FRAME.data, stream, piece.toString('latin1')]);
    },
  });
  for (const chunk of chunks) reader.read(chunk);
  return frames;
}

/** The same bytes, cut after each `size`. */
function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

test('frames are read as they were written, wherever the bytes are cut', async () => {
  const latin1 = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map(code => String.fromCharCode(code)), maxLength: 300 });
  const kinds = [FRAME.request, FRAME.head, FRAME.data] as const;
  const frame = fc.tuple(fc.constantFrom<FrameKind>(...kinds), fc.integer({ min: 1, max: 0xffff_ffff }), latin1);
  // Data of one request twice is data of one request.
  const frames = fc.uniqueArray(frame, { maxLength: 8, selector: ([, stream]) => stream });
  await fc.assert(
    fc.asyncProperty(frames, fc.integer({ min: 1, max: 400 }), async (all, size) => {
      const { bytes, socket } = written();
      const writer = new FrameWriter(socket);
      for (const [kind, stream, text] of all) {
        if (kind === FRAME.data) writer.data(stream, Buffer.from(text));
        else writer.text(kind, stream, text);
      }
      await turn();
      expect(read(cut(Buffer.concat(bytes), size))).toEqual(all.filter(([kind, , text]) => kind !== FRAME.data || text !== ''));
    }),
    { numRuns: 100 },
  );
});

test('the frames of one turn of the event loop are one write', async () => {
  const { bytes, socket } = written();
  const writer = new FrameWriter(socket);
  writer.text(FRAME.head, 1, '200');
  writer.data(1, Buffer.from('abc'));
  writer.sign(FRAME.end, 1);
  writer.window(2, 70_000);
  await turn();
  expect(bytes).toHaveLength(1);
  expect(read(bytes).map(([kind, stream]) => [kind, stream])).toEqual([
    [FRAME.head, 1],
    [FRAME.data, 1],
    [FRAME.end, 1],
    [FRAME.window, 2],
  ]);
});

test('a large piece of data arrives whole, and what was written around it in its order', async () => {
  const { bytes, socket } = written();
  const writer = new FrameWriter(socket);
  const large = Buffer.alloc(300_000, 'x');
  writer.text(FRAME.head, 7, '200');
  writer.data(7, large);
  writer.sign(FRAME.end, 7);
  await turn();
  expect(read(cut(Buffer.concat(bytes), 65_536))).toEqual([
    [FRAME.head, 7, '200'],
    [FRAME.data, 7, large.toString()],
    [FRAME.end, 7, ''],
  ]);
});

test('a payload that nobody would send is refused before it is kept', () => {
  const header = Buffer.from([0xff, 0xff, 0xff, 0xff, FRAME.head, 0, 0, 0, 1]);
  expect(() => read([header])).toThrow('a frame of 4294967295 bytes');
});

test('fields come back as they were, empty ones too', () => {
  const fields = ['GET', '/a?b=c', 'x-empty', '', 'x-bytes', '\xc3\xa4'];
  expect(decodeFields(encodeFields(fields))).toEqual(fields);
});

test.each(['a\nb', 'a\rb', 'a\0b', '\u010a'])('%j is sent in no field: it would be read as something else', field => {
  expect(() => encodeFields(['GET', '/', 'x-header', field])).toThrow('a header holds a character that cannot be sent');
});
