import type { RawHeaders } from '../listener/headers.ts';
import { type Upstream, UpstreamError } from './upstream.ts';

export interface TextRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: RawHeaders;
  readonly body?: string;
  /** Milliseconds for the whole exchange; default 30 s. */
  readonly timeout?: number;
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
    let status = 0;
    let headers: RawHeaders = [];
    const milliseconds = request.timeout ?? DEFAULT_TIMEOUT_MS;
    const timer = setTimeout(() => {
      call.abort();
      reject(new UpstreamError('timeout', `${upstream.name} did not answer within ${milliseconds} ms`));
    }, milliseconds);
    timer.unref();
    const { method, path, body } = request;
    const call = upstream.dispatch(
      { method, path, headers: request.headers ?? [], body: body ?? null, longRunning: false },
      {
        onHead(code, head) {
          status = code;
          headers = head;
        },
        onData(chunk) {
          chunks.push(chunk);
          return true;
        },
        onEnd() {
          clearTimeout(timer);
          resolve({ status, headers, body: Buffer.concat(chunks).toString() });
        },
        onError(error) {
          clearTimeout(timer);
          reject(error);
        },
      },
    );
  });
}
