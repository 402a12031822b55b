import { badRequest, type StatusError } from './errors.ts';
import { parseInt64 } from './int64.ts';
import { JSON_MEDIA_TYPE, PROTOBUF_MEDIA_TYPE } from './media-type.ts';
import type { ObjectMeta } from './objects.ts';
import { readProtobufEnvelope } from './protobuf.ts';
import { type DeletePreconditions, withDeletePreconditions } from './protobuf-edit.ts';
import { fieldsOf } from './protobuf-wire.ts';
import { acceptedType, BUILT_IN_BODY_TYPES } from './request-body.ts';
import { goTypeOf, parseBodyText } from './request-body-text.ts';

/** The options of a DELETE. */
export interface DeleteOptionsBody {
  /** The caller's own; what they must meet is said by `unmetPrecondition`. */
  readonly preconditions: DeletePreconditions;
  /** Of what `withPreconditions` gives: JSON or protobuf. */
  readonly contentType: string;
  /** The body to send on: the caller's options, with these preconditions in place of theirs. */
  withPreconditions(preconditions: DeletePreconditions): Buffer;
}

/**
 * Reads the options of a DELETE from its body, or from its query when there is no body: a shard that gets a body does not look at the
 * query. DeleteOptions are taken in protobuf for custom resources too. Throws a StatusError: 415 for another media type, 400 for what are no
 * DeleteOptions.
 */
export function decodeDeleteOptions(
  contentType: string | undefined,
  body: Uint8Array,
  query: URLSearchParams,
): DeleteOptionsBody {
  if (body.length === 0) return textOptions(fromQuery(query));
  const type = acceptedType(contentType, BUILT_IN_BODY_TYPES);
  return type === PROTOBUF_MEDIA_TYPE ? protobufOptions(body) : textOptions(parsed(type, body));
}

/** Why a stored object does not meet the preconditions, in the words of k8s.io/apiserver's `BeforeDelete`; undefined when it does. */
export function unmetPrecondition(preconditions: DeletePreconditions, stored: ObjectMeta): string | undefined {
  const { uid, resourceVersion } = preconditions;
  if (uid !== undefined && uid !== stored.uid) {
    return `the UID in the precondition (${uid}) does not match the UID in record (${stored.uid}). The object might have been deleted and then recreated`;
  }
  if (resourceVersion !== undefined && resourceVersion !== stored.resourceVersion) {
    return `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${stored.resourceVersion}). The object might have been modified`;
  }
  return undefined;
}

const KIND = 'DeleteOptions';

function parsed(type: string, body: Uint8Array): Record<string, unknown> {
  const found = parseBodyText(type, body);
  if ('error' in found) throw badRequest(found.error);
  return found.object;
}

function textOptions(options: Record<string, unknown>): DeleteOptionsBody {
  const given = options.preconditions ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) throw mistyped(given, 'preconditions', 'v1.Preconditions');
  const preconditions = readPreconditions(Object.entries(given));
  return {
    preconditions,
    contentType: JSON_MEDIA_TYPE,
    withPreconditions: added =>
      Buffer.from(JSON.stringify({ kind: KIND, apiVersion: 'v1', ...options, preconditions: { ...preconditions, ...added } })),
  };
}

function readPreconditions(entries: readonly [string, unknown][]): DeletePreconditions {
  const known = entries.filter(([name, value]) => (name === 'uid' || name === 'resourceVersion') && value !== null);
  for (const [name, value] of known) {
    if (typeof value !== 'string') throw mistyped(value, `preconditions.${name}`, 'string');
  }
  return Object.fromEntries(known);
}

const mistyped = (value: unknown, field: string, type: string): StatusError =>
  badRequest(`json: cannot unmarshal ${goTypeOf(value)} into Go struct field ${KIND}.${field} of type ${type}`);

/** As `Convert_url_Values_To_v1_DeleteOptions` reads them. */
function fromQuery(query: URLSearchParams): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null) {
    const seconds = parseInt64(grace);
    if (seconds === undefined) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
    options.gracePeriodSeconds = Number(seconds);
  }
  const orphan = query.get('orphanDependents');
  if (orphan !== null) options.orphanDependents = !FALSE.has(orphan.toLowerCase());
  const policy = query.get('propagationPolicy');
  if (policy !== null) options.propagationPolicy = policy;
  if (query.has('dryRun')) options.dryRun = query.getAll('dryRun');
  const uid = query.get('uid');
  if (uid !== null) options.preconditions = { uid };
  return options;
}

/** All else is true, for `runtime.Convert_Slice_string_To_bool`. */
const FALSE: ReadonlySet<string> = new Set(['false', '0']);

/** DeleteOptions have no metadata; `preconditions` are their field 2, with a uid (1) and a resourceVersion (2). */
function protobufOptions(body: Uint8Array): DeleteOptionsBody {
  const preconditions: { uid?: string; resourceVersion?: string } = {};
  for (const option of fieldsOf(readProtobufEnvelope(body).raw)) {
    if (option.number !== 2) continue;
    for (const field of fieldsOf(option.bytes())) {
      if (field.number === 1) preconditions.uid = field.text();
      if (field.number === 2) preconditions.resourceVersion = field.text();
    }
  }
  return {
    preconditions,
    contentType: PROTOBUF_MEDIA_TYPE,
    withPreconditions: added => withDeletePreconditions(body, added),
  };
}
