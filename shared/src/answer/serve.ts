import { systemClock } from '../informer/clock.ts';
import { methodNotAllowed, resourceNotServed, StatusError } from '../kube/errors.ts';
import type { Exchange } from '../listener/exchange.ts';
import type { RequestInfo } from '../target/request-info.ts';
import type { Collection } from '../view/collection.ts';
import { sendStatus } from './send.ts';
import { serveGet, serveList } from './serve-read.ts';
import { serveWatch, type WatchSettings } from './serve-watch.ts';

/**
 * Answers get, list and watch from a collection as an API server would. Refusals are answered too; a rejection is a bug.
 * Resolves when the response is complete or cut.
 */
export async function serveCollection(
  exchange: Exchange,
  request: RequestInfo,
  query: URLSearchParams,
  collection: Collection,
  settings: Partial<WatchSettings> = {},
): Promise<void> {
  try {
    if (!request.isResourceRequest || request.apiGroup !== collection.group) throw resourceNotServed();
    if (request.resource !== collection.resource || request.subresource !== '') throw resourceNotServed();
    if (exchange.method !== 'GET') throw methodNotAllowed(collection, request.verb || exchange.method.toLowerCase());
    switch (request.verb) {
      case 'get':
        return await serveGet(exchange, request, query, collection);
      case 'list':
        return await serveList(exchange, request, query, collection);
      case 'watch':
        return await serveWatch(exchange, request, query, collection, { clock: systemClock, ...settings });
      default:
        throw methodNotAllowed(collection, request.verb);
    }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    sendStatus(exchange, error);
  }
}
