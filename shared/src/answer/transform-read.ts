import { notFound } from '../kube/errors.ts';
import { JSON_MEDIA_TYPE, parsedForm, YAML_MEDIA_TYPE } from '../kube/media-type.ts';
import { headerValue } from '../listener/headers.ts';
import type { Transform } from '../view/view.ts';
import { refOf } from './checked.ts';
import { collect, parseObject, sendCollected } from './collect.ts';
import type { Execution } from './execution.ts';
import { sendLargeObject } from './send.ts';
import { transformDocument, withTableObjects } from './transform-document.ts';
import { formMadeHere } from './transform-form.ts';
import { sendVisibleList } from './transform-list.ts';
import { seenAmongOthers } from './transform-seen.ts';
import { contentLengthOf, readableHeaders, upstreamPath } from './upstream-request.ts';

/** A get or list: `plan.object` sees each object, and what it returns is what the caller sees. */
export async function executeTransformedRead(execution: Execution, plan: Transform): Promise<void> {
  const { exchange, shard, call, rest } = execution;
  const isList = call.request.verb === 'list';
  const made = formMadeHere(execution, plan, isList ? 'list' : 'get');
  const { accept, mediaType } = made ? AS_JSON : parsedForm(headerValue(exchange.headers, 'accept'));
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
  if (isList && !form.isTable && mediaType === JSON_MEDIA_TYPE) return sendVisibleList(execution, plan, response, made);

  const document = parseObject(response.body, shard);
  const object = isList ? seenAmongOthers(plan.object) : plan.object;
  const visible = transformDocument(document, { object }, { isList, ...form });
  if (visible === undefined) throw notFound(refOf(execution), call.request.name);
  if (made) {
    const headers = ['cache-control', 'no-cache, private', 'content-type', made.mediaType];
    return sendCollected(exchange, { ...response, headers, body: Buffer.from(made.object(visible)) });
  }
  if (visible === document && mediaType === JSON_MEDIA_TYPE) return sendCollected(exchange, response);
  const contentType = mediaType === YAML_MEDIA_TYPE ? mediaType : headerValue(response.headers, 'content-type');
  await sendLargeObject(exchange, response.status, visible, contentType ?? JSON_MEDIA_TYPE);
}

const AS_JSON = { accept: JSON_MEDIA_TYPE, mediaType: JSON_MEDIA_TYPE } as const;
