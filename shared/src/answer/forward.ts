import type { Forward } from '../view/view.ts';
import { eitherUntil } from './drain.ts';
import type { Execution } from './execution.ts';
import { relay } from './relay.ts';
import { contentLengthOf, isLongRunning, upstreamHeaders, upstreamPath } from './upstream-request.ts';

/** Streams the request to the shard and its answer back, byte for byte. */
export async function executeForward({ exchange, shard, drain, call, rest }: Execution, plan: Forward): Promise<void> {
  const longRunning = isLongRunning(call.request, call.query);
  const contentLength = contentLengthOf(exchange);
  await relay(
    exchange,
    shard,
    {
      method: exchange.method,
      path: upstreamPath(call, rest, plan),
      headers: upstreamHeaders(exchange, plan),
      body: exchange.body,
      ...(contentLength !== undefined && { contentLength }),
      longRunning,
    },
    longRunning ? { until: eitherUntil(plan.until, drain.until) } : {},
  );
}
