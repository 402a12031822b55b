import type { Clock } from '../informer/clock.ts';
import { expired, StatusError } from '../kube/errors.ts';
import { INITIAL_EVENTS_END, type KubeObject } from '../kube/objects.ts';
import type { Exchange } from '../listener/exchange.ts';
import type { RequestInfo } from '../target/request-info.ts';
import type { Collection, CollectionEvent } from '../view/collection.ts';
import type { Serve } from '../view/view.ts';
import { type ListOptions, parseListOptions } from './serve-options.ts';
import { Outbox, type OutboxLimits } from './serve-outbox.ts';
import { type Representation, represent } from './serve-representation.ts';
import { refuseFuture, versionOf } from './serve-snapshot.ts';

export interface WatchSettings extends OutboxLimits {
  readonly clock: Clock;
  /** Ends watches early, cleanly: the process shuts down, or the access ends. */
  readonly until?: NonNullable<Serve['until']>;
  readonly watchSeconds?: NonNullable<Serve['watchSeconds']>;
  /** Milliseconds between bookmarks; default 25,000. */
  readonly bookmarkInterval?: number;
}

/** Kubernetes draws the length of a watch that does not say its own from half an hour to one (`--min-request-timeout`). */
const defaultSeconds = (): number => 1800 * (1 + Math.random());
/** Timers cannot wait longer than 2³¹ ms, and ending early is always allowed. */
const MAX_SECONDS = 86_400;

/** Seconds that a watch lasts which asks for `timeoutSeconds`; 0: it does not say. */
export function watchSeconds(timeoutSeconds: number, longest?: Serve['watchSeconds']): number {
  if (longest === undefined) return Math.min(timeoutSeconds || defaultSeconds(), MAX_SECONDS);
  // At random: watches that began together do not all come back together.
  const drawn = longest.min + Math.random() * (longest.max - longest.min);
  return Math.min(timeoutSeconds || drawn, drawn, MAX_SECONDS);
}

/** A stream of the collection's changes. Resolves when the response is over. */
export async function serveWatch(
  exchange: Exchange,
  request: RequestInfo,
  query: URLSearchParams,
  collection: Collection,
  settings: WatchSettings,
): Promise<void> {
  const options = parseListOptions(request, query, collection.fields);
  const representation = represent(exchange, 'watch', query, collection);
  const beginning = begin(collection, options);
  exchange.writeHead(200, ['cache-control', 'no-cache, private', 'content-type', representation.mediaType]);
  if ('refused' in beginning) {
    exchange.end(representation.error(beginning.refused));
    return;
  }
  await stream(exchange, collection, options, representation, settings, beginning);
}

/** Where a watch starts, already listening: nothing can happen between the initial state and the first change. */
interface Beginning {
  readonly version: string;
  /** Sent first, as if they were just added. */
  readonly state: readonly KubeObject[];
  /** Events since the version asked for. */
  readonly missed: readonly CollectionEvent[];
  /** Hands on what happens from now on. */
  follow(listener: (event: CollectionEvent) => void): void;
  stop(): void;
}

function begin(collection: Collection, options: ListOptions): Beginning | { readonly refused: StatusError } {
  const { resourceVersion, sendInitialEvents } = options;
  const fromAnywhere = resourceVersion === '' || resourceVersion === '0';
  const withState = sendInitialEvents ?? fromAnywhere;
  let version = resourceVersion;
  let state: readonly KubeObject[] = [];
  const missed: CollectionEvent[] = [];
  let listener = (event: CollectionEvent): void => {
    missed.push(event);
  };
  try {
    if (withState) {
      const list = collection.list();
      version = list.metadata?.resourceVersion ?? '';
      refuseFuture(resourceVersion, version);
      state = list.items;
    } else if (fromAnywhere) {
      version = versionOf(collection);
    }
    const stop = collection.watch(version, event => listener(event));
    const follow = (next: typeof listener): void => {
      listener = next;
    };
    return { version, state, missed, follow, stop };
  } catch (error) {
    // A version that is gone is told on the stream (200 and an ERROR event), as API servers do.
    if (error instanceof StatusError && error.code === 410) return { refused: error };
    throw error;
  }
}

function stream(
  exchange: Exchange,
  collection: Collection,
  options: ListOptions,
  representation: Representation,
  settings: WatchSettings,
  beginning: Beginning,
): Promise<void> {
  const { clock, bookmarkInterval = 25_000 } = settings;
  const { matches, allowWatchBookmarks, sendInitialEvents, timeoutSeconds } = options;
  let version = beginning.missed.at(-1)?.resourceVersion ?? beginning.version;
  let over = false;
  let cancelBookmark = (): void => {};
  let cancelTimeout = (): void => {};
  let stopUntil = (): void => {};

  const stop = (): void => {
    over = true;
    beginning.stop();
    cancelBookmark();
    cancelTimeout();
    stopUntil();
  };
  const bookmark = (at: string, annotations?: Record<string, string>): string => {
    const metadata = { resourceVersion: at, ...(annotations && { annotations }) };
    return representation.event('BOOKMARK', { apiVersion: collection.apiVersion, kind: collection.kind, metadata });
  };
  const lineOf = (event: CollectionEvent): string | undefined => {
    const seen = asSeen(event, matches);
    return seen && representation.event(seen.type, seen.object);
  };
  function* initialLines(): Iterable<string> {
    for (const object of beginning.state) if (matches(object)) yield representation.event('ADDED', object);
    if (sendInitialEvents && allowWatchBookmarks) yield bookmark(beginning.version, { [INITIAL_EVENTS_END]: 'true' });
    for (const event of beginning.missed) {
      const line = lineOf(event);
      if (line !== undefined) yield line;
    }
  }

  const response = new Promise<void>(resolve => {
    exchange.onClose(() => {
      stop();
      resolve();
    });
  });
  const outbox = new Outbox(exchange, clock, initialLines(), settings);
  const finish = (): void => {
    if (over) return;
    stop();
    if (allowWatchBookmarks) outbox.push(bookmark(version));
    outbox.end();
  };
  beginning.follow(event => {
    if (over) return;
    version = event.resourceVersion;
    const line = lineOf(event);
    if (line === undefined || outbox.push(line)) return;
    stop();
    outbox.endWith(representation.error(expired('this watch is read too slowly: too many events are waiting')));
  });
  // Also for a client that sees none of the changes: it can resume from here after they have left the window.
  const bookmarkLater = (): void => {
    cancelBookmark = clock.after(bookmarkInterval, () => {
      if (outbox.idle) outbox.push(bookmark(version));
      if (!over) bookmarkLater();
    });
  };
  if (!over) {
    if (allowWatchBookmarks) bookmarkLater();
    cancelTimeout = clock.after(watchSeconds(timeoutSeconds, settings.watchSeconds) * 1000, finish);
    stopUntil = settings.until?.(finish) ?? stopUntil;
    // A process that shuts down already ends the watch within `until`.
    if (over) stopUntil();
  }
  return response;
}

/** An event as a watcher behind a selector sees it: what leaves the selection is deleted to it, what enters is added. */
export function asSeen(
  { type, object, previous, resourceVersion }: CollectionEvent,
  matches: (object: KubeObject) => boolean,
): { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject } | undefined {
  const before = type !== 'ADDED' && matches(previous ?? object);
  const after = type !== 'DELETED' && matches(object);
  if (before && after) return { type: 'MODIFIED', object };
  if (after) return { type: 'ADDED', object };
  if (!before) return undefined;
  // Its last state inside the selection, and the version of its going: a watch can be resumed from there.
  const last = type === 'DELETED' ? object : (previous ?? object);
  return { type: 'DELETED', object: { ...last, metadata: { ...last.metadata, resourceVersion } } };
}
