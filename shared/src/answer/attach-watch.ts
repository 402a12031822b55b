import { withParameter } from '../target/target.ts';
import type { Forward } from '../view/view.ts';
import { begun } from './begun-exchange.ts';
import { cutInitialEventsEnd } from './cut-bookmark.ts';
import { eitherUntil } from './drain.ts';
import type { Execution } from './execution.ts';
import { type RelayOptions, relay } from './relay.ts';
import { readableHeaders, upstreamPath } from './upstream-request.ts';
import { isNotServed } from './vacancies.ts';
import { isReduced, metadataEvents, wildcardMetadata } from './wildcard-metadata.ts';

export interface Attachment {
  readonly allowWatchBookmarks: boolean;
  /** What is left of them; undefined: the client did not say. */
  readonly timeoutSeconds: number | undefined;
}

/**
 * Goes on with a watch that has been open on nothing: the shard's own watch, from the beginning, with all that is there as ADDED. When the
 * shard ends or refuses it, the client's watch ends. False: the shard cannot begin it yet.
 */
export async function attachWatch(
  execution: Execution,
  plan: Forward,
  { allowWatchBookmarks, timeoutSeconds }: Attachment,
): Promise<boolean> {
  const { exchange, shard, drain, call, rest } = execution;
  const metadata = wildcardMetadata(execution, plan);
  const reduce = metadata && isReduced(metadata) ? metadataEvents(metadata) : undefined;
  const parameters = {
    resourceVersion: undefined,
    // A streamed list (KEP-3157) where the client takes its bookmarks, else the state as a watch without a version has always begun with it.
    sendInitialEvents: allowWatchBookmarks ? 'true' : undefined,
    resourceVersionMatch: allowWatchBookmarks ? 'NotOlderThan' : undefined,
    ...(timeoutSeconds !== undefined && { timeoutSeconds: String(timeoutSeconds) }),
  };
  const rawQuery = Object.entries(parameters).reduce((query, [name, value]) => withParameter(query, name, value), rest.rawQuery);
  const outcome = await relay(
    begun(exchange),
    shard,
    {
      method: 'GET',
      path: upstreamPath(call, { ...rest, rawQuery }, plan),
      headers: readableHeaders(exchange, { ...plan, reads: 'metadata' }, 'identity', metadata?.accept),
      body: null,
      longRunning: true,
    },
    {
      until: eitherUntil(plan.until, drain.until),
      decline: isNotYet,
      ...bodyOf(allowWatchBookmarks ? cutInitialEventsEnd() : undefined, reduce),
    },
  );
  return outcome.end !== 'declined';
}

type Mapper = NonNullable<RelayOptions['body']>;

/** The one, then the other. */
function bodyOf(cut: ((chunk: Uint8Array) => Uint8Array) | undefined, reduce: Mapper | undefined): { readonly body?: Mapper } {
  if (cut && reduce) return { body: chunk => reduce(cut(chunk)) };
  const body = cut ?? reduce;
  return body ? { body } : {};
}

/** Until its watch cache is filled a shard lists, but refuses watches with 429 (`ResilientWatchCacheInitialization`). */
const isNotYet = (status: number, body: string): boolean => status === 429 || status >= 500 || isNotServed(status, body);
