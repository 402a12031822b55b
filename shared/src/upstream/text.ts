import type { RawHeaders } from '../listener/headers.ts';
import { type Upstream, UpstreamError } from './upstream.ts';

export interface TextRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: RawHeaders;
  readonly body?: string;
  /** Milliseconds for the whole exchange; default 30 s. */
  readonly timeout?: number;
  /** Of the answer; more is an error. Absent: whatever comes, from a server that is trusted. */
  readonly maxBytes?: number;
  /** Gives the exchange up when it is aborted. */
  readonly signal?: AbortSignal;
}

export interface TextResponse {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: string;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * One request whose whole answer is wanted in memory. Rejects with an `UpstreamError` when no complete answer came; an HTTP error
 * status is an answer, not a rejection.
 */
export function requestText(upstream: Upstream, request: TextRequest): Promise<TextResponse> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const { maxBytes = Number.POSITIVE_INFINITY, signal } = request;
    let bytes = 0;
    let status = 0;
    let headers: RawHeaders = [];
    const milliseconds = request.timeout ?? DEFAULT_TIMEOUT_MS;
    const settled = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (error: UpstreamError): void => {
      settled();
      call.abort();
      reject(error);
    };
    const onAbort = (): void => giveUp(new UpstreamError('reset', `${upstream.name} is not waited for any more`));
    const timer = setTimeout(
      () => giveUp(new UpstreamError('timeout', `${upstream.name} did not answer within ${milliseconds} ms`)),
      milliseconds,
    );
    timer.unref();
    signal?.addEventListener('abort', onAbort);
    const { method, path, body } = request;
    const call = upstream.dispatch(
      { method, path, headers: request.headers ?? [], body: body ?? null, longRunning: false },
      {
        onHead(code, head) {
          status = code;
          headers = head;
        },
        onData(chunk) {
          bytes += chunk.length;
          if (bytes > maxBytes) {
            giveUp(new UpstreamError('reset', `${upstream.name} answered with more than ${maxBytes} bytes`));
            return false;
          }
          chunks.push(chunk);
          return true;
        },
        onEnd() {
          settled();
          resolve({ status, headers, body: Buffer.concat(chunks).toString() });
        },
        onError(error) {
          settled();
          reject(error);
        },
      },
    );
  });
}
