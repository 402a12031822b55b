import { acceptsGzip } from '../answer/compression.ts';
import { type ApiResource, discoveryDocuments } from '../kube/discovery.ts';
import {
  aggregatedForms,
  chooseForm,
  contentTypeOf,
  type DocumentForm,
  discoveryForms,
  jsonForm,
} from '../kube/document-forms.ts';
import { methodNotAllowed } from '../kube/errors.ts';
import { JSON_MEDIA_TYPE } from '../kube/media-type.ts';
import { openapiDocuments } from '../kube/openapi.ts';
import { gzipOf, indented, prepare } from '../kube/prepared.ts';
import { wantsPretty } from '../kube/pretty.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue } from '../listener/headers.ts';
import type { RequestInfo } from '../target/request-info.ts';

/**
 * Discovery and OpenAPI bytes, made once per API set, and not before they are asked for. The sets are compared by identity: a view keeps
 * one frozen array per API domain and gives the same one until it changes.
 */
export interface ApiDocuments {
  /** What is served at a path; undefined: nothing. */
  find(apis: readonly ApiResource[], path: string): ApiDocument | undefined;
}

export interface ApiDocument {
  readonly forms: readonly DocumentForm[];
  /** Whether it is served to whoever asks, whatever they accept, as API servers do with their indexes. */
  readonly index: boolean;
}

type Documents = ReadonlyMap<string, ApiDocument>;

/** `serverAddress` (`host:port`) is what `/api` tells clients of us. */
export function createApiDocuments(serverAddress: string): ApiDocuments {
  const discovery = oncePerSet(apis => discoveryOf(apis, serverAddress));
  const openapi = oncePerSet(openapiOf);
  return {
    find: (apis, path) => (path.startsWith('/openapi/') ? openapi(apis) : discovery(apis)).get(path),
  };
}

function oncePerSet(make: (apis: readonly ApiResource[]) => Documents): (apis: readonly ApiResource[]) => Documents {
  const made = new WeakMap<readonly ApiResource[], Documents>();
  return apis => {
    const documents = made.get(apis) ?? make(apis);
    made.set(apis, documents);
    return documents;
  };
}

function discoveryOf(apis: readonly ApiResource[], serverAddress: string): Documents {
  const legacy = discoveryDocuments(apis, serverAddress);
  const documents = new Map<string, ApiDocument>();
  for (const [path, document] of legacy) {
    const aggregated = path === '/api' || path === '/apis' ? aggregatedForms(apis, path) : [];
    documents.set(path, served([...discoveryForms(document), ...aggregated]));
  }
  const paths = [...legacy.keys(), '/openapi/v3', '/version'].sort();
  return documents.set('/', served([jsonForm(prepare({ paths }))], true));
}

const openapiOf = (apis: readonly ApiResource[]): Documents =>
  new Map([...openapiDocuments(apis)].map(([path, document]) => [path, served([jsonForm(document)], path === '/openapi/v3')]));

const served = (forms: readonly DocumentForm[], index = false): ApiDocument => ({ forms: forms.map(kept), index });

function kept(form: DocumentForm): DocumentForm {
  let made: ReturnType<DocumentForm['make']> | undefined;
  return {
    ...form,
    make() {
      made ??= form.make();
      return made;
    },
  };
}

/** Answers a discovery or OpenAPI path; false when the path is neither. Throws a StatusError: 405, or 406 for what no form of it is. */
export function serveDocument(
  exchange: Exchange,
  documents: ApiDocuments,
  apis: readonly ApiResource[],
  request: RequestInfo,
  { aggregated = true }: { readonly aggregated?: boolean } = {},
): boolean {
  const path = request.path.length > 1 && request.path.endsWith('/') ? request.path.slice(0, -1) : request.path;
  const found = documents.find(apis, path);
  if (found === undefined) return false;
  if (request.verb !== 'get' && request.verb !== 'head') throw methodNotAllowed({ group: '', resource: path }, request.verb);

  const forms = aggregated ? found.forms : found.forms.filter(({ transform }) => transform === undefined);
  const form = chooseForm(found.index ? undefined : headerValue(exchange.headers, 'accept'), forms);
  const plain = isIndented(exchange, path, form) ? indented(form.make()) : form.make();
  const gzipped = acceptsGzip(exchange.headers) ? gzipOf(plain) : undefined;
  const { body, etag } = gzipped ?? plain;
  const headers = [...caching(exchange.url, plain.etag), 'etag', etag, 'vary', 'Accept, Accept-Encoding'];
  if (matches(headerValue(exchange.headers, 'if-none-match'), etag)) {
    exchange.writeHead(304, headers);
    exchange.end();
    return true;
  }
  headers.push('content-type', contentTypeOf(form), 'content-length', String(body.length));
  if (gzipped !== undefined) headers.push('content-encoding', 'gzip');
  exchange.writeHead(200, headers);
  if (request.verb === 'head') exchange.end();
  else exchange.end(body);
  return true;
}

/** Discovery is printed for people where they read it; the index and OpenAPI are not. */
function isIndented({ headers, url }: Exchange, path: string, { mediaType }: DocumentForm): boolean {
  if (mediaType !== JSON_MEDIA_TYPE || path === '/' || path.startsWith('/openapi/')) return false;
  return wantsPretty(headerValue(headers, 'user-agent'), queryOf(url));
}

const queryOf = (url: string): URLSearchParams => new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '');

const YEAR_MS = 365 * 24 * 3600 * 1000;

/**
 * What is asked for by its hash never changes. Another hash than the document's is an older one, from an index read before: kube-openapi
 * redirects, to a path that is not below a view's prefix; the document itself serves the client as well.
 */
function caching(url: string, etag: string): string[] {
  const hash = queryOf(url).get('hash');
  if (`"${hash}"` !== etag) return ['cache-control', 'no-cache, private'];
  // Private, where kube-openapi says public: not everyone may see a view's APIs.
  return ['cache-control', 'private, immutable', 'expires', new Date(Date.now() + YEAR_MS).toUTCString()];
}

/** RFC 9110 §13.1.2, weak comparison. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const strong = (tag: string): string => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some(tag => strong(tag) === strong(etag));
}
