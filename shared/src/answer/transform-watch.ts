import { createLineSplitter } from '../informer/watch-lines.ts';
import { expired, internalError } from '../kube/errors.ts';
import { parseExact } from '../kube/json-exact.ts';
import { JSON_MEDIA_TYPE, jsonOnlyAccept } from '../kube/media-type.ts';
import type { KubeObject, WatchEvent } from '../kube/objects.ts';
import { headerValue } from '../listener/headers.ts';
import type { Transform } from '../view/view.ts';
import { eitherUntil } from './drain.ts';
import type { Execution } from './execution.ts';
import { relay } from './relay.ts';
import { errorEvent, type Representation } from './serve-representation.ts';
import { type AskedFor, transformDocument, withTableObjects } from './transform-document.ts';
import { formMadeHere } from './transform-form.ts';
import { orLeftOut } from './transform-seen.ts';
import { readableHeaders, upstreamPath } from './upstream-request.ts';

/** A watch whose events pass through `plan.object`. BOOKMARK and ERROR always pass: without them a client cannot resume. */
export async function relayTransformedWatch(execution: Execution, plan: Transform): Promise<void> {
  const { exchange, shard, drain, call, rest } = execution;
  const made = formMadeHere(execution, plan, 'watch');
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
    {
      until: eitherUntil(plan.until, drain.until),
      body: watchBody(plan, { isList: false, ...form }, made),
      expired: reason => errorEvent(expired(reason)),
    },
  );
}

/** Well above the largest object that a shard stores (etcd's limit is 1.5 MiB, JSON of it a few times that). */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

/** Maps the bytes of a JSON watch stream, event by event. `made`: the form that is made of them here. */
export function watchBody(plan: Transform, form: AskedFor, made?: Representation): (chunk: Uint8Array) => Uint8Array | string {
  let out = '';
  const splitter = createLineSplitter(MAX_EVENT_BYTES, line => {
    out += orLeftOut(() => mapEvent(line, plan, form, made)) ?? '';
  });
  return chunk => {
    out = '';
    try {
      splitter.push(chunk);
    } catch (cause) {
      throw cause instanceof SyntaxError ? internalError('the shard sent a watch event that is not JSON', cause) : cause;
    }
    return out;
  };
}

/** Undefined: the caller does not see what it is about. */
function mapEvent(line: string, plan: Transform, form: AskedFor, made: Representation | undefined): string | undefined {
  // `reads: 'metadata'` changes nothing but the rows of Tables.
  const event = (plan.reads === 'object' || form.isTable ? parseExact(line) : JSON.parse(line)) as WatchEvent<KubeObject>;
  const { type } = event;
  if (type === 'ERROR' || (type === 'BOOKMARK' && !made)) return `${line}\n`;
  const see = type === 'DELETED' ? (plan.deleted ?? plan.object) : plan.object;
  const object = type === 'BOOKMARK' ? event.object : transformDocument(event.object, { object: see }, form);
  if (object === undefined) return undefined;
  if (made) return made.event(type, object);
  return object === event.object ? `${line}\n` : `${JSON.stringify({ ...event, object })}\n`;
}
