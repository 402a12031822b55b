import { sortKey } from '../informer/sort-key.ts';
import { badRequest, expired, StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Collection, CollectionEvent } from '../view/collection.ts';
import { CONTINUE_EXPIRED, type PageOf, readToken, writeToken as signedToken } from './continue-token.ts';
import type { ListOptions } from './serve-options.ts';

/** A collection as it was at one version, sorted. */
export interface Snapshot {
  readonly resourceVersion: string;
  /** From where the page begins. Maybe made as they are taken, which has to be at once. */
  readonly items: Iterable<KubeObject>;
  /** So many items after a page are counted at most; when there are more nobody is told how many. */
  readonly mostCounted: number;
}

/** Of items that are made as they are taken. */
const MOST_COUNTED = 250;

/** The state that a list asks for. Throws a StatusError: 410 when it is not known any more, 504 when it is not known yet. */
export function snapshotFor(collection: Collection, options: ListOptions, of: PageOf = []): Snapshot {
  const { resourceVersion, resourceVersionMatch, limit } = options;
  const newest = newestOf(collection);
  const { mostCounted } = newest;
  if (options.continue !== '') {
    if (resourceVersion !== '' && resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const { rv, start } = readToken(options.continue, of);
    return { resourceVersion: rv, items: itemsAt(collection, newest, rv, CONTINUE_EXPIRED, start), mostCounted };
  }
  if (resourceVersion !== '' && resourceVersion !== '0') {
    refuseFuture(resourceVersion, newest.version);
    // A first page at a version is of that very version, so that its pages fit those of another reader.
    const exact = resourceVersionMatch === 'Exact' || (resourceVersionMatch === '' && limit > 0);
    if (exact) return { resourceVersion, items: itemsAt(collection, newest, resourceVersion, VERSION_EXPIRED), mostCounted };
  }
  return { resourceVersion: newest.version, items: newest.from(), mostCounted };
}

/** The version that `list` would have. */
export const versionOf = (collection: Collection): string =>
  collection.version ?? collection.list().metadata?.resourceVersion ?? '';

interface Newest {
  readonly version: string;
  readonly mostCounted: number;
  from(after?: string): Iterable<KubeObject>;
}

function newestOf(collection: Collection): Newest {
  const { version } = collection;
  if (version !== undefined && collection.items) {
    return { version, mostCounted: MOST_COUNTED, from: after => collection.items?.(after) ?? [] };
  }
  const { items, metadata } = collection.list();
  return {
    version: metadata?.resourceVersion ?? '',
    mostCounted: Number.POSITIVE_INFINITY,
    from: after => (after === undefined ? items : items.slice(firstAfter(items, after))),
  };
}

const VERSION_EXPIRED = 'The resourceVersion for the provided list is too old.';

/** Throws 504 as `storage.NewTooLargeResourceVersionError` does. Versions are decimal. */
export function refuseFuture(resourceVersion: string, current: string): void {
  if (resourceVersion === '' || BigInt(resourceVersion) <= BigInt(current || 0)) return;
  throw new StatusError('Timeout', `Timeout: Too large resource version: ${resourceVersion}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

/**
 * Takes the changes since `version` back. Nothing is kept for a reader of pages: as long as the collection could replay the changes to a
 * watch, it can also show what was before them.
 */
function itemsAt(
  collection: Collection,
  newest: Newest,
  version: string,
  whenExpired: string,
  after?: string,
): Iterable<KubeObject> {
  if (newest.version === version) return newest.from(after);
  const events: CollectionEvent[] = [];
  try {
    collection.watch(version, event => events.push(event))();
  } catch (error) {
    throw error instanceof StatusError && error.code === 410 ? expired(whenExpired) : error;
  }
  const items = newest.from(after);
  return events.length === 0 ? items : before(events, items, after);
}

/** What there was before the events, of which the items are the outcome. */
function* before(events: readonly CollectionEvent[], items: Iterable<KubeObject>, after = ''): Iterable<KubeObject> {
  const changed = new Map<string, KubeObject | undefined>();
  // The first change of each says what it was.
  for (const { type, object, previous } of events.toReversed()) {
    changed.set(sortKey(object), type === 'ADDED' ? undefined : (previous ?? object));
  }
  const old = [...changed].filter(([key, object]) => object && key > after).sort(([a], [b]) => (a < b ? -1 : 1));
  let next = 0;
  for (const object of items) {
    const key = sortKey(object);
    for (; next < old.length && (old[next]?.[0] ?? '') < key; next += 1) yield old[next]?.[1] as KubeObject;
    if (!changed.has(key)) yield object;
  }
  for (; next < old.length; next += 1) yield old[next]?.[1] as KubeObject;
}

/** `of`: what the page belongs to, as `snapshotFor` is told when it is gone on with. */
export const writeToken = (resourceVersion: string, last: KubeObject, of: PageOf = []): string =>
  signedToken({ rv: resourceVersion, start: sortKey(last) }, of);

function firstAfter(items: readonly KubeObject[], key: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sortKey(items[middle] as KubeObject) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
