import { badRequest, headersTooLarge, type StatusError, tooLarge } from '../kube/errors.ts';
import { headerValue, headerValues, type RawHeaders } from './headers.ts';

/** A request's head as it came off the wire, before anything believes it. */
export interface RequestHead {
  readonly httpVersion: string;
  readonly method: string;
  readonly url: string;
  /** Without pseudo-headers. */
  readonly headers: RawHeaders;
  /** The message says that a body follows. */
  readonly hasBody: boolean;
}

export interface HeadLimits {
  /** Bytes of a request body. */
  readonly requestBody: number;
  /** Bytes of all headers. */
  readonly requestHeaders: number;
}

/** Headers of one request. Every stage goes through all of them, some more than once. */
export const MAX_HEADERS = 4096;

/** No meaning is defined for a body of these (RFC 9110 9.3), and Node writes it unframed to the next hop, where it is a second request. */
const BODILESS_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Why a request is refused before any stage sees it; undefined if it is well formed. */
export function faultOf(head: RequestHead, limits: HeadLimits): StatusError | undefined {
  const count = (name: string): number => headerValues(head.headers, name).length;
  // Until the end of the connection is the only end a 1.0 response of unknown length has: a truncated one would look complete.
  if (head.httpVersion === '1.0') return badRequest('HTTP/1.0 is not supported: use HTTP/1.1 or HTTP/2');
  if (head.headers.length > 2 * MAX_HEADERS) return headersTooLarge(limits.requestHeaders);
  // Absolute form names a second host, `*` and an authority name no object.
  if (!head.url.startsWith('/')) return badRequest('the request target must be a path');
  // Two values, and each hop may believe another one.
  if (count('host') !== 1) return badRequest('the request must have exactly one Host header');
  if (count('authorization') > 1) return badRequest('the request has more than one Authorization header');
  return framingFault(head, limits);
}

function framingFault({ method, headers, hasBody }: RequestHead, limits: HeadLimits): StatusError | undefined {
  const lengths = headerValues(headers, 'content-length');
  const encodings = headerValues(headers, 'transfer-encoding');
  if (lengths.length > 1 || (lengths.length > 0 && encodings.length > 0)) {
    return badRequest('the request states the length of its body more than once');
  }
  if (encodings.some(encoding => encoding.toLowerCase() !== 'chunked') || encodings.length > 1) {
    return badRequest('the only transfer encoding supported is chunked');
  }
  if (hasBody && BODILESS_METHODS.has(method)) return badRequest(`a ${method} request must not have a body`);
  const [length] = lengths;
  if (length !== undefined && !/^\d+$/.test(length)) return badRequest('the Content-Length header is not a number');
  return Number(length ?? 0) > limits.requestBody ? tooLarge(limits.requestBody) : undefined;
}

/**
 * The same over HTTP/2: `:authority` becomes the Host header, which may stand beside it only with the same value (RFC 9113 8.3.1).
 * Without either there is no Host, which `faultOf` refuses.
 */
export function withoutPseudoHeaders(rawHeaders: RawHeaders): string[] {
  const headers: string[] = [];
  let authority: string | undefined;
  let host: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i] as string, rawHeaders[i + 1] as string];
    if (name === ':authority') authority = value;
    else if (name === 'host') host = value;
    if (!name.startsWith(':')) headers.push(name, value);
  }
  // Unequal ones stay two Hosts, and are refused as such.
  if (authority !== undefined && authority !== host) headers.unshift('host', authority);
  return headers;
}

/** What the client expects before it sends its body: an answer we give (`continue`), one we cannot give, or nothing. */
export function expectationOf(headers: RawHeaders): 'continue' | 'unknown' | undefined {
  const expectations = headerValues(headers, 'expect');
  if (expectations.length === 0) return undefined;
  return expectations.every(value => value.toLowerCase() === '100-continue') ? 'continue' : 'unknown';
}

/** Whether the head says that a body follows, over HTTP/1.1. */
export const announcesBody = (headers: readonly string[]): boolean =>
  headerValue(headers, 'transfer-encoding') !== undefined || headerValues(headers, 'content-length').some(value => value !== '0');
