import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StatusError } from './errors.ts';
import { PROTOBUF_MAGIC } from './protobuf.ts';
import { fieldBytes, fieldText } from './protobuf-write.ts';
import { BUILT_IN_BODY_TYPES, CUSTOM_BODY_TYPES, decodeObjectBody } from './request-body.ts';

const decode = (type: string | undefined, body: string | Uint8Array, accepted = BUILT_IN_BODY_TYPES) =>
  decodeObjectBody(type, Buffer.from(body), { accepted, kind: 'ConfigMap' });
const JSON_TYPE = 'application/json';
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';
const OBJECT = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels: { x: '1' } }, data: { key: 'value' } };

describe('an object in JSON', () => {
  test.each([undefined, '', JSON_TYPE, 'Application/JSON; charset=utf-8'])('is read with the type %j', type => {
    expect(decode(type, JSON.stringify(OBJECT)).object).toEqual(OBJECT);
  });

  test('is written with the changes put on its metadata', () => {
    const body = decode(JSON_TYPE, JSON.stringify(OBJECT));
    expect(body.contentType).toBe(JSON_TYPE);
    expect(JSON.parse(String(body.encode()))).toEqual(OBJECT);
    expect(JSON.parse(String(body.encode({ labels: { y: '2' }, uid: 'u', resourceVersion: '7' })))).toEqual({
      ...OBJECT,
      metadata: { name: 'a', labels: { x: '1', y: '2' }, uid: 'u', resourceVersion: '7' },
    });
    expect(body.object).toEqual(OBJECT);
  });

  test('gets metadata when it has none', () => {
    const body = decode(JSON_TYPE, '{"kind":"ConfigMap"}');
    expect(body.object.metadata).toBeUndefined();
    expect(JSON.parse(String(body.encode({ labels: { a: 'b' } })))).toEqual({
      kind: 'ConfigMap',
      metadata: { labels: { a: 'b' } },
    });
  });

  test('keeps integers that a double does not hold', () => {
    const text = '{"spec":{"a":9007199254740993,"b":[12345678901234567890],"c":1}}';
    expect(String(decode(JSON_TYPE, text).encode())).toBe(text);
  });

  // Recorded: kcp stores both labels, since Go decodes the second metadata into the struct of the first.
  test('that says a thing twice is written as it was read, so that nothing is stored that was not inspected', () => {
    const body = decode(JSON_TYPE, '{"metadata":{"labels":{"a":"1"}},"metadata":{"labels":{"b":"2"}}}');
    expect(body.object.metadata?.labels).toEqual({ b: '2' });
    expect(String(body.encode())).toBe('{"metadata":{"labels":{"b":"2"}}}');
  });

  test('has an empty text where a label is null, as kcp stores it', () => {
    const body = decode(JSON_TYPE, '{"metadata":{"labels":{"a":null},"annotations":null,"uid":null}}');
    expect(body.object.metadata).toEqual({ labels: { a: '' }, annotations: null, uid: null });
  });

  test('keeps labels that JavaScript knows by name', () => {
    const text = '{"metadata":{"labels":{"__proto__":"x","constructor":"y"}}}';
    expect(String(decode(JSON_TYPE, text).encode({}))).toBe(text);
  });
});

describe('an object in YAML', () => {
  test('is read as kcp reads it, and written as JSON', () => {
    const body = decode('application/yaml', 'kind: ConfigMap\nmetadata: {name: a}\ndata: {on: "yes"}\n');
    expect(body.contentType).toBe(JSON_TYPE);
    expect(JSON.parse(String(body.encode({ labels: { a: 'b' } })))).toEqual({
      kind: 'ConfigMap',
      metadata: { name: 'a', labels: { a: 'b' } },
      data: { true: 'yes' },
    });
  });

  test('that is empty is an object without fields', () => {
    expect(decode('application/yaml', '').object).toEqual({});
  });
});

describe('an object in protobuf', () => {
  const metadata = Buffer.concat([fieldText(1, 'a'), fieldBytes(11, Buffer.concat([fieldText(1, 'x'), fieldText(2, '1')]))]);
  const body = Buffer.concat([
    PROTOBUF_MAGIC,
    fieldBytes(1, Buffer.concat([fieldText(1, 'v1'), fieldText(2, 'ConfigMap')])),
    fieldBytes(2, fieldBytes(1, metadata)),
  ]);

  test('shows its kind and its metadata', () => {
    expect(decode(PROTOBUF_TYPE, body).object).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', labels: { x: '1' }, annotations: {} },
    });
  });

  test('stays protobuf with the changes put on it', () => {
    const { contentType, encode } = decode(PROTOBUF_TYPE, body);
    expect(contentType).toBe(PROTOBUF_TYPE);
    const changed = decode(PROTOBUF_TYPE, encode({ labels: { y: '2' }, resourceVersion: '7' }));
    expect(changed.object.metadata).toMatchObject({ name: 'a', labels: { x: '1', y: '2' }, resourceVersion: '7' });
    expect(encode()).toEqual(body);
  });
});

/** An object with as many levels, and a number that has to keep its digits. */
const nested = (levels: number): string => `${'{"a":'.repeat(levels)}12345678901234567890${'}'.repeat(levels)}`;
/** A text of few levels, in which each anchor has the one before it: only the last is kept, so that it does not grow otherwise. */
const ANCHORED = ['x: &a0 [1]', ...Array.from({ length: 3000 }, (_, i) => `x: &a${i + 1} [*a${i}]`)].join('\n');

// What is read here is printed again by recursion: a deep body was a stack overflow, and answered by 500.
test('an object of a thousand levels is taken, and brackets in texts are none', () => {
  const text = `{"a":"${'[{'.repeat(2000)}\\"[","b":${nested(999)}}`;
  expect(String(decode(JSON_TYPE, text).encode())).toBe(text);
});

// Each as kcp v0.32.3 answers the same body.
describe('a body is refused', () => {
  const unrecognized = 'the object provided is unrecognized (must be of type ConfigMap): ';
  const noJson = "couldn't get version/kind; json parse error: ";
  const typeMeta = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;
  const mistyped = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal ';
  test.each<[string, string | undefined, string, string]>([
    ['that is empty', JSON_TYPE, '', `${unrecognized}${noJson}unexpected end of JSON input (<empty>)`],
    ['that is cut off', JSON_TYPE, '{"kind":', `${unrecognized}${noJson}unexpected end of JSON input ({"kind":)`],
    ['that is an array', JSON_TYPE, '[1]', `${noJson}json: cannot unmarshal array into Go value of type ${typeMeta} (5b315d)`],
    [
      'that is a text',
      'application/yaml',
      'hello',
      `json: cannot unmarshal string into Go value of type ${typeMeta} (68656c6c6f)`,
    ],
    ['whose kind is a number', undefined, '{"kind":1}', 'number into Go struct field .kind of type string ({"kind":1})'],
    [
      'whose metadata is an array',
      JSON_TYPE,
      '{"apiVersion":"v1","metadata":[]}',
      `${mistyped}array into Go struct field ConfigMap.metadata of type v1.ObjectMeta`,
    ],
    [
      'whose label is a number',
      JSON_TYPE,
      '{"apiVersion":"v1","metadata":{"labels":{"a":1}}}',
      `${mistyped}number into Go struct field ObjectMeta.metadata.labels of type string`,
    ],
    ['that is too deep', JSON_TYPE, nested(1001), `${unrecognized}${noJson}exceeded max depth (`],
    ['that is too deep', JSON_TYPE, nested(1_000_000), 'exceeded max depth'],
    ['that is too deep', 'application/yaml', nested(1001), `${unrecognized}yaml: `],
    ['whose aliases are too deep', 'application/yaml', ANCHORED, 'yaml: document contains excessive aliasing'],
    ['that is no YAML', 'application/yaml', 'a: [b', `${unrecognized}yaml: `],
    [
      'that is no protobuf',
      PROTOBUF_TYPE,
      'x',
      `${unrecognized}provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (78)`,
    ],
  ])('%s', (_, type, body, message) => {
    expect(() => decode(type, body)).toThrow(message);
    expect(() => decode(type, body)).toThrow(StatusError);
  });

  test('with 415 for a type that the resource does not take', () => {
    expect(() => decode('text/plain', 'x')).toThrow(
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
    expect(() => decode(PROTOBUF_TYPE, 'x', CUSTOM_BODY_TYPES)).toThrow(
      'accepted media types include: application/json, application/yaml',
    );
  });

  test('or read: any bytes of any type are an object or a StatusError', () => {
    fc.assert(
      fc.property(fc.constantFrom(...BUILT_IN_BODY_TYPES), fc.oneof(fc.json(), fc.string(), fc.uint8Array()), (type, bytes) => {
        try {
          const body = Buffer.from(bytes);
          const read = decode(type, type === PROTOBUF_TYPE ? Buffer.concat([PROTOBUF_MAGIC, body]) : body);
          expect(decode(read.contentType, read.encode()).object).toEqual(decode(read.contentType, read.encode({})).object);
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          expect(error.code).toBe(400);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
