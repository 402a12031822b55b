import { badRequest, methodNotAllowed } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { type RawHeaders, withoutHeaders } from '../listener/headers.ts';
import { hasEncodedSlash } from '../target/target.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import type { Rewrite } from '../view/view.ts';
import { type Asking, ask, refOf } from './checked.ts';
import { type CollectedResponse, parseObject, sendCollected } from './collect.ts';
import { requireCustomBody } from './custom-body.ts';
import { deleteEach } from './delete-each.ts';
import type { Execution } from './execution.ts';
import { forwardedResponseHeaders } from './forwarded-headers.ts';
import { rewrittenBody } from './rewritten-body.ts';
import { represent } from './serve-representation.ts';
import { statusOf } from './upstream-failures.ts';

/** A request for one object, or for the end of some, under a plan that says it to the shard in other words. */
export interface Rewriting extends Asking {
  readonly plan: Rewrite;
}

/** Executes a rewrite: what the caller sent is read, sent on as the plan says it, and what comes back is shown as the plan shows it. */
export async function executeRewrite(execution: Execution, plan: Rewrite): Promise<void> {
  const { shard, call, rest } = execution;
  const { verb, isResourceRequest } = call.request;
  requireCustomBody(execution, plan);
  // Where an encoded slash separates name and subresource, the shard may read another path than the plan is about.
  if (rest.segments.some(hasEncodedSlash)) throw badRequest('the request target is not accepted: it has an encoded slash');
  try {
    if (isResourceRequest && OF_OBJECTS.has(verb)) return await rewriteOne({ ...execution, plan });
    if (isResourceRequest && verb === 'deletecollection' && plan.each) {
      return await deleteEach({ ...execution, plan }, plan.each);
    }
  } catch (error) {
    throw error instanceof UpstreamError ? statusOf(error, shard) : error;
  }
  throw methodNotAllowed(refOf(execution), verb);
}

const OF_OBJECTS: ReadonlySet<string> = new Set(['get', 'create', 'update', 'patch', 'delete']);
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

async function rewriteOne(rewriting: Rewriting): Promise<void> {
  const { exchange, shard, call, rest, plan } = rewriting;
  const method = METHODS.find(one => one === exchange.method);
  if (method === undefined) throw methodNotAllowed(refOf(rewriting), call.request.verb);
  // What the caller cannot be shown is not done either.
  const representation = represent(exchange, 'get', call.query, plan.of);
  const body = call.request.verb === 'get' ? {} : await rewrittenBody(rewriting, plan);
  if ('response' in body) return sendCollected(exchange, body.response);
  const response = await ask(rewriting, { method, rawQuery: rest.rawQuery, ...body, accept: 'application/json' });
  if (response.status >= 300) return sendCollected(exchange, response);
  if (method === 'HEAD') return sendHead(rewriting, response);
  const answered = parseObject(response.body, shard);
  // A delete may leave nothing to be shown.
  const text = isStatus(answered) ? representation.status(answered) : representation.object(await shown(plan, answered));
  sendText(rewriting, response, { text, mediaType: representation.mediaType });
}

export const isStatus = ({ apiVersion, kind }: KubeObject): boolean => apiVersion === 'v1' && kind === 'Status';

export const shown = async ({ response }: Rewrite, object: KubeObject): Promise<KubeObject> =>
  (await response?.(object)) ?? object;

/** Answers with `text` where the shard has answered with something else: its status, its warnings and whatever else it says stay. */
export function sendText(
  { exchange }: Rewriting,
  { status, headers }: Pick<CollectedResponse, 'status' | 'headers'>,
  { text, mediaType }: { readonly text: string; readonly mediaType: string },
): void {
  if (exchange.closed) return;
  const body = Buffer.from(text);
  exchange.writeHead(status, [...notOfItsBody(headers), 'content-type', mediaType, 'content-length', String(body.length)]);
  exchange.end(body);
}

function sendHead({ exchange }: Rewriting, { status, headers }: CollectedResponse): void {
  exchange.writeHead(status, notOfItsBody(headers));
  exchange.end();
}

/** What the shard says of its own body is not true of another. */
const notOfItsBody = (headers: RawHeaders): RawHeaders =>
  withoutHeaders(forwardedResponseHeaders(headers), name => OF_ITS_BODY.has(name));

const OF_ITS_BODY: ReadonlySet<string> = new Set(['content-type', 'content-length', 'content-encoding', 'etag']);
