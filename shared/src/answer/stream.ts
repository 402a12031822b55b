import type { Readable } from 'node:stream';
import type { Forward } from '../view/view.ts';
import { eitherUntil } from './drain.ts';
import type { Execution } from './execution.ts';
import { type RelayOptions, type RelayOutcome, relay } from './relay.ts';
import { contentLengthOf, isLongRunning, upstreamHeaders, upstreamPath } from './upstream-request.ts';
import { acceptedHeaders, isReduced, metadataEvents, sendMetadataList, wildcardMetadata } from './wildcard-metadata.ts';

/** Streams the request to the shard and its answer back, byte for byte, unless it must not be asked like that. */
export async function stream(execution: Execution, plan: Forward, options: RelayOptions = {}): Promise<RelayOutcome> {
  const { exchange, shard, drain, call, rest } = execution;
  const metadata = wildcardMetadata(execution, plan);
  const reduces = metadata !== undefined && isReduced(metadata);
  if (reduces && call.request.verb === 'list') return sendMetadataList(execution, plan, metadata, options);
  const longRunning = isLongRunning(call.request, call.query);
  const contentLength = contentLengthOf(exchange);
  return relay(
    exchange,
    shard,
    {
      method: exchange.method,
      path: upstreamPath(call, rest, plan),
      headers: metadata ? acceptedHeaders(upstreamHeaders(exchange, plan), metadata) : upstreamHeaders(exchange, plan),
      body: exchange.body,
      ...(contentLength !== undefined && { contentLength }),
      longRunning,
    },
    { ...options, ...(reduces && { body: metadataEvents(metadata) }), ...untilOf(plan, longRunning, exchange.body, drain.until) },
  );
}

/**
 * A stream ends with the access to it, or when we shut down. A request whose body is still on its way ends with the access, too: nothing
 * may be stored that comes after.
 */
function untilOf(
  { until }: Forward,
  longRunning: boolean,
  body: Readable | null,
  drain: NonNullable<Forward['until']>,
): { readonly until?: NonNullable<Forward['until']> } {
  if (longRunning) return { until: eitherUntil(until, drain) };
  if (until === undefined || body === null) return {};
  return {
    until: end => {
      const stop = until(end);
      body.once('end', stop);
      return stop;
    },
  };
}
