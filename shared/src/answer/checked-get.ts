import { parsedForm, YAML_MEDIA_TYPE } from '../kube/media-type.ts';
import { headerValue } from '../listener/headers.ts';
import { type Checked, hidden } from './checked.ts';
import { collect, parseObject, sendCollected } from './collect.ts';
import { sendObject } from './send.ts';
import { transformDocument, withTableObjects } from './transform-document.ts';
import { readableHeaders, upstreamPath } from './upstream-request.ts';

/** Reads an object in the form asked for, if the caller sees it. It passes as the shard sent it. */
export async function getVisible(checked: Checked): Promise<void> {
  const { exchange, shard, call, rest, plan, guard } = checked;
  const { accept, mediaType } = parsedForm(headerValue(exchange.headers, 'accept'));
  const { target, isTable, hideObjects } = withTableObjects(rest, accept);
  const response = await collect(exchange, shard, {
    method: 'GET',
    path: upstreamPath(call, target, { ...plan, select: '' }),
    headers: readableHeaders(exchange, { ...plan, reads: 'metadata' }, 'gzip', accept),
    body: null,
    longRunning: false,
  });
  if (response.status >= 300) return sendCollected(exchange, response);
  const document = parseObject(response.body, shard);
  const object = (one: typeof document) => ((guard.visible?.(one) ?? true) ? one : undefined);
  const visible = transformDocument(document, { object }, { isList: false, isTable, hideObjects });
  if (visible === undefined) throw hidden(checked);
  if (hideObjects || mediaType === YAML_MEDIA_TYPE) sendObject(exchange, response.status, visible, mediaType);
  else sendCollected(exchange, response);
}
