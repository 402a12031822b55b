import { badRequest, methodNotAllowed, notAcceptable, notFound, type ResourceRef, type StatusError } from '../kube/errors.ts';
import { JSON_MEDIA_TYPE, OBJECT_OFFERS, parsedForm, YAML_MEDIA_TYPE } from '../kube/media-type.ts';
import type { KubeObject } from '../kube/objects.ts';
import { headerValue } from '../listener/headers.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import type { Call, Guard, Transform } from '../view/view.ts';
import { collect, parseObject, sendCollected } from './collect.ts';
import { requireCustomBody } from './custom-body.ts';
import type { Execution } from './execution.ts';
import { executeChecked } from './guarded.ts';
import { refuseListOfOne } from './list-of-one.ts';
import { statusOf } from './relay.ts';
import { sendObject } from './send.ts';
import { transformDocument, withTableObjects } from './transform-document.ts';
import { relayTransformedWatch } from './transform-watch.ts';
import { contentLengthOf, readableHeaders, upstreamPath } from './upstream-request.ts';
import { wildcardMetadata } from './wildcard-metadata.ts';

/** Executes a transform: the shard's answer is taken apart, `plan.object` sees each object, and what it returns is what the caller sees. */
export async function executeTransform(execution: Execution, plan: Transform): Promise<void> {
  const { call } = execution;
  const { verb } = call.request;
  requireCustomBody(execution, plan);
  refuseListOfOne(execution);
  refuseForeignMetadata(execution, plan);
  try {
    if (verb === 'watch') return await relayTransformedWatch(execution, plan);
    if (verb === 'get' || verb === 'list') return await executeRead(execution, plan);
    if ((verb === 'update' || verb === 'patch') && plan.admit) {
      const guard = guardOf(plan, plan.admit, call);
      return await executeChecked({ ...execution, plan, guard }, () => Promise.reject(unsupported(call)));
    }
  } catch (error) {
    throw error instanceof UpstreamError ? statusOf(error, execution.shard) : error;
  }
  throw unsupported(call);
}

/** Throws a StatusError 406 for metadata that a shard would take from the objects of all identities. */
function refuseForeignMetadata(execution: Execution, plan: Transform): void {
  if (plan.reads === 'object' || plan.identity === undefined || !wildcardMetadata(execution, plan)) return;
  throw notAcceptable(OBJECT_OFFERS.map(({ mediaType }) => mediaType));
}

/** What is not the caller's to see cannot be written, and nothing is made. */
const guardOf = (plan: Transform, admit: NonNullable<Transform['admit']>, call: Call): Guard => ({
  visible: object => plan.object(object) !== undefined,
  mayCreate: async () => missing(call),
  admit: ({ stored = {}, proposed = {} }) => {
    const other = anotherThing(stored, proposed);
    return other === undefined ? admit(stored, proposed) : badRequest(other);
  },
});

/** Why a body is not about the object it is sent to, as API servers say it of built-in resources before they look any further. */
function anotherThing({ apiVersion, kind, metadata }: KubeObject, proposed: KubeObject): string | undefined {
  if (proposed.apiVersion !== apiVersion) {
    return `the API version in the data (${proposed.apiVersion ?? ''}) does not match the expected API version (${apiVersion})`;
  }
  if (proposed.kind !== kind) return `the kind in the data (${proposed.kind ?? ''}) does not match the expected kind (${kind})`;
  const [given, name] = [proposed.metadata?.name, metadata?.name];
  return given === name ? undefined : `the name of the object (${given ?? ''}) does not match the name on the URL (${name})`;
}

const refOf = ({ request }: Call): ResourceRef => ({ group: request.apiGroup, resource: request.resource });
const unsupported = (call: Call): StatusError => methodNotAllowed(refOf(call), call.request.verb);
const missing = (call: Call): StatusError => notFound(refOf(call), call.request.name);

async function executeRead({ exchange, shard, call, rest }: Execution, plan: Transform): Promise<void> {
  const { accept, mediaType } = parsedForm(headerValue(exchange.headers, 'accept'));
  const { target, ...form } = withTableObjects(rest, plan.reads === 'object' ? JSON_MEDIA_TYPE : accept);
  const contentLength = contentLengthOf(exchange);
  const response = await collect(exchange, shard, {
    method: 'GET',
    path: upstreamPath(call, target, plan),
    headers: readableHeaders(exchange, plan, 'gzip', accept),
    body: exchange.body,
    ...(contentLength !== undefined && { contentLength }),
    longRunning: false,
  });
  if (response.status >= 300) return sendCollected(exchange, response);
  const document = parseObject(response.body, shard);
  const visible = transformDocument(document, plan, { isList: call.request.verb === 'list', ...form });
  if (visible === undefined) throw missing(call);
  const contentType = mediaType === YAML_MEDIA_TYPE ? mediaType : headerValue(response.headers, 'content-type');
  sendObject(exchange, response.status, visible, contentType);
}
