import { methodNotAllowed, notFound } from '../kube/errors.ts';
import { headerValue } from '../listener/headers.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import type { Transform } from '../view/view.ts';
import { executeAdmittedWrite } from './admitted-write.ts';
import { collect, parseObject, sendCollected } from './collect.ts';
import type { Execution } from './execution.ts';
import { statusOf } from './relay.ts';
import { sendJson } from './send.ts';
import { transformDocument, withTableObjects } from './transform-document.ts';
import { relayTransformedWatch } from './transform-watch.ts';
import { contentLengthOf, readableHeaders, upstreamPath } from './upstream-request.ts';

/** Executes a transform: the shard's answer is taken apart, `plan.object` sees each object, and what it returns is what the caller sees. */
export async function executeTransform(execution: Execution, plan: Transform): Promise<void> {
  const { call } = execution;
  const { verb } = call.request;
  try {
    if (verb === 'watch') return await relayTransformedWatch(execution, plan);
    if (verb === 'get' || verb === 'list') return await executeRead(execution, plan);
    if ((verb === 'update' || verb === 'patch') && plan.admit) {
      return await executeAdmittedWrite(execution, { ...plan, admit: plan.admit });
    }
  } catch (error) {
    throw error instanceof UpstreamError ? statusOf(error, execution.shard) : error;
  }
  throw methodNotAllowed({ group: call.request.apiGroup, resource: call.request.resource }, verb);
}

async function executeRead({ exchange, shard, call, rest }: Execution, plan: Transform): Promise<void> {
  const { target, hideObjects } = withTableObjects(rest, exchange);
  const contentLength = contentLengthOf(exchange);
  const response = await collect(exchange, shard, {
    method: 'GET',
    path: upstreamPath(call, target, plan),
    headers: readableHeaders(exchange, plan),
    body: exchange.body,
    ...(contentLength !== undefined && { contentLength }),
    longRunning: false,
  });
  if (response.status >= 300) return sendCollected(exchange, response);
  const document = parseObject(response.body, shard);
  const visible = transformDocument(document, plan, hideObjects);
  if (visible === undefined) {
    throw notFound({ group: call.request.apiGroup, resource: call.request.resource }, call.request.name);
  }
  sendJson(exchange, response.status, visible, headerValue(response.headers, 'content-type'));
}
