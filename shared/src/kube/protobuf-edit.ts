import { PROTOBUF_MAGIC, readProtobufEnvelope } from './protobuf.ts';
import { fieldBytes, fieldText } from './protobuf-write.ts';

/** What is put on the metadata of an object on its way to the shard. Labels are added to those that it has. */
export interface ObjectMetaChanges {
  readonly labels?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Of `meta/v1 DeleteOptions`: what must hold of the stored object. */
export interface DeletePreconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Field numbers of k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto and pkg/runtime/generated.proto. */
const OBJECT = { metadata: 1 };
const OBJECT_META = { uid: 5, resourceVersion: 6, labels: 11 };
const DELETE_OPTIONS = { preconditions: 2 };
const PRECONDITIONS = { uid: 1, resourceVersion: 2 };
const UNKNOWN = { typeMeta: 1, raw: 2, contentEncoding: 3, contentType: 4 };
const TYPE_META = { apiVersion: 1, kind: 2 };

/**
 * A Kubernetes protobuf body with `changes` put on its object's metadata; all else stays as it is. `body` is one with the magic bytes
 * and the envelope. Throws a StatusError 400 when that is malformed.
 *
 * Nothing is rewritten: a field that comes again is merged by Go's decoder (a message field by field, the last text wins, maps grow), so
 * that what is appended is what counts.
 */
export function withObjectMeta(body: Uint8Array, changes: ObjectMetaChanges): Buffer {
  const labels = Object.entries(changes.labels ?? {});
  const metadata = Buffer.concat([
    ...optionalText(OBJECT_META.uid, changes.uid),
    ...optionalText(OBJECT_META.resourceVersion, changes.resourceVersion),
    ...labels.map(([key, value]) => fieldBytes(OBJECT_META.labels, Buffer.concat([fieldText(1, key), fieldText(2, value)]))),
  ]);
  return metadata.length === 0 ? Buffer.from(body) : withAppended(body, fieldBytes(OBJECT.metadata, metadata));
}

/** A DeleteOptions body in protobuf with these preconditions put on its own. Throws a StatusError 400 when the body is malformed. */
export function withDeletePreconditions(body: Uint8Array, preconditions: DeletePreconditions): Buffer {
  const message = Buffer.concat([
    ...optionalText(PRECONDITIONS.uid, preconditions.uid),
    ...optionalText(PRECONDITIONS.resourceVersion, preconditions.resourceVersion),
  ]);
  return message.length === 0 ? Buffer.from(body) : withAppended(body, fieldBytes(DELETE_OPTIONS.preconditions, message));
}

const optionalText = (number: number, value: string | undefined): Buffer[] =>
  value === undefined ? [] : [fieldText(number, value)];

/** The envelope is written anew: of an object's own message, which is bytes there, only the last would count. */
function withAppended(body: Uint8Array, fields: Uint8Array): Buffer {
  const { apiVersion, kind, raw, contentEncoding, contentType } = readProtobufEnvelope(body);
  return Buffer.concat([
    PROTOBUF_MAGIC,
    fieldBytes(UNKNOWN.typeMeta, Buffer.concat([fieldText(TYPE_META.apiVersion, apiVersion), fieldText(TYPE_META.kind, kind)])),
    fieldBytes(UNKNOWN.raw, Buffer.concat([raw, fields])),
    fieldText(UNKNOWN.contentEncoding, contentEncoding),
    fieldText(UNKNOWN.contentType, contentType),
  ]);
}
