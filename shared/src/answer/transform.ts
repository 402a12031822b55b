import { internalError, methodNotAllowed, notFound } from '../kube/errors.ts';
import { jsonOnlyAccept } from '../kube/media-type.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue, withoutHeaders } from '../listener/headers.ts';
import type { Target } from '../target/target.ts';
import { type Upstream, UpstreamError } from '../upstream/upstream.ts';
import type { Transform } from '../view/view.ts';
import { executeAdmittedWrite } from './admitted-write.ts';
import { type CollectedResponse, collect } from './collect.ts';
import type { Execution } from './engine.ts';
import { contentLengthOf, upstreamHeaders, upstreamPath } from './forward.ts';
import { statusOf } from './relay.ts';
import { sendJson } from './send.ts';
import { relayTransformedWatch } from './transform-watch.ts';

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

/** What can be parsed here: JSON (with its `as=Table` forms), plain or gzip. */
export function readableHeaders(exchange: Exchange, plan: Transform, encoding = 'gzip'): string[] {
  const headers = withoutHeaders(upstreamHeaders(exchange, plan), name => name === 'accept' || name === 'accept-encoding');
  const accept = jsonOnlyAccept(headerValue(exchange.headers, 'accept'));
  return [...headers, 'accept', plan.reads === 'object' ? 'application/json' : accept, 'accept-encoding', encoding];
}

/** One object, a list, or a Table of either. Undefined: the one object asked for is not the caller's to see. */
export function transformDocument(document: KubeObject, plan: Transform, hideObjects: boolean): KubeObject | undefined {
  if (Array.isArray(document.items)) {
    const items = (document.items as KubeObject[]).map(plan.object).filter(item => item !== undefined);
    return { ...document, ...withoutRemaining(document), items };
  }
  if (document.kind === 'Table' && Array.isArray(document.rows)) {
    const rows = (document.rows as TableRow[])
      .filter(row => row.object !== undefined && plan.object(row.object) !== undefined)
      .map(({ object, ...row }) => (hideObjects ? row : { ...row, object }));
    return { ...document, ...withoutRemaining(document), rows };
  }
  return plan.object(document);
}

interface TableRow {
  readonly object?: KubeObject;
  readonly [field: string]: unknown;
}

/** `remainingItemCount` counts objects that the caller may not see. */
function withoutRemaining(document: KubeObject): Pick<KubeObject, 'metadata'> {
  const { remainingItemCount: _, ...metadata } = document.metadata ?? {};
  return { metadata };
}

/**
 * A Table without objects (`includeObject=None`) could not be filtered: ask for their metadata and take it out again.
 */
export function withTableObjects(rest: Target, exchange: Exchange): { target: Target; hideObjects: boolean } {
  const wantsTable = /\bas=Table\b/.test(headerValue(exchange.headers, 'accept') ?? '');
  if (!wantsTable || rest.query.get('includeObject') !== 'None') return { target: rest, hideObjects: false };
  const kept = rest.rawQuery.split('&').filter(pair => !/^includeObject(=|$)/.test(pair));
  return { target: { ...rest, rawQuery: [...kept, 'includeObject=Metadata'].join('&') }, hideObjects: true };
}

export function parseObject(body: Buffer, upstream: Upstream): KubeObject {
  try {
    return JSON.parse(body.toString()) as KubeObject;
  } catch (cause) {
    throw internalError(`${upstream.name} answered with something that is not JSON`, cause);
  }
}

/** An error of the shard is the caller's answer as it is. */
export function sendCollected(exchange: Exchange, response: CollectedResponse): void {
  const headers = withoutHeaders(response.headers, name => name === 'content-length' || name === 'content-encoding');
  exchange.writeHead(response.status, [...headers, 'content-length', String(response.body.length)]);
  exchange.end(response.body);
}
