import { headerValue, type RawHeaders } from '../listener/headers.ts';
import { requestText } from './text.ts';
import { type Upstream, UpstreamError } from './upstream.ts';

export interface JsonRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: RawHeaders;
  /** Sent as `application/json` unless `headers` say otherwise. */
  readonly body?: unknown;
  /** Milliseconds for the whole exchange; default 30 s. */
  readonly timeout?: number;
  /** Of the answer; more is an error. Absent: whatever comes, from a server that is trusted. */
  readonly maxBytes?: number;
  /** Gives the exchange up when it is aborted. */
  readonly signal?: AbortSignal;
}

export interface JsonResponse<T> {
  readonly status: number;
  readonly headers: RawHeaders;
  /** The parsed body; a Status object when the server refused. */
  readonly body: T;
}

/**
 * One request whose JSON answer is wanted in memory: reviews, lists of informers, single objects.
 * Rejects with an `UpstreamError` when no complete JSON answer came; an HTTP error status is an answer, not a rejection.
 */
export async function requestJson<T>(upstream: Upstream, request: JsonRequest): Promise<JsonResponse<T>> {
  const { method, path, timeout, maxBytes, signal } = request;
  const headers = [...(request.headers ?? [])];
  if (headerValue(headers, 'accept') === undefined) headers.push('accept', 'application/json');
  const hasBody = request.body !== undefined;
  if (hasBody && headerValue(headers, 'content-type') === undefined) headers.push('content-type', 'application/json');

  const response = await requestText(upstream, {
    method,
    path,
    headers,
    ...(hasBody && { body: JSON.stringify(request.body) }),
    ...(timeout !== undefined && { timeout }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(signal && { signal }),
  });
  try {
    return { ...response, body: JSON.parse(response.body) as T };
  } catch (cause) {
    throw new UpstreamError('reset', `${upstream.name} answered ${method} with ${response.status} and no JSON`, { cause });
  }
}
