import { INITIAL_EVENTS_END, type KubeObject, type WatchEvent } from '../kube/objects.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { type BackoffOptions, createBackoff } from './backoff.ts';
import { type Clock, sleep } from './clock.ts';
import { type Ending, endingOfStatus } from './ending.ts';
import { listAll } from './list.ts';
import { untilAborted } from './until-aborted.ts';
import { watchOnce } from './watch-stream.ts';

/** Where a reflector puts what it reads. `E` is an object made ready to be stored. */
export interface ReflectorSink<E> {
  /** May throw: the stream that brought `object` is then given up and everything is read again. */
  prepare(object: KubeObject): E & { readonly key: string };
  /** The whole collection, at once. */
  replace(entries: Iterable<E>, resourceVersion: string): void;
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', entry: E, resourceVersion: string): void;
  /** Nothing but the version changed. */
  advance(resourceVersion: string): void;
  connected(connected: boolean): void;
  /** `attempt` counts failures in a row, from 1. */
  failed(error: Error, attempt: number): void;
}

export interface ReflectorTiming {
  /** Seconds asked for as `timeoutSeconds` of the next watch; default random in 300–600, so that watches do not end together. */
  readonly watchSeconds?: () => number;
  /** Milliseconds beyond `timeoutSeconds` that a watch may stay open. */
  readonly margin?: number;
  /** Milliseconds that a streamed list may be silent before we list instead, and that any watch may take to answer. */
  readonly silence?: number;
  /** A watch that ends sooner than this many milliseconds is followed by a wait, whatever ended it. */
  readonly short?: number;
  /** After a watch that has followed the collection for as many milliseconds the next wait is the shortest again; default 5,000. */
  readonly steady?: number;
  /** Milliseconds for one page of a list. */
  readonly listTimeout?: number;
}

export interface ReflectorOptions<E> {
  readonly upstream: Upstream;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly name: string;
  readonly pageSize: number;
  readonly maxLineBytes: number;
  readonly clock: Clock;
  readonly backoff: BackoffOptions;
  readonly timing: ReflectorTiming;
  readonly sink: ReflectorSink<E>;
}

/**
 * Mirrors one collection into a sink until `signal` is aborted: a streamed list (KEP-3157) or a paged one, then watches, each resumed
 * where the last one ended; everything is read again when the server says, or shows, that the version is no good any more.
 */
export async function reflect<E>(options: ReflectorOptions<E>, signal: AbortSignal): Promise<void> {
  const { clock, sink } = options;
  const { short = 1000, steady = 5000 } = options.timing;
  const backoff = createBackoff(clock, options.backoff);
  const position: Position = { version: undefined, streaming: true };
  let attempt = 0;
  let followedSince: number | undefined;
  let relists = 0;
  const noting: ReflectorOptions<E> = {
    ...options,
    sink: {
      ...sink,
      connected(now) {
        followedSince = now ? clock.now() : undefined;
        sink.connected(now);
      },
    },
  };

  while (!signal.aborted) {
    if (position.version === undefined && !position.streaming) {
      const failed = await list(options, position, signal);
      if (signal.aborted) return;
      if (!failed) continue;
      attempt += 1;
      await pause(failed, failed.error);
      continue;
    }
    const began = clock.now();
    const ending = await watch(noting, position, signal);
    if (clock.now() - (followedSince ?? clock.now()) >= steady) backoff.reset();
    noting.sink.connected(false);
    if (signal.aborted) return;
    const lived = clock.now() - began;
    if (lived >= short) attempt = relists = 0;
    if (ending.next !== 'resume') position.version = undefined;
    if (ending.next === 'list') position.streaming = false;
    if (ending.error) {
      attempt += 1;
      await pause(ending, ending.error);
    } else if (ending.next === 'relist' && relists === 0) {
      // A server that has come back forgets versions, and says so: what is known is old by as long as it was away.
      relists += 1;
    } else if (lived < short && ending.next !== 'list') {
      await sleep(clock, backoff.next(), signal);
    }
  }

  async function pause(ending: Ending, error: Error | undefined): Promise<void> {
    // The server that comes back may be a newer one.
    if (ending.restarted) position.streaming = true;
    if (error) sink.failed(error, attempt);
    await sleep(clock, Math.max(backoff.next(), ending.retryAfter ?? 0), signal);
  }
}

/** How far a reflector is. */
interface Position {
  /** The version that the sink is at and a watch can start from; undefined: everything has to be read. */
  version: string | undefined;
  /** Whether the server is believed to stream lists. */
  streaming: boolean;
}

async function list<E>(options: ReflectorOptions<E>, position: Position, signal: AbortSignal): Promise<Ending | undefined> {
  const { upstream, path, query, pageSize, name, sink } = options;
  let entries: E[] = [];
  const result = await listAll({
    upstream: untilAborted(upstream, signal),
    path,
    query,
    pageSize,
    name,
    timeout: options.timing.listTimeout ?? 120_000,
    onItem: item => entries.push(sink.prepare(item)),
    onRestart: () => {
      entries = [];
    },
  });
  if ('failed' in result) return result.failed;
  if (signal.aborted) return undefined;
  sink.replace(entries, result.resourceVersion);
  position.version = result.resourceVersion;
  return undefined;
}

/** One watch. Without a version it begins with a streamed list, collected aside until the bookmark that completes it. */
async function watch<E>(options: ReflectorOptions<E>, position: Position, signal: AbortSignal): Promise<Ending> {
  const { upstream, path, name, maxLineBytes, clock, sink } = options;
  const { watchSeconds = randomWatchSeconds, margin = 30_000, silence = 30_000 } = options.timing;
  const doing = `watching ${name}`;
  const seconds = watchSeconds();
  const streamingList = position.version === undefined;
  const initial = new Map<string, E>();

  const query = new URLSearchParams({ ...options.query, watch: 'true', allowWatchBookmarks: 'true' });
  query.set('timeoutSeconds', String(seconds));
  // An empty version asks for the newest state there is, so that a list never goes back in time.
  query.set('resourceVersion', position.version ?? '');
  if (streamingList) {
    query.set('sendInitialEvents', 'true');
    query.set('resourceVersionMatch', 'NotOlderThan');
  }

  const ending = await watchOnce({
    upstream,
    path: `${path}?${query}`,
    name,
    streamingList,
    maxLineBytes,
    clock,
    signal,
    lifetime: seconds * 1000 + margin,
    patience(headSeen) {
      if (position.version === undefined) return { silence, ending: { next: 'list' } };
      return headSeen
        ? undefined
        : { silence, ending: { next: 'resume', error: new Error(`${doing}: no answer within ${silence} ms`) } };
    },
    onOpen: () => {
      if (position.version !== undefined) sink.connected(true);
    },
    onEvent: event => (position.version === undefined ? collect(event) : follow(event, position.version)),
  });
  // It ended as a good watch does, but the list in it never did: such a server does not stream lists.
  return position.version === undefined && !ending.error && ending.next === 'resume' ? { next: 'list' } : ending;

  function collect({ type, object }: WatchEvent): Ending | undefined {
    if (type === 'ERROR') return endingOfStatus(doing, object, { streamingList: true });
    if (type !== 'BOOKMARK') {
      const entry = sink.prepare(object);
      if (type === 'DELETED') initial.delete(entry.key);
      else initial.set(entry.key, entry);
      return undefined;
    }
    if (object.metadata?.annotations?.[INITIAL_EVENTS_END] !== 'true') return { next: 'list' };
    const version = versionOf(object);
    sink.replace(initial.values(), version);
    initial.clear();
    position.version = version;
    sink.connected(true);
    return undefined;
  }

  function follow({ type, object }: WatchEvent, current: string): Ending | undefined {
    if (type === 'ERROR') return endingOfStatus(doing, object, {});
    const version = versionOf(object);
    if (isOlder(version, current)) {
      return { next: 'relist', error: new Error(`${doing}: the server went back from version ${current} to ${version}`) };
    }
    if (type === 'BOOKMARK') sink.advance(version);
    else if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') sink.apply(type, sink.prepare(object), version);
    else throw new Error(`unknown watch event type ${JSON.stringify(type)}`);
    position.version = version;
    return undefined;
  }
}

const randomWatchSeconds = (): number => 300 + Math.floor(Math.random() * 301);

function versionOf(object: KubeObject): string {
  const version = object.metadata?.resourceVersion;
  if (!version) throw new Error('the server sent an event without resourceVersion');
  return version;
}

const DECIMAL = /^[1-9]\d*$/;

/** Decimal versions are ordered (KEP-5504); of others nothing is said. */
function isOlder(version: string, than: string): boolean {
  if (version === than || !DECIMAL.test(version) || !DECIMAL.test(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}
