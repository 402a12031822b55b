import { decodeDeleteOptions } from '../kube/delete-options.ts';
import { badRequest, StatusError } from '../kube/errors.ts';
import { parseExact } from '../kube/json-exact.ts';
import { JSON_MEDIA_TYPE, PROTOBUF_MEDIA_TYPE, YAML_MEDIA_TYPE } from '../kube/media-type.ts';
import type { DeletePreconditions } from '../kube/protobuf-edit.ts';
import { CUSTOM_BODY_TYPES, decodeObjectBody } from '../kube/request-body.ts';
import { parseBodyText, unrecognized } from '../kube/request-body-text.ts';
import type { BodyKind, Rewrite } from '../view/view.ts';
import { type Asking, contentTypeOf, readBody, refOf } from './checked.ts';
import { shardsWords } from './checked-body.ts';
import { APPLY_PATCH, patchTypeOf } from './checked-patch.ts';
import type { CollectedResponse } from './collect.ts';
import { printApply } from './conditional-apply.ts';

/** What to send. */
export interface SendableBody {
  /** Absent: nothing. */
  readonly body?: Buffer;
  readonly contentType?: string;
}

/** A body, parsed, and how another content is sent in its place. */
interface ReadBody {
  readonly content: unknown;
  readonly kind: BodyKind;
  readonly asGiven: SendableBody;
  print(changed: unknown): SendableBody;
}

/**
 * The body to send for the caller's. Of a body that cannot be read the shard says why, unless it is to be refused. Throws a StatusError for one that is refused: 415 in
 * protobuf, of which only a delete's options are read.
 */
export async function rewrittenBody(
  asking: Asking,
  { request, unreadable }: Pick<Rewrite, 'request' | 'unreadable'>,
): Promise<SendableBody | { readonly response: CollectedResponse }> {
  const contentType = contentTypeOf(asking);
  const body = await readBody(asking);
  if (request === undefined) return given(body, contentType);
  const read = await readSent(asking, body, contentType, unreadable);
  if ('response' in read) return read;
  const changed = await request(read.content, read.kind);
  if (changed instanceof StatusError) throw changed;
  return changed === read.content ? read.asGiven : read.print(changed);
}

const given = (body: Buffer, contentType: string | undefined): SendableBody =>
  body.length === 0 ? {} : { body, ...(contentType !== undefined && { contentType }) };

async function readSent(
  asking: Asking,
  body: Buffer,
  contentType: string | undefined,
  unreadable: Rewrite['unreadable'],
): Promise<ReadBody | { readonly response: CollectedResponse }> {
  const { verb } = asking.call.request;
  if (verb === 'delete' || verb === 'deletecollection') return readDeleteOptions(asking, body, contentType);
  const method = verb === 'create' ? 'POST' : verb === 'update' ? 'PUT' : 'PATCH';
  try {
    return method === 'PATCH' ? readPatch(asking, body, contentType) : readObject(asking, body, contentType);
  } catch (error) {
    if (!(error instanceof StatusError) || error.code === 415 || unreadable === 'refuse') throw error;
    return { response: await shardsWords(asking, { method, body, contentType }, error) };
  }
}

function readObject(asking: Asking, body: Buffer, contentType: string | undefined): ReadBody {
  const kind = asking.plan.customKind ?? refOf(asking).resource;
  const { object } = decodeObjectBody(contentType, body, { accepted: CUSTOM_BODY_TYPES, kind });
  return {
    content: object,
    kind: 'object',
    asGiven: given(body, contentType),
    print: changed => ({ body: json(changed), contentType: JSON_MEDIA_TYPE }),
  };
}

/** By the media types that patches have. */
const PATCH_KINDS: Readonly<Record<string, BodyKind>> = {
  'application/json-patch+json': 'json-patch',
  'application/merge-patch+json': 'merge-patch',
  'application/strategic-merge-patch+json': 'strategic-merge-patch',
  [APPLY_PATCH]: 'apply',
};

function readPatch(asking: Asking, body: Buffer, sentType: string | undefined): ReadBody {
  const contentType = patchTypeOf(sentType);
  const kind = PATCH_KINDS[contentType] as BodyKind;
  return {
    content:
      kind === 'json-patch' ? parsedJson(body) : fields(kind === 'apply' ? YAML_MEDIA_TYPE : JSON_MEDIA_TYPE, body, asking),
    kind,
    asGiven: given(body, sentType),
    print: changed => ({ body: kind === 'apply' ? printApply(changed as object) : json(changed), contentType }),
  };
}

function fields(type: string, body: Buffer, asking: Asking): Readonly<Record<string, unknown>> {
  const parsed = parseBodyText(type, body);
  if ('error' in parsed) throw unrecognized(refOf(asking).resource, parsed.error, body);
  return parsed.object;
}

function parsedJson(body: Buffer): unknown {
  try {
    return parseExact(body.toString());
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readDeleteOptions(asking: Asking, body: Buffer, contentType: string | undefined): ReadBody {
  const options = decodeDeleteOptions(contentType, body, asking.rest.query);
  const isProtobuf = options.contentType === PROTOBUF_MEDIA_TYPE;
  return {
    content: isProtobuf
      ? { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: options.preconditions }
      : parsedJson(options.withPreconditions({})),
    kind: 'delete-options',
    asGiven: given(body, contentType),
    print: changed => ({
      body: isProtobuf ? options.withPreconditions(preconditionsIn(changed)) : json(changed),
      contentType: options.contentType,
    }),
  };
}

const preconditionsIn = (options: unknown): DeletePreconditions =>
  (options as { readonly preconditions?: DeletePreconditions }).preconditions ?? {};

const json = (content: unknown): Buffer => Buffer.from(JSON.stringify(content));
