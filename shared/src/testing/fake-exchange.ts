/** Test equipment: an exchange without a socket. */
import { Readable } from 'node:stream';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue, type RawHeaders } from '../listener/headers.ts';

export interface FakeExchange extends Exchange {
  /** Everything written so far. */
  readonly bytes: Buffer;
  /** The same as a text. */
  readonly text: string;
  /** `text`, parsed. */
  readonly json: unknown;
  readonly responseHeaders: RawHeaders;
  responseHeader(name: string): string | undefined;
  /** `complete`, `aborted`, or neither yet. */
  readonly end_: 'complete' | 'aborted' | undefined;
  /** The client goes away. */
  leave(): void;
}

export function fakeExchange(
  method: string,
  url: string,
  { headers = [] as RawHeaders, body = undefined as string | Readable | undefined } = {},
): FakeExchange {
  const listeners: ((complete: boolean) => void)[] = [];
  const written: Buffer[] = [];
  let status = 0;
  let responseHeaders: RawHeaders = [];
  let end: FakeExchange['end_'];
  let closed = false;
  const close = (complete: boolean): void => {
    if (closed) return;
    closed = true;
    for (const listener of listeners) listener(complete);
  };
  const text = (): string => Buffer.concat(written).toString();
  return {
    httpVersion: '1.1',
    method,
    url,
    headers: typeof body === 'string' ? [...headers, 'content-length', String(Buffer.byteLength(body))] : headers,
    peer: { address: '192.0.2.1' },
    body: typeof body === 'string' ? Readable.from([Buffer.from(body)]) : (body ?? null),
    startedAt: performance.now(),
    get status() {
      return status;
    },
    get bytesWritten() {
      return Buffer.concat(written).length;
    },
    get closed() {
      return closed;
    },
    get bytes() {
      return Buffer.concat(written);
    },
    get text() {
      return text();
    },
    get json() {
      return JSON.parse(text());
    },
    get responseHeaders() {
      return responseHeaders;
    },
    responseHeader: name => headerValue(responseHeaders, name),
    get end_() {
      return end;
    },
    onClose(listener) {
      if (closed) listener(end === 'complete');
      else listeners.push(listener);
    },
    writeHead(code, head) {
      if (status !== 0) throw new Error('the head was written twice');
      status = code;
      responseHeaders = head;
    },
    write(chunk) {
      if (!closed) written.push(Buffer.from(chunk));
      return true;
    },
    onDrain: () => undefined,
    end(chunk) {
      if (closed) return;
      if (chunk !== undefined) written.push(Buffer.from(chunk));
      end = 'complete';
      close(true);
    },
    abort() {
      end ??= 'aborted';
      close(false);
    },
    leave: () => close(false),
  };
}
