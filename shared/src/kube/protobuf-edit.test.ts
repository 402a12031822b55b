import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StatusError } from './errors.ts';
import { isProtobuf, PROTOBUF_MAGIC, readProtobufEnvelope, readProtobufObjectMeta } from './protobuf.ts';
import { withDeletePreconditions, withObjectMeta } from './protobuf-edit.ts';
import { fieldsOf } from './protobuf-wire.ts';
import { fieldBytes, fieldText, fieldVarint } from './protobuf-write.ts';

const map = (number: number, entries: Record<string, string>): Buffer =>
  Buffer.concat(
    Object.entries(entries).map(([key, value]) => fieldBytes(number, Buffer.concat([fieldText(1, key), fieldText(2, value)]))),
  );
const envelope = (apiVersion: string, kind: string, raw: Uint8Array): Buffer =>
  Buffer.concat([
    PROTOBUF_MAGIC,
    fieldBytes(1, Buffer.concat([fieldText(1, apiVersion), fieldText(2, kind)])),
    fieldBytes(2, raw),
  ]);
const configMap = (metadata: Buffer, data: Record<string, string> = {}): Buffer =>
  envelope('v1', 'ConfigMap', Buffer.concat([fieldBytes(1, metadata), map(2, data)]));

const string = fc.string({ unit: 'grapheme' });
const strings = fc.dictionary(string, string, { maxKeys: 4, noNullPrototype: true });

describe('metadata put on an object', () => {
  test('is added to its own, and what both say is what was put', () => {
    const changes = fc.record({ labels: strings, uid: string, resourceVersion: string }, { requiredKeys: [] });
    const metadata = fc.record({ name: string, uid: string, resourceVersion: string, labels: strings, annotations: strings });
    fc.assert(
      fc.property(metadata, strings, changes, (meta, data, changed) => {
        const own = [fieldText(1, meta.name), fieldText(5, meta.uid), fieldText(6, meta.resourceVersion)];
        const written = Buffer.concat([...own, map(11, meta.labels), map(12, meta.annotations)]);
        const before = readProtobufObjectMeta(readProtobufEnvelope(configMap(written, data)).raw);
        const edited = readProtobufEnvelope(withObjectMeta(configMap(written, data), changed));
        expect(edited).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
        expect(readProtobufObjectMeta(edited.raw)).toEqual({
          ...before,
          ...changed,
          labels: { ...before.labels, ...changed.labels },
        });
        const values = (raw: Uint8Array) => [...fieldsOf(raw)].filter(({ number }) => number === 2).map(field => field.bytes());
        expect(values(edited.raw)).toEqual(values(readProtobufEnvelope(configMap(written, data)).raw));
      }),
    );
  });

  test('leaves a body that nothing is put on as it is', () => {
    const body = configMap(fieldText(1, 'a'));
    expect(withObjectMeta(body, {})).toEqual(body);
    expect(withObjectMeta(body, { labels: {} })).toEqual(body);
  });

  test('grows a large body by what is put on it only', () => {
    const body = configMap(fieldText(1, 'a'), { key: 'x'.repeat(100_000) });
    expect(withObjectMeta(body, { labels: { a: 'b' } }).length).toBeLessThan(body.length + 100);
  });

  test('cannot be put on what is no Kubernetes protobuf', () => {
    expect(() => withObjectMeta(Buffer.from('{"kind":"ConfigMap"}'), { uid: 'u' })).toThrow(StatusError);
  });
});

describe('preconditions put on DeleteOptions', () => {
  const preconditionsOf = (body: Uint8Array): Record<number, string> => {
    const found: Record<number, string> = {};
    for (const option of fieldsOf(readProtobufEnvelope(body).raw)) {
      if (option.number === 2) for (const field of fieldsOf(option.bytes())) found[field.number] = field.text();
    }
    return found;
  };

  test('take the place of the caller’s own, and the other options stay', () => {
    const own = fieldBytes(2, Buffer.concat([fieldText(1, 'theirs'), fieldText(2, '1')]));
    const options = Buffer.concat([fieldVarint(1, 30), own, fieldText(4, 'Background')]);
    const edited = withDeletePreconditions(envelope('v1', 'DeleteOptions', options), { uid: 'ours' });
    expect(isProtobuf(edited)).toBe(true);
    expect(preconditionsOf(edited)).toEqual({ 1: 'ours', 2: '1' });
    expect([...fieldsOf(readProtobufEnvelope(edited).raw)].map(({ number }) => number)).toEqual([1, 2, 4, 2]);
  });

  test('change nothing when there are none', () => {
    const body = envelope('v1', 'DeleteOptions', Buffer.alloc(0));
    expect(withDeletePreconditions(body, {})).toEqual(body);
  });
});
