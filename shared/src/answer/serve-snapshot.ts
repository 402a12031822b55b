import { sortKey } from '../informer/sort-key.ts';
import { badRequest, expired, StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Collection, CollectionEvent } from '../view/collection.ts';
import { CONTINUE_EXPIRED, type PageOf, readToken, writeToken as signedToken } from './continue-token.ts';
import type { ListOptions } from './serve-options.ts';

/** A collection as it was at one version, sorted. */
export interface Snapshot {
  readonly resourceVersion: string;
  readonly items: readonly KubeObject[];
  /** Where the page begins. */
  readonly start: number;
}

/** The state that a list asks for. Throws a StatusError: 410 when it is not known any more, 504 when it is not known yet. */
export function snapshotFor(collection: Collection, options: ListOptions, of: PageOf = []): Snapshot {
  const { resourceVersion, resourceVersionMatch, limit } = options;
  if (options.continue !== '') {
    if (resourceVersion !== '' && resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const token = readToken(options.continue, of);
    const items = itemsAt(collection, token.rv, CONTINUE_EXPIRED);
    return { resourceVersion: token.rv, items, start: firstAfter(items, token.start) };
  }
  const list = collection.list();
  const newest = { resourceVersion: list.metadata?.resourceVersion ?? '', items: list.items, start: 0 };
  if (resourceVersion === '' || resourceVersion === '0') return newest;
  refuseFuture(resourceVersion, newest.resourceVersion);
  // A first page at a version is of that very version, so that its pages fit those of another reader.
  const exact = resourceVersionMatch === 'Exact' || (resourceVersionMatch === '' && limit > 0);
  if (!exact) return newest;
  return { resourceVersion, items: itemsAt(collection, resourceVersion, VERSION_EXPIRED), start: 0 };
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
 * Takes the changes since `version` back, newest first. Nothing is kept for a reader of pages: as long as the collection could replay
 * the changes to a watch, it can also show what was before them.
 */
function itemsAt(collection: Collection, version: string, whenExpired: string): readonly KubeObject[] {
  const { items, metadata } = collection.list();
  if (metadata?.resourceVersion === version) return items;
  const events: CollectionEvent[] = [];
  try {
    collection.watch(version, event => events.push(event))();
  } catch (error) {
    throw error instanceof StatusError && error.code === 410 ? expired(whenExpired) : error;
  }
  if (events.length === 0) return items;
  const state = new Map(items.map(object => [sortKey(object), object]));
  for (const { type, object, previous } of events.reverse()) {
    if (type === 'ADDED') state.delete(sortKey(object));
    else state.set(sortKey(object), previous ?? object);
  }
  return [...state].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
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
