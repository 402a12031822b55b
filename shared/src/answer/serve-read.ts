import { notFound } from '../kube/errors.ts';
import type { KubeObject, ListMeta } from '../kube/objects.ts';
import type { Exchange } from '../listener/exchange.ts';
import type { RequestInfo } from '../target/request-info.ts';
import type { Collection } from '../view/collection.ts';
import type { PageOf } from './continue-token.ts';
import { namespaceOf, parseListOptions, refuseVersion } from './serve-options.ts';
import { type Representation, represent } from './serve-representation.ts';
import { refuseFuture, snapshotFor, versionOf, writeToken } from './serve-snapshot.ts';

/** One object, by the name in the path. */
export async function serveGet(
  exchange: Exchange,
  request: RequestInfo,
  query: URLSearchParams,
  collection: Collection,
): Promise<void> {
  const resourceVersion = query.get('resourceVersion') ?? '';
  refuseVersion(resourceVersion);
  if (resourceVersion !== '') refuseFuture(resourceVersion, versionOf(collection));
  const representation = represent(exchange, 'get', query, collection);
  const object = collection.get(request.name, namespaceOf(request));
  if (!object) throw notFound(collection, request.name);
  await send(exchange, representation, [representation.object(object)]);
}

/** A page of the collection, or all of it. */
export async function serveList(
  exchange: Exchange,
  request: RequestInfo,
  query: URLSearchParams,
  collection: Collection,
): Promise<void> {
  const options = parseListOptions(request, query, collection.fields);
  const representation = represent(exchange, 'list', query, collection);
  const of = pageOf(exchange, query, collection);
  const snapshot = snapshotFor(collection, options, of);
  const { limit, matches } = options;

  const page: KubeObject[] = [];
  let remaining = 0;
  // With a selector nobody is told how many there are: Kubernetes does not count them either.
  const mostCounted = options.selective ? 0 : snapshot.mostCounted;
  for (const object of snapshot.items) {
    if (!matches(object)) continue;
    if (limit === 0 || page.length < limit) page.push(object);
    else remaining += 1;
    if (remaining > mostCounted) break;
  }
  const last = page.at(-1);
  const metadata: ListMeta = {
    resourceVersion: snapshot.resourceVersion,
    ...(last && remaining > 0 && { continue: writeToken(snapshot.resourceVersion, last, of) }),
    ...(remaining > 0 && remaining <= mostCounted && { remainingItemCount: remaining }),
  };
  await send(exchange, representation, representation.list(page, metadata));
}

/** The path with its view and logical cluster, as it was asked for: who goes on with a list asks for it in the same words. */
const pageOf = ({ url }: Exchange, query: URLSearchParams, { boundTo = '' }: Collection): PageOf => [
  url.split('?', 1)[0] ?? '',
  query.get('labelSelector') ?? '',
  query.get('fieldSelector') ?? '',
  boundTo,
];

/** Characters gathered before they are written. */
const CHUNK = 64 * 1024;

/** Writes pieces no faster than the client reads them. */
function send(exchange: Exchange, { mediaType }: Representation, pieces: Iterable<string>): Promise<void> {
  const rest = pieces[Symbol.iterator]();
  const gather = (): { text: string; done: boolean } => {
    let text = '';
    while (text.length < CHUNK) {
      const piece = rest.next();
      if (piece.done) return { text, done: true };
      text += piece.value;
    }
    return { text, done: false };
  };
  const first = gather();
  const head = ['cache-control', 'no-cache, private', 'content-type', mediaType];
  return new Promise(resolve => {
    exchange.onClose(() => resolve());
    if (exchange.closed) return;
    if (first.done) {
      const body = Buffer.from(first.text);
      exchange.writeHead(200, [...head, 'content-length', String(body.length)]);
      exchange.end(body);
      return;
    }
    exchange.writeHead(200, head);
    let ended = false;
    const writeOn = (): void => {
      while (!ended && !exchange.closed) {
        const { text, done } = gather();
        ended = done;
        if (done) exchange.end(text);
        else if (!exchange.write(text)) return;
      }
    };
    exchange.onDrain(writeOn);
    if (exchange.write(first.text)) writeOn();
  });
}
