import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { notFound } from '../kube/errors.ts';
import type { KubeObject, ListMeta } from '../kube/objects.ts';
import type { Exchange } from '../listener/exchange.ts';
import type { RequestInfo } from '../target/request-info.ts';
import type { Collection } from '../view/collection.ts';
import { acceptsGzip, COMPRESSED_FROM, gzipStream, inGzip } from './compression.ts';
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

/** Characters gathered before they are written: what is less is not worth to be compressed. */
const CHUNK = COMPRESSED_FROM;

function* gathered(pieces: Iterable<string>): Generator<string> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < CHUNK) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

/** Writes pieces no faster than the client reads them; many of them compressed, where he takes that. */
async function send(exchange: Exchange, { mediaType }: Representation, pieces: Iterable<string>): Promise<void> {
  const rest = gathered(pieces);
  const first = rest.next().value ?? '';
  if (exchange.closed) return;
  const head = ['cache-control', 'no-cache, private', 'content-type', mediaType];
  if (first.length < CHUNK) {
    const body = Buffer.from(first);
    exchange.writeHead(200, [...head, 'content-length', String(body.length)]);
    exchange.end(body);
    return;
  }
  const isCompressed = acceptsGzip(exchange.headers);
  exchange.writeHead(200, isCompressed ? inGzip(head) : head);
  const body = Readable.from(following(first, rest));
  try {
    await (isCompressed ? pipeline(body, gzipStream(), bodyOf(exchange)) : pipeline(body, bodyOf(exchange)));
  } catch (error) {
    if (!exchange.closed) throw error;
  }
}

function* following(first: string, rest: Iterable<string>): Generator<string> {
  yield first;
  yield* rest;
}

/** The response's body, which takes pieces no faster than the client reads them. */
function bodyOf(exchange: Exchange): Writable {
  let goOn = (): void => {};
  exchange.onDrain(() => goOn());
  const body = new Writable({
    decodeStrings: false,
    write(piece: Buffer | string, _encoding, done) {
      goOn = () => {
        goOn = () => {};
        done();
      };
      if (exchange.write(piece)) goOn();
    },
    final(done) {
      exchange.end();
      done();
    },
  });
  exchange.onClose(() => body.destroy());
  return body;
}
