import { badRequest } from '@kcp-vw/shared/kube/errors.ts';
import { readProtobufEnvelope } from '@kcp-vw/shared/kube/protobuf.ts';
import { type FieldType, type Message, schemaOf } from './protobuf-schemas.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const MAGIC = Buffer.from('k8s\0');
const ENVELOPE: Message = { type: [1, { apiVersion: [1, 'text'], kind: [2, 'text'] }] };

const VARINT = 0;
const DELIMITED = 2;

/** The object in Kubernetes' envelope; undefined when its kind has no form. */
export function encodeObject(object: JsonObject): Buffer | undefined {
  const { apiVersion, kind } = object;
  const schema = schemaOf(String(apiVersion), String(kind));
  if (schema === undefined) return undefined;
  return Buffer.concat([MAGIC, encode({ type: { apiVersion, kind } }, ENVELOPE), delimited(2, encode(object, schema))]);
}

/** A `WatchEvent`, which has no envelope itself but carries its object in one; undefined when the object's kind has no form. */
export function encodeWatchEvent(type: string, object: JsonObject): Buffer | undefined {
  const raw = encodeObject(object);
  return raw && Buffer.concat([delimited(1, Buffer.from(type)), delimited(2, delimited(1, raw))]);
}

/** The object of a body in Kubernetes' envelope; undefined when its kind has no form. Throws a StatusError 400 for what is malformed. */
export function decodeObject(body: Uint8Array): JsonObject | undefined {
  const { apiVersion, kind, raw } = readProtobufEnvelope(body);
  const schema = schemaOf(apiVersion, kind);
  return schema && { apiVersion, kind, ...decode(Buffer.from(raw), schema) };
}

function encode(object: JsonObject, schema: Message): Buffer {
  const parts: Buffer[] = [];
  for (const [name, [number, type, list]] of Object.entries(schema)) {
    const value = object[name];
    if (value === undefined || value === null) continue;
    for (const one of list ? (value as readonly unknown[]) : [value]) parts.push(encodeField(number, type, one));
  }
  return Buffer.concat(parts);
}

const ENTRY_VALUE: Readonly<Record<'textMap' | 'bytesMap' | 'textsMap', FieldType>> = {
  textMap: 'text',
  bytesMap: 'bytes',
  textsMap: { items: [1, 'text', 'list'] },
};
const entryOf = (type: keyof typeof ENTRY_VALUE): Message => ({ key: [1, 'text'], value: [2, ENTRY_VALUE[type]] });

function encodeField(number: number, type: FieldType, value: unknown): Buffer {
  if (typeof type === 'object') return delimited(number, encode(value as JsonObject, type));
  switch (type) {
    case 'text':
      return delimited(number, Buffer.from(String(value)));
    case 'json':
      return delimited(number, delimited(1, Buffer.from(JSON.stringify(value))));
    case 'bytes':
      return delimited(number, Buffer.from(String(value), 'base64'));
    case 'number':
      return Buffer.concat([varint(number * 8 + VARINT), varint(Number(value))]);
    case 'boolean':
      return Buffer.concat([varint(number * 8 + VARINT), varint(value === true ? 1 : 0)]);
    case 'time':
      return delimited(number, encodeField(1, 'number', Math.floor(Date.parse(String(value)) / 1000)));
    case 'microTime':
      return delimited(number, encode(instantOf(String(value)), INSTANT));
    default: {
      const entries = Object.entries(value as JsonObject).sort(([a], [b]) => (a < b ? -1 : 1));
      const wrapped = (one: unknown): unknown => (type === 'textsMap' ? { items: one } : one);
      return Buffer.concat(entries.map(([key, one]) => delimited(number, encode({ key, value: wrapped(one) }, entryOf(type)))));
    }
  }
}

/** `Timestamp`. */
const INSTANT: Message = { seconds: [1, 'number'], nanos: [2, 'number'] };

function instantOf(text: string): { seconds: number; nanos: number } {
  const [, fraction = ''] = /\.(\d+)/.exec(text) ?? [];
  return { seconds: Math.floor(Date.parse(text) / 1000), nanos: Number(fraction.slice(0, 9).padEnd(9, '0')) };
}

/** RFC 3339; of `MicroTime` with six digits after the point. */
function instantText({ seconds, nanos = 0 }: { readonly seconds?: unknown; readonly nanos?: unknown }, isMicro: boolean): string {
  if (typeof seconds !== 'number') return '';
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return isMicro ? `${whole}.${String(Math.floor(Number(nanos) / 1000)).padStart(6, '0')}Z` : `${whole}Z`;
}

const delimited = (number: number, content: Buffer): Buffer =>
  Buffer.concat([varint(number * 8 + DELIMITED), varint(content.length), content]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Go writes fields that are not pointers even when they are empty, and its JSON leaves them out: so do we. */
const isEmpty = (value: unknown): boolean =>
  value === '' ||
  value === 0 ||
  value === false ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

const NOTHING = Buffer.alloc(0);

function decode(message: Buffer, schema: Message): Record<string, unknown> {
  const byNumber = new Map(Object.entries(schema).map(([name, [number, type, list]]) => [number, { name, type, list }]));
  const object: Record<string, unknown> = {};
  // A message that comes again is merged into the first, as if both were one.
  const parts = new Map<number, Buffer>();
  const joined = (number: number, part: Buffer): Buffer => {
    const whole = Buffer.concat([parts.get(number) ?? NOTHING, part]);
    parts.set(number, whole);
    return whole;
  };
  for (const { number, content } of fieldsIn(message)) {
    const field = byNumber.get(number);
    if (field === undefined) continue;
    const { name, type, list } = field;
    if (typeof type === 'string' && type.endsWith('Map')) {
      const { key = '', value } = decode(bytesOf(content), entryOf(type as keyof typeof ENTRY_VALUE));
      const one = type === 'textsMap' ? (value as { items?: unknown } | undefined)?.items : value;
      object[name] = { ...(object[name] as object | undefined), [String(key)]: one ?? (type === 'textsMap' ? [] : '') };
      continue;
    }
    const value = decodeField(!list && typeof type === 'object' ? joined(number, bytesOf(content)) : content, type);
    if (list) object[name] = [...((object[name] as unknown[] | undefined) ?? []), value];
    else if (!isEmpty(value)) object[name] = value;
  }
  return object;
}

function decodeField(content: Buffer | number, type: FieldType): unknown {
  if (typeof type === 'object') return decode(bytesOf(content), type);
  if (type === 'number') return numberOf(content);
  if (type === 'boolean') return numberOf(content) !== 0;
  const bytes = bytesOf(content);
  if (type === 'bytes') return bytes.toString('base64');
  if (type === 'text') return bytes.toString();
  if (type === 'json') return jsonIn(bytes);
  return instantText(decode(bytes, INSTANT), type === 'microTime');
}

/** The value in the text of a message `{raw: [1, 'text']}`. */
function jsonIn(message: Buffer): unknown {
  const { raw } = decode(message, { raw: [1, 'text'] });
  try {
    return JSON.parse(String(raw));
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed();
    throw error;
  }
}

const malformed = (): Error => badRequest('the protobuf message is malformed');

function bytesOf(content: Buffer | number): Buffer {
  if (typeof content === 'number') throw malformed();
  return content;
}

function numberOf(content: Buffer | number): number {
  if (typeof content !== 'number') throw malformed();
  return content;
}

/** The fields of a message: numbers as such, everything else as bytes. */
function* fieldsIn(message: Buffer): Generator<{ number: number; content: Buffer | number }> {
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw malformed();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw malformed();
  };
  while (at < message.length) {
    const tag = readVarint();
    const wireType = tag % 8;
    const number = Math.floor(tag / 8);
    if (wireType === VARINT) {
      yield { number, content: readVarint() };
      continue;
    }
    // Kubernetes' messages hold no other types than these two.
    if (wireType !== DELIMITED) throw malformed();
    const length = readVarint();
    if (at + length > message.length) throw malformed();
    yield { number, content: message.subarray(at, at + length) };
    at += length;
  }
}
