import type { RawHeaders } from '../listener/headers.ts';
import { type Upstream, UpstreamError } from './upstream.ts';

export interface JsonRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: RawHeaders;
  /** Sent as `application/json` unless `headers` say otherwise. */
  readonly body?: unknown;
  /** Milliseconds for the whole exchange; default 30 s. */
  readonly timeout?: number;
}

export interface JsonResponse<T> {
  readonly status: number;
  readonly headers: RawHeaders;
  /** The parsed body; a Status object when the server refused. */
  readonly body: T;
}

/**
 * One request whose whole answer is wanted in memory: reviews, lists of informers, single objects.
 * Rejects with an `UpstreamError` when no complete JSON answer came; an HTTP error status is an answer, not a rejection.
 */
export function requestJson<T>(upstream: Upstream, request: JsonRequest): Promise<JsonResponse<T>> {
  return new Promise((resolve, reject) => {
    const { body } = request;
    const headers = [...(request.headers ?? [])];
    const has = (name: string): boolean => headers.some((value, i) => i % 2 === 0 && value.toLowerCase() === name);
    if (!has('accept')) headers.push('accept', 'application/json');
    if (body !== undefined && !has('content-type')) headers.push('content-type', 'application/json');

    const chunks: Uint8Array[] = [];
    let status = 0;
    let responseHeaders: RawHeaders = [];
    const call = upstream.dispatch(
      {
        method: request.method,
        path: request.path,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        longRunning: false,
      },
      {
        onHead(code, head) {
          status = code;
          responseHeaders = head;
        },
        onData(chunk) {
          chunks.push(chunk);
          return true;
        },
        onEnd() {
          clearTimeout(timer);
          const text = Buffer.concat(chunks).toString();
          try {
            resolve({ status, headers: responseHeaders, body: JSON.parse(text) as T });
          } catch (cause) {
            reject(
              new UpstreamError('reset', `${upstream.name} answered ${request.method} with ${status} and no JSON`, { cause }),
            );
          }
        },
        onError(error) {
          clearTimeout(timer);
          reject(error);
        },
      },
    );
    const milliseconds = request.timeout ?? 30_000;
    const timer = setTimeout(() => {
      call.abort();
      reject(new UpstreamError('timeout', `${upstream.name} did not answer within ${milliseconds} ms`));
    }, milliseconds);
    timer.unref();
  });
}
