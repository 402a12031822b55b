import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StatusError } from './errors.ts';
import { isProtobuf, readProtobufEnvelope, readProtobufObjectMeta } from './protobuf.ts';

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 128))];
}
const bytes = (number: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(content.length)]), content]);
const text = (number: number, content: string): Buffer => bytes(number, Buffer.from(content));
const message = (...fields: Buffer[]): Buffer => Buffer.concat(fields);
const map = (number: number, entries: Record<string, string>): Buffer =>
  message(...Object.entries(entries).map(([key, value]) => bytes(number, message(text(1, key), text(2, value)))));
const body = (...fields: Buffer[]): Buffer => message(Buffer.from('k8s\0'), ...fields);

describe('the envelope', () => {
  test('of a ConfigMap as client-go sends it is read', () => {
    const raw = message(bytes(1, message(text(1, 'a'), text(3, 'default'), map(11, { x: 'y' }))), map(2, { key: 'value' }));
    const envelope = readProtobufEnvelope(
      body(bytes(1, message(text(1, 'v1'), text(2, 'ConfigMap'))), bytes(2, raw), text(3, ''), text(4, '')),
    );
    expect(envelope).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', contentEncoding: '', contentType: '' });
    expect(Buffer.from(envelope.raw)).toEqual(raw);
    expect(readProtobufObjectMeta(envelope.raw)).toEqual({
      name: 'a',
      generateName: '',
      namespace: 'default',
      uid: '',
      resourceVersion: '',
      labels: { x: 'y' },
      annotations: {},
    });
  });

  test('is found by its first four bytes', () => {
    expect(isProtobuf(body())).toBe(true);
    expect(isProtobuf(Buffer.from('k8s'))).toBe(false);
    expect(() => readProtobufEnvelope(Buffer.from('{"kind":"Pod"}'))).toThrow('does not appear to be a protobuf message');
  });

  test('that is cut anywhere within a field is malformed', () => {
    const whole = body(bytes(1, text(1, 'v1')), bytes(2, Buffer.from('raw')));
    const boundaries = [4, 4 + 6];
    for (let length = 5; length < whole.length; length++) {
      if (!boundaries.includes(length)) expect(() => readProtobufEnvelope(whole.subarray(0, length))).toThrow(StatusError);
    }
  });
});

describe('the metadata', () => {
  // gogo-protobuf merges a repeated message; whoever reads the first only decides about another object than the shard stores.
  test('that is sent twice is merged, the last text wins', () => {
    const raw = message(
      bytes(1, message(text(1, 'harmless'), map(11, { team: 'a', x: '1' }))),
      bytes(1, message(text(1, 'evil'), text(1, 'worse'), map(11, { team: 'b' }))),
    );
    expect(readProtobufObjectMeta(raw)).toMatchObject({ name: 'worse', labels: { team: 'b', x: '1' } });
  });

  test('may have maps with a missing key or value, and keys that JavaScript knows', () => {
    const raw = bytes(
      1,
      message(bytes(12, Buffer.alloc(0)), bytes(12, text(1, 'k')), map(12, Object.fromEntries([['__proto__', 'p']]))),
    );
    expect(Object.entries(readProtobufObjectMeta(raw).annotations)).toEqual([
      ['', ''],
      ['k', ''],
      ['__proto__', 'p'],
    ]);
  });

  test('that is no message is malformed', () => {
    expect(() => readProtobufObjectMeta(text(1, 'not a message'))).toThrow(StatusError);
    expect(() => readProtobufObjectMeta(Uint8Array.of(0x08, 1))).toThrow(StatusError);
  });
});

describe('properties', () => {
  const string = fc.string({ unit: 'grapheme' });
  const strings = fc.dictionary(string, string, { maxKeys: 4, noNullPrototype: true });
  const metadata = fc.record({
    ...{ name: string, generateName: string, namespace: string, uid: string, resourceVersion: string },
    ...{ labels: strings, annotations: strings },
  });

  test('what is written is read', () => {
    fc.assert(
      fc.property(metadata, string, string, fc.uint8Array(), (meta, apiVersion, kind, spec) => {
        const written = message(
          ...[
            text(1, meta.name),
            text(2, meta.generateName),
            text(3, meta.namespace),
            text(5, meta.uid),
            text(6, meta.resourceVersion),
          ],
          ...[Buffer.from([0x38, 0x05]), map(11, meta.labels), map(12, meta.annotations), bytes(13, spec)],
        );
        const raw = message(bytes(2, spec), bytes(1, written), bytes(3, spec));
        const envelope = readProtobufEnvelope(
          body(bytes(2, raw), bytes(1, message(text(2, kind), text(1, apiVersion))), text(9, 'unknown')),
        );
        expect(envelope).toMatchObject({ apiVersion, kind });
        expect(readProtobufObjectMeta(envelope.raw)).toEqual(meta);
      }),
    );
  });

  test('any bytes are an envelope with metadata or a 400', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), random => {
        try {
          readProtobufObjectMeta(readProtobufEnvelope(Buffer.concat([body(), random])).raw);
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          expect(error.code).toBe(400);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
