import { type ApiResource, discoveryDocuments } from '../kube/discovery.ts';
import { methodNotAllowed } from '../kube/errors.ts';
import { openapiDocuments } from '../kube/openapi.ts';
import type { PreparedDocument } from '../kube/prepared.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue } from '../listener/headers.ts';
import type { RequestInfo } from '../target/request-info.ts';

/**
 * Discovery and OpenAPI bytes, made once per API set. The sets are compared by identity: a view keeps one frozen array per API
 * domain and gives the same one until it changes.
 */
export interface ApiDocuments {
  get(apis: readonly ApiResource[]): ReadonlyMap<string, PreparedDocument>;
}

/** `serverAddress` (`host:port`) is what `/api` tells clients of us. */
export function createApiDocuments(serverAddress: string): ApiDocuments {
  const made = new WeakMap<readonly ApiResource[], ReadonlyMap<string, PreparedDocument>>();
  return {
    get(apis) {
      const known = made.get(apis);
      if (known) return known;
      const documents = new Map([...discoveryDocuments(apis, serverAddress), ...openapiDocuments(apis)]);
      made.set(apis, documents);
      return documents;
    },
  };
}

/** Answers a discovery or OpenAPI path; false when the path is neither. */
export function serveDocument(
  exchange: Exchange,
  documents: ApiDocuments,
  apis: readonly ApiResource[],
  request: RequestInfo,
): boolean {
  const path = request.path.length > 1 && request.path.endsWith('/') ? request.path.slice(0, -1) : request.path;
  const document = documents.get(apis).get(path);
  if (document === undefined) return false;
  if (request.verb !== 'get') throw methodNotAllowed({ group: '', resource: path }, request.verb);
  const headers = ['cache-control', 'no-cache, private', 'etag', document.etag, 'vary', 'Accept'];
  if (matches(headerValue(exchange.headers, 'if-none-match'), document.etag)) {
    exchange.writeHead(304, headers);
    exchange.end();
    return true;
  }
  headers.push('content-type', 'application/json', 'content-length', String(document.body.length));
  exchange.writeHead(200, headers);
  exchange.end(document.body);
  return true;
}

/** RFC 9110 §13.1.2, weak comparison. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const strong = (tag: string): string => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some(tag => strong(tag) === strong(etag));
}
