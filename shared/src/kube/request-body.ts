import { badRequest, StatusError, unsupportedMediaType } from './errors.ts';
import { JSON_MEDIA_TYPE, PROTOBUF_MEDIA_TYPE, YAML_MEDIA_TYPE } from './media-type.ts';
import type { KubeObject } from './objects.ts';
import { readProtobufEnvelope, readProtobufObjectMeta } from './protobuf.ts';
import { type ObjectMetaChanges, withObjectMeta } from './protobuf-edit.ts';
import { goTypeOf, parseBodyText, unrecognized } from './request-body-text.ts';

/** What an API server takes for the objects of a built-in resource. */
export const BUILT_IN_BODY_TYPES: readonly string[] = [JSON_MEDIA_TYPE, YAML_MEDIA_TYPE, PROTOBUF_MEDIA_TYPE];
/** The same for a custom resource, which has no protobuf. */
export const CUSTOM_BODY_TYPES: readonly string[] = [JSON_MEDIA_TYPE, YAML_MEDIA_TYPE];
/** And for patches of one, which knows no strategic merge. */
export const CUSTOM_PATCH_TYPES: readonly string[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
];

/** The object that a create or update sends. */
export interface ObjectBody {
  /** Of a body in protobuf: apiVersion, kind, and of the metadata what `readProtobufObjectMeta` gives and is not empty. */
  readonly object: KubeObject;
  /** Of what `encode` gives: JSON (YAML becomes JSON) or protobuf. */
  readonly contentType: string;
  /**
   * The body to send on, with `changes` put on the metadata; labels are added to the object's own. JSON is made from `object`, also
   * without changes: where a body says a thing twice Go merges some of it, and what is stored must be what was inspected.
   */
  encode(changes?: ObjectMetaChanges): Buffer;
}

export interface BodyExpectation {
  /** Media types to be taken, the default first. */
  readonly accepted: readonly string[];
  /** Named in refusals: `ConfigMap`. */
  readonly kind: string;
}

/**
 * Reads the body of a create or update; without a `contentType` it is of the first type accepted. Throws a StatusError: 415 for a type
 * that is not accepted, 400 for what is no object with metadata. Whether it is of the right kind, and the right object, is for others
 * to say.
 */
export function decodeObjectBody(contentType: string | undefined, body: Uint8Array, expected: BodyExpectation): ObjectBody {
  const type = acceptedType(contentType, expected.accepted);
  return type === PROTOBUF_MEDIA_TYPE ? protobufBody(body, expected.kind) : textBody(type, body, expected.kind);
}

/** The media type without its parameters. Throws a StatusError 415 when it is not among those accepted. */
export function acceptedType(contentType: string | undefined, accepted: readonly string[]): string {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() || accepted[0];
  if (type === undefined || !accepted.includes(type)) throw unsupportedMediaType(accepted);
  return type;
}

function textBody(type: string, body: Uint8Array, kind: string): ObjectBody {
  const parsed = parseBodyText(type, body);
  if ('error' in parsed) throw unrecognized(kind, parsed.error, body);
  const object = checked(parsed.object, body, kind);
  return {
    object,
    contentType: JSON_MEDIA_TYPE,
    encode: (changes = {}) => Buffer.from(JSON.stringify(withChanges(object, changes))),
  };
}

const METADATA_TEXTS = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion'];
const METADATA_MAPS = ['labels', 'annotations'];

/** The object, when what is read of it later has the types that it should: Go's decoder refuses the same, in these words. */
function checked(object: Readonly<Record<string, unknown>>, body: Uint8Array, kind: string): KubeObject {
  for (const name of ['apiVersion', 'kind']) {
    const value = object[name] ?? '';
    if (typeof value === 'string') continue;
    const why = `json: cannot unmarshal ${goTypeOf(value)} into Go struct field .${name} of type string`;
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${why}`, body);
  }
  const refuse = (value: unknown, field: string, type: string): StatusError => {
    const version = String(object.apiVersion ?? '')
      .split('/')
      .at(-1);
    const subject = `${kind} in version "${version}" cannot be handled as a ${kind}`;
    return badRequest(`${subject}: json: cannot unmarshal ${goTypeOf(value)} into Go struct field ${field} of type ${type}`);
  };
  const given = object.metadata ?? {};
  if (!isRecord(given)) throw refuse(given, `${kind}.metadata`, 'v1.ObjectMeta');
  const metadata: Record<string, unknown> = { ...given };
  for (const name of METADATA_TEXTS) {
    const value = metadata[name] ?? '';
    if (typeof value !== 'string') throw refuse(value, `ObjectMeta.metadata.${name}`, 'string');
  }
  for (const name of METADATA_MAPS) {
    const map = metadata[name] ?? undefined;
    if (map === undefined) continue;
    if (!isRecord(map)) throw refuse(map, `ObjectMeta.metadata.${name}`, 'map[string]string');
    metadata[name] = Object.fromEntries(
      Object.entries(map).map(([key, value]) => {
        if (typeof (value ?? '') !== 'string') throw refuse(value, `ObjectMeta.metadata.${name}`, 'string');
        // Go stores a null as an empty text.
        return [key, value ?? ''];
      }),
    );
  }
  return { ...object, ...(object.metadata !== undefined && { metadata }) };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function withChanges(object: KubeObject, { labels = {}, ...texts }: ObjectMetaChanges): KubeObject {
  const added = Object.keys(labels).length > 0 ? { labels: { ...object.metadata?.labels, ...labels } } : {};
  const changes = { ...texts, ...added };
  return Object.keys(changes).length === 0 ? object : { ...object, metadata: { ...object.metadata, ...changes } };
}

function protobufBody(body: Uint8Array, kind: string): ObjectBody {
  try {
    const envelope = readProtobufEnvelope(body);
    const metadata = Object.entries(readProtobufObjectMeta(envelope.raw)).filter(([, value]) => value !== '');
    return {
      object: { apiVersion: envelope.apiVersion, kind: envelope.kind, metadata: Object.fromEntries(metadata) },
      contentType: PROTOBUF_MEDIA_TYPE,
      encode: (changes = {}) => withObjectMeta(body, changes),
    };
  } catch (error) {
    if (error instanceof StatusError) throw unrecognized(kind, error.message, body);
    throw error;
  }
}
