import { type Checked, hidden } from './checked.ts';
import { collect, parseObject, sendCollected } from './collect.ts';
import { sendJson } from './send.ts';
import { transformDocument, withTableObjects } from './transform-document.ts';
import { readableHeaders, upstreamPath } from './upstream-request.ts';

/** Reads an object in the form asked for, if the caller sees it. It passes as the shard sent it. */
export async function getVisible(checked: Checked): Promise<void> {
  const { exchange, shard, call, rest, plan, guard } = checked;
  const { target, hideObjects } = withTableObjects(rest, exchange);
  const response = await collect(exchange, shard, {
    method: 'GET',
    path: upstreamPath(call, target, { ...plan, select: '' }),
    headers: readableHeaders(exchange, { ...plan, reads: 'metadata' }),
    body: null,
    longRunning: false,
  });
  if (response.status >= 300) return sendCollected(exchange, response);
  const document = parseObject(response.body, shard);
  const object = (one: typeof document) => ((guard.visible?.(one) ?? true) ? one : undefined);
  const visible = transformDocument(document, { object }, hideObjects);
  if (visible === undefined || isEmptyTable(visible)) throw hidden(checked);
  if (hideObjects) sendJson(exchange, response.status, visible);
  else sendCollected(exchange, response);
}

/** One row for one object: without it the object is hidden. */
const isEmptyTable = ({ kind, rows }: { readonly kind?: string; readonly [field: string]: unknown }): boolean =>
  kind === 'Table' && Array.isArray(rows) && rows.length === 0;
