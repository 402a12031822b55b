import { expired } from '../kube/errors.ts';
import { INITIAL_EVENTS_END } from '../kube/objects.ts';
import type { EmptyUntilServed, Forward } from '../view/view.ts';
import { attachWatch } from './attach-watch.ts';
import { eitherUntil } from './drain.ts';
import { emptyCollection, queryOf } from './empty-collection.ts';
import type { Execution } from './execution.ts';
import { parseListOptions } from './serve-options.ts';
import { represent } from './serve-representation.ts';
import { watchSeconds } from './serve-watch.ts';
import { isOlder, type Vacancy } from './vacancy.ts';

/** A watch on what is not served, which becomes a watch on what is. Resolves when the response is over. */
export async function watchVacancy(
  execution: Execution,
  plan: Forward,
  empty: EmptyUntilServed,
  vacancy: Vacancy,
): Promise<void> {
  const { exchange, call } = execution;
  const { clock } = vacancy;
  const query = queryOf(call.query);
  const { resourceVersion, sendInitialEvents, allowWatchBookmarks, timeoutSeconds } = parseListOptions(call.request, query);
  const collection = emptyCollection(call.request, empty.kind, vacancy.version);
  const representation = represent(exchange, 'watch', query, collection);
  const bookmark = (version: string, annotations?: Record<string, string>): string => {
    const metadata = { resourceVersion: version, ...(annotations && { annotations }) };
    return representation.event('BOOKMARK', { apiVersion: collection.apiVersion, kind: collection.kind, metadata });
  };

  exchange.writeHead(200, ['cache-control', 'no-cache, private', 'content-type', representation.mediaType]);
  const fromAnywhere = resourceVersion === '' || resourceVersion === '0';
  // What the client knows from before the collection went would stay with it: it has to list again.
  if (!fromAnywhere && !sendInitialEvents && isOlder(resourceVersion, vacancy.since)) {
    exchange.end(representation.error(expired(`too old resource version: ${resourceVersion} (${vacancy.since})`)));
    return;
  }
  // Without a version and with bookmarks the initial events are announced, too (`SetListOptionsDefaults`).
  if (allowWatchBookmarks && (sendInitialEvents ?? fromAnywhere)) {
    exchange.write(bookmark(vacancy.version, { [INITIAL_EVENTS_END]: 'true' }));
  }
  const closed = new AbortController();
  exchange.onClose(() => closed.abort());
  const endsAt = clock.now() + watchSeconds(timeoutSeconds) * 1000;
  const left = (): number => Math.max(1, Math.ceil((endsAt - clock.now()) / 1000));
  const onBookmark = (version: string): void => {
    if (allowWatchBookmarks) exchange.write(bookmark(version));
  };
  do {
    if (!(await untilFilled(execution, plan, { empty, vacancy, endsAt, onBookmark, closed: closed.signal }))) return;
  } while (
    !(await attachWatch(execution, plan, { allowWatchBookmarks, timeoutSeconds: timeoutSeconds > 0 ? left() : undefined }))
  );
}

interface Wait {
  readonly empty: EmptyUntilServed;
  readonly vacancy: Vacancy;
  /** In the clock's milliseconds. */
  readonly endsAt: number;
  readonly onBookmark: (version: string) => void;
  /** Aborted when the exchange is over. */
  readonly closed: AbortSignal;
}

/** False: the exchange is over, or has been ended. */
function untilFilled({ exchange, drain }: Execution, plan: Forward, wait: Wait): Promise<boolean> {
  const { empty, vacancy, endsAt, onBookmark, closed } = wait;
  return new Promise(resolve => {
    const stops: (() => void)[] = [];
    let isOver = false;
    const finish = (isFilled: boolean): void => {
      if (isOver) return;
      isOver = true;
      for (const stop of stops) stop();
      resolve(isFilled);
    };
    /** What stops may begin when it is over already: each of these may end it at once. */
    const begin = (start: () => () => void): void => {
      if (isOver) return;
      const stop = start();
      if (isOver) stop();
      else stops.push(stop);
    };
    const end = (): void => {
      if (isOver) return;
      finish(false);
      onBookmark(vacancy.version);
      exchange.end();
    };
    begin(() => whenAborted(closed, () => finish(false)));
    begin(() => eitherUntil(plan.until, drain.until)(end));
    begin(() => vacancy.clock.after(endsAt - vacancy.clock.now(), end));
    begin(() => vacancy.wait({ served: () => finish(true), bookmark: onBookmark }));
    begin(() => empty.wake?.(() => vacancy.look()) ?? (() => undefined));
  });
}

/** Returns how to stop listening: an exchange keeps its listeners for as long as it lasts, and a watch may wait many times. */
function whenAborted(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) listener();
  signal.addEventListener('abort', listener);
  return () => signal.removeEventListener('abort', listener);
}
