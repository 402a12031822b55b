import { badRequest } from './errors.ts';
import { fieldsOf, type ProtobufField } from './protobuf-wire.ts';

/** First bytes of a Kubernetes protobuf body: `k8s` and a NUL. */
export const PROTOBUF_MAGIC = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

/** The envelope of a Kubernetes protobuf body (`runtime.Unknown`). */
export interface ProtobufEnvelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The object's own message: a view into the body, not a copy. */
  readonly raw: Uint8Array;
  /** How `raw` is packed; empty: not at all. */
  readonly contentEncoding: string;
  /** Of `raw`; empty in what client-go sends. */
  readonly contentType: string;
}

/** What is read of `meta/v1 ObjectMeta`. Absent fields are empty, as in Go. */
export interface ProtobufObjectMeta {
  readonly name: string;
  readonly generateName: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Whether a body begins as a Kubernetes protobuf message does. */
export const isProtobuf = (body: Uint8Array): boolean => PROTOBUF_MAGIC.every((byte, i) => body[i] === byte);

/** Reads the envelope of a body, the four magic bytes included. Throws a StatusError 400 when it is malformed. */
export function readProtobufEnvelope(body: Uint8Array): ProtobufEnvelope {
  if (!isProtobuf(body))
    throw badRequest('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  const raw: Uint8Array = new Uint8Array(0);
  const envelope = { apiVersion: '', kind: '', raw, contentEncoding: '', contentType: '' };
  for (const field of fieldsOf(body.subarray(PROTOBUF_MAGIC.length))) {
    switch (field.number) {
      case 1:
        for (const inner of fieldsOf(field.bytes())) {
          if (inner.number === 1) envelope.apiVersion = inner.text();
          if (inner.number === 2) envelope.kind = inner.text();
        }
        break;
      case 2:
        envelope.raw = field.bytes();
        break;
      case 3:
        envelope.contentEncoding = field.text();
        break;
      case 4:
        envelope.contentType = field.text();
        break;
    }
  }
  return Object.freeze(envelope);
}

/**
 * Reads the metadata of an object's message (`ProtobufEnvelope.raw`): field 1 of every Kubernetes object, though not of
 * DeleteOptions and other messages that are none. Throws a StatusError 400 when it is malformed.
 *
 * A field that is repeated is merged as Go merges it (the last text wins, maps grow): what is decided here must be what the shard stores.
 */
export function readProtobufObjectMeta(raw: Uint8Array): ProtobufObjectMeta {
  const texts = new Map<number, string>();
  const labels = new Map<string, string>();
  const annotations = new Map<string, string>();
  for (const object of fieldsOf(raw)) {
    if (object.number !== 1) continue;
    for (const field of fieldsOf(object.bytes())) {
      if (TEXT_FIELDS.has(field.number)) texts.set(field.number, field.text());
      if (field.number === LABELS) addEntry(labels, field);
      if (field.number === ANNOTATIONS) addEntry(annotations, field);
    }
  }
  const text = (number: number): string => texts.get(number) ?? '';
  return Object.freeze({
    name: text(1),
    generateName: text(2),
    namespace: text(3),
    uid: text(5),
    resourceVersion: text(6),
    // fromEntries defines properties: a key `__proto__` stays a key.
    labels: Object.freeze(Object.fromEntries(labels)),
    annotations: Object.freeze(Object.fromEntries(annotations)),
  });
}

/** Numbers of k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto. */
const TEXT_FIELDS: ReadonlySet<number> = new Set([1, 2, 3, 5, 6]);
const LABELS = 11;
const ANNOTATIONS = 12;

/** A map is a repeated message of key (1) and value (2). */
function addEntry(map: Map<string, string>, entry: ProtobufField): void {
  let [key, value] = ['', ''];
  for (const field of fieldsOf(entry.bytes())) {
    if (field.number === 1) key = field.text();
    if (field.number === 2) value = field.text();
  }
  map.set(key, value);
}
