import { createLineSplitter } from '../informer/watch-lines.ts';
import { internalError } from '../kube/errors.ts';
import { JSON_MEDIA_TYPE, jsonOnlyAccept } from '../kube/media-type.ts';
import type { KubeObject, WatchEvent } from '../kube/objects.ts';
import { headerValue } from '../listener/headers.ts';
import type { Transform } from '../view/view.ts';
import { eitherUntil } from './drain.ts';
import type { Execution } from './execution.ts';
import { relay } from './relay.ts';
import { type AskedFor, transformDocument, withTableObjects } from './transform-document.ts';
import { readableHeaders, upstreamPath } from './upstream-request.ts';

/** A watch whose events pass through `plan.object`. BOOKMARK and ERROR always pass: without them a client cannot resume. */
export async function relayTransformedWatch({ exchange, shard, drain, call, rest }: Execution, plan: Transform): Promise<void> {
  const accept = plan.reads === 'object' ? JSON_MEDIA_TYPE : jsonOnlyAccept(headerValue(exchange.headers, 'accept'));
  const { target, ...form } = withTableObjects(rest, accept);
  await relay(
    exchange,
    shard,
    {
      method: 'GET',
      path: upstreamPath(call, target, plan),
      headers: readableHeaders(exchange, plan, 'identity', accept),
      body: exchange.body,
      longRunning: true,
    },
    { until: eitherUntil(plan.until, drain.until), body: watchBody(plan, { isList: false, ...form }) },
  );
}

/** Well above the largest object that a shard stores (etcd's limit is 1.5 MiB, JSON of it a few times that). */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

/** Maps the bytes of a JSON watch stream, event by event. */
export function watchBody(plan: Transform, form: AskedFor): (chunk: Uint8Array) => Uint8Array | string {
  let out = '';
  const splitter = createLineSplitter(MAX_EVENT_BYTES, line => {
    const mapped = mapEvent(line, plan, form);
    if (mapped !== undefined) out += `${mapped}\n`;
  });
  return chunk => {
    out = '';
    splitter.push(chunk);
    return out;
  };
}

function mapEvent(line: string, plan: Transform, form: AskedFor): string | undefined {
  let event: WatchEvent;
  try {
    event = JSON.parse(line) as WatchEvent;
  } catch (cause) {
    throw internalError('the shard sent a watch event that is not JSON', cause);
  }
  if (event.type === 'BOOKMARK' || event.type === 'ERROR') return line;
  const object = transformDocument(event.object as KubeObject, plan, form);
  if (object === undefined) return undefined;
  return object === event.object ? line : JSON.stringify({ ...event, object });
}
