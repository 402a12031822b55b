import type { ListOptions } from '@kcp-vw/shared/answer/serve-options.ts';
import { Outbox } from '@kcp-vw/shared/answer/serve-outbox.ts';
import { refuseFuture } from '@kcp-vw/shared/answer/serve-snapshot.ts';
import { asSeen } from '@kcp-vw/shared/answer/serve-watch.ts';
import { expired, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { INITIAL_EVENTS_END, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { CollectionEvent } from '@kcp-vw/shared/view/collection.ts';
import { storedDefinition } from '../store/definition.ts';
import type { ResourceCall } from './call.ts';
import { collectionOf } from './collection.ts';
import { type Representation, representationOf } from './representation.ts';
import { type Selection, selectedBy } from './selection.ts';

/** A watch that does not say its own length lives for half an hour to one (`--min-request-timeout`). */
const defaultSeconds = (): number => 1800 * (1 + Math.random());
/** Timers cannot wait longer than 2³¹ ms, and ending early is always allowed. */
const MAX_SECONDS = 86_400;

/** A stream of changes. Resolves when the response is over. */
export async function watch(call: ResourceCall): Promise<void> {
  const { exchange, settings } = call;
  const { options, selection } = selectedBy(call);
  const representation = representationOf(call, 'watch');
  const beginning = begin(call, options, selection, representation);
  exchange.writeHead(200, ['cache-control', 'no-cache, private', 'content-type', representation.mediaType]);
  if (beginning instanceof StatusError) {
    exchange.end(representation.error(beginning));
    return;
  }
  const outbox = new Outbox(exchange, settings.clock, beginning.lines, {});
  await follow(call, options, selection, representation, beginning.version, outbox);
}

/** The first lines, made as the client reads, and the version that they reach up to. */
interface Beginning {
  readonly lines: Iterable<string>;
  readonly version: string;
}

/** A 410 is told on the stream, as an ERROR event, where the version is too old; all else is thrown. */
function begin(
  call: ResourceCall,
  options: ListOptions,
  selection: Selection,
  representation: Representation,
): Beginning | StatusError {
  const { store, definition } = call;
  const { resourceVersion, sendInitialEvents, allowWatchBookmarks } = options;
  refuseFuture(resourceVersion, store.resourceVersion);
  const fromAnywhere = resourceVersion === '' || resourceVersion === '0';
  if (sendInitialEvents ?? fromAnywhere) {
    const { items, resourceVersion: version } = store.list(storedDefinition(definition), call);
    // Without a version kcp ends the initial events with a bookmark though nobody asked for initial events.
    const endsWithBookmark = allowWatchBookmarks && (sendInitialEvents === true || resourceVersion === '');
    const end = endsWithBookmark ? [bookmark(call, representation, version, { [INITIAL_EVENTS_END]: 'true' })] : [];
    return { version, lines: initialLines(items, selection, representation, end) };
  }
  if (fromAnywhere) return { version: store.resourceVersion, lines: [] };
  try {
    const collection = collectionOf(store, definition, call.apiVersion, call);
    const missed: CollectionEvent[] = [];
    collection.watch(resourceVersion, event => missed.push(event))();
    return { version: store.resourceVersion, lines: changeLines(missed, selection, representation) };
  } catch (error) {
    if (error instanceof StatusError && error.code === 410) return error;
    throw error;
  }
}

function* initialLines(
  items: readonly KubeObject[],
  matches: Selection,
  representation: Representation,
  end: readonly string[],
): Iterable<string> {
  for (const object of items) if (matches?.(object) !== false) yield representation.event('ADDED', object);
  yield* end;
}

function* changeLines(changes: readonly CollectionEvent[], matches: Selection, representation: Representation): Iterable<string> {
  for (const change of changes) {
    const seen = asSeen(change, matches ?? EVERYTHING);
    if (seen !== undefined) yield representation.event(seen.type, seen.object);
  }
}

function bookmark(
  { definition, apiVersion }: ResourceCall,
  representation: Representation,
  resourceVersion: string,
  annotations?: Record<string, string>,
): string {
  const metadata = { resourceVersion, ...(annotations && { annotations }) };
  return representation.event('BOOKMARK', { kind: definition.kind, apiVersion, metadata });
}

const EVERYTHING = (): boolean => true;

/** What happens from now on, until the client leaves, its time is over, or it reads too slowly. */
function follow(
  call: ResourceCall,
  { allowWatchBookmarks, timeoutSeconds }: ListOptions,
  selection: Selection,
  representation: Representation,
  from: string,
  outbox: Outbox,
): Promise<void> {
  const { exchange, store, definition, settings } = call;
  const { clock, bookmarkInterval } = settings;
  const stops: (() => void)[] = [];
  let cancelBookmark = (): void => {};
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    cancelBookmark();
    for (const one of stops.splice(0)) one();
  };
  const finish = (): void => {
    if (isOver) return;
    stop();
    outbox.end();
  };
  const onChange = (change: CollectionEvent): void => {
    for (const line of changeLines([change], selection, representation)) {
      if (isOver || outbox.push(line)) continue;
      stop();
      outbox.endWith(representation.error(expired('this watch is read too slowly: too many events are waiting')));
    }
  };
  // At the store's version: whatever is committed has been told, and a client that sees none of it must not fall out of the window.
  const bookmarkLater = (): void => {
    cancelBookmark = clock.after(bookmarkInterval, () => {
      if (outbox.idle) outbox.push(bookmark(call, representation, store.resourceVersion));
      if (!isOver) bookmarkLater();
    });
  };

  const response = new Promise<void>(resolve => {
    exchange.onClose(() => {
      stop();
      resolve();
    });
  });
  if (isOver) return response;
  stops.push(collectionOf(store, definition, call.apiVersion, call).watch(from, onChange));
  stops.push(clock.after(Math.min(timeoutSeconds || defaultSeconds(), MAX_SECONDS) * 1000, finish));
  if (allowWatchBookmarks) bookmarkLater();
  const stopUntil = settings.until?.(finish);
  if (stopUntil !== undefined) stops.push(stopUntil);
  return response;
}
