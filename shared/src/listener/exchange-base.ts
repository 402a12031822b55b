import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import type { Exchange, Peer } from './exchange.ts';
import { HeaderNames, headerValue, type RawHeaders, withoutNames } from './headers.ts';

export interface ExchangeRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: RawHeaders;
  readonly peer: Peer;
  readonly body: Readable | null;
  /** A listener given to the exchange has thrown: a bug to report, not a reason to end the process. */
  readonly onError: (error: unknown) => void;
}

/** What a response's head says of its body. */
export interface BodyOfHead {
  readonly isEmpty: boolean;
  /** The headers give its length. */
  readonly isOfKnownLength: boolean;
}

/** Headers of one connection, not of the message (RFC 9110 7.6.1). The listener makes its own; HTTP/2 forbids all of them. */
const CONNECTION_HEADERS = new HeaderNames([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * What both protocols have in common: the order of calls, counting, and the promise that a response is never cut short unnoticed.
 */
export abstract class BaseExchange implements Exchange {
  abstract readonly httpVersion: '1.1' | '2.0';
  readonly method: string;
  readonly url: string;
  readonly headers: RawHeaders;
  readonly peer: Peer;
  readonly body: Readable | null;
  readonly startedAt = performance.now();

  readonly #onError: (error: unknown) => void;
  #status = 0;
  #bytesWritten = 0;
  #closed = false;
  #complete = false;
  #ended = false;
  #hasBody = true;
  #declaredLength: number | undefined;
  #closeListeners: ((complete: boolean) => void)[] = [];
  #drainListener: (() => void) | undefined;

  constructor({ method, url, headers, peer, body, onError }: ExchangeRequest) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.peer = peer;
    this.body = body;
    this.#onError = onError;
  }

  protected abstract sendHead(status: number, headers: RawHeaders, body: BodyOfHead): void;
  /** False: the client does not keep up. */
  protected abstract sendChunk(chunk: Uint8Array | string): boolean;
  protected abstract sendEnd(chunk: Uint8Array | string | undefined): void;
  protected abstract cut(): void;

  get status(): number {
    return this.#status;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  get closed(): boolean {
    return this.#closed;
  }

  onClose(listener: (complete: boolean) => void): void {
    if (this.#closed) this.#tell(listener, this.#complete);
    else this.#closeListeners.push(listener);
  }

  /** One listener, called at every drain: the last one registered, so that a writer may register once or before each wait. */
  onDrain(listener: () => void): void {
    this.#drainListener = listener;
  }

  writeHead(status: number, headers: RawHeaders): void {
    if (this.#closed) return;
    if (this.#status !== 0) throw new Error(`the response to ${this.method} ${this.url} has its status already`);
    if (status < 200) throw new Error(`${status} is not a final status`);
    const kept = withoutNames(headers, CONNECTION_HEADERS);
    const hasBody = this.method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304;
    const length = headerValue(kept, 'content-length');
    this.sendHead(status, kept, { isEmpty: !hasBody, isOfKnownLength: length !== undefined });
    this.#status = status;
    this.#hasBody = hasBody;
    this.#declaredLength = hasBody && length !== undefined ? Number(length) : undefined;
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#closed || this.#ended) return false;
    this.#needsHead();
    if (!this.#hasBody) return true;
    // An empty chunk would end a chunked body.
    if (chunk.length === 0) return true;
    return this.#count(chunk) && this.sendChunk(chunk);
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#closed || this.#ended) return;
    this.#needsHead();
    const last = this.#hasBody && chunk !== undefined && chunk.length > 0 ? chunk : undefined;
    if (last !== undefined && !this.#count(last)) return;
    // The next response on a kept connection would be taken for the rest of this one.
    if (this.#declaredLength !== undefined && this.#bytesWritten < this.#declaredLength) {
      this.abort();
      return;
    }
    this.#ended = true;
    this.sendEnd(last);
  }

  abort(): void {
    if (this.#closed) return;
    this.cut();
    this.settle(false);
  }

  /** The handler has called `end`. */
  protected get ended(): boolean {
    return this.#ended;
  }

  protected drained(): void {
    const listener = this.#drainListener;
    if (listener && !this.#closed) this.#tell(listener, false);
  }

  /** The exchange is over. Called by the protocol's side; only the first call counts. */
  settle(complete: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#complete = complete;
    this.#drainListener = undefined;
    if (this.body && !this.body.readableEnded) {
      this.body.destroy(complete ? undefined : new Error('the exchange ended before its request body was complete'));
    }
    const listeners = this.#closeListeners;
    this.#closeListeners = [];
    for (const listener of listeners) this.#tell(listener, complete);
  }

  #needsHead(): void {
    if (this.#status === 0) throw new Error(`the response to ${this.method} ${this.url} has no status yet`);
  }

  /** False, and the response is cut, if there is more than its head has promised. */
  #count(chunk: Uint8Array | string): boolean {
    this.#bytesWritten += Buffer.byteLength(chunk);
    if (this.#declaredLength === undefined || this.#bytesWritten <= this.#declaredLength) return true;
    this.abort();
    return false;
  }

  #tell(listener: (complete: boolean) => void, complete: boolean): void {
    try {
      listener(complete);
    } catch (error) {
      this.#onError(error);
    }
  }
}
