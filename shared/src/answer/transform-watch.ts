import { createLineSplitter } from '../informer/watch-lines.ts';
import { internalError } from '../kube/errors.ts';
import type { KubeObject, WatchEvent } from '../kube/objects.ts';
import type { Transform } from '../view/view.ts';
import { eitherUntil } from './drain.ts';
import type { Execution } from './execution.ts';
import { relay } from './relay.ts';
import { transformDocument, withTableObjects } from './transform-document.ts';
import { readableHeaders, upstreamPath } from './upstream-request.ts';

/** A watch whose events pass through `plan.object`. BOOKMARK and ERROR always pass: without them a client cannot resume. */
export async function relayTransformedWatch({ exchange, shard, drain, call, rest }: Execution, plan: Transform): Promise<void> {
  const { target, hideObjects } = withTableObjects(rest, exchange);
  await relay(
    exchange,
    shard,
    {
      method: 'GET',
      path: upstreamPath(call, target, plan),
      headers: readableHeaders(exchange, plan, 'identity'),
      body: exchange.body,
      longRunning: true,
    },
    { until: eitherUntil(plan.until, drain.until), body: watchBody(plan, hideObjects) },
  );
}

/** Well above the largest object that a shard stores (etcd's limit is 1.5 MiB, JSON of it a few times that). */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

/** Maps the bytes of a JSON watch stream, event by event. */
export function watchBody(plan: Transform, hideObjects: boolean): (chunk: Uint8Array) => Uint8Array | string {
  let out = '';
  const splitter = createLineSplitter(MAX_EVENT_BYTES, line => {
    const mapped = mapEvent(line, plan, hideObjects);
    if (mapped !== undefined) out += `${mapped}\n`;
  });
  return chunk => {
    out = '';
    splitter.push(chunk);
    return out;
  };
}

function mapEvent(line: string, plan: Transform, hideObjects: boolean): string | undefined {
  let event: WatchEvent;
  try {
    event = JSON.parse(line) as WatchEvent;
  } catch (cause) {
    throw internalError('the shard sent a watch event that is not JSON', cause);
  }
  if (event.type === 'BOOKMARK' || event.type === 'ERROR') return line;
  const object = transformDocument(event.object as KubeObject, plan, hideObjects);
  if (object === undefined || (object.kind === 'Table' && (object.rows as unknown[]).length === 0)) return undefined;
  return object === event.object ? line : JSON.stringify({ ...event, object });
}
