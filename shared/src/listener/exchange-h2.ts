import { validateHeaderName, validateHeaderValue } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { BaseExchange, type BodyOfHead, type ExchangeRequest } from './exchange-base.ts';
import type { RawHeaders } from './headers.ts';

export interface Http2ExchangeRequest extends ExchangeRequest {
  readonly stream: ServerHttp2Stream;
}

/**
 * On the raw stream: the compatibility API's `close` does not come for every client that is gone (nodejs/node#56374).
 */
export class Http2Exchange extends BaseExchange {
  override readonly httpVersion = '2.0';
  readonly #stream: ServerHttp2Stream;

  constructor({ stream, ...request }: Http2ExchangeRequest) {
    super(request);
    this.#stream = stream;
    stream.once('aborted', () => this.settle(false));
    stream.once('close', () => this.settle(this.ended && stream.rstCode === constants.NGHTTP2_NO_ERROR));
    // Every error of a stream is followed by its `close`.
    stream.on('error', ignore);
  }

  /** A stream tells of `drain` only after a write that was too much, so that most exchanges need not listen. */
  override onDrain(listener: () => void): void {
    super.onDrain(listener);
    if (this.#stream.listenerCount('drain') === 0) this.#stream.on('drain', () => this.drained());
  }

  protected override sendHead(status: number, headers: RawHeaders, { isEmpty }: BodyOfHead): void {
    if (this.#stream.destroyed || this.#stream.closed) return;
    // HTTP/1.1 does so by itself; nghttp2 sends whatever it is given.
    const head = [':status', String(status)];
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const [name, value] = [headers[i] as string, headers[i + 1] as string];
      validateHeaderName(name);
      validateHeaderValue(name, value);
      head.push(name.toLowerCase(), value);
    }
    this.#stream.respond(head, { endStream: isEmpty });
  }

  protected override sendChunk(chunk: Uint8Array | string): boolean {
    return this.#stream.write(chunk);
  }

  protected override sendEnd(chunk: Uint8Array | string | undefined): void {
    const stream = this.#stream;
    // Node ends the stream of a response without a body by itself.
    if (!stream.writableEnded) stream.end(chunk);
    if (stream.writableFinished) this.settle(true);
    else stream.once('finish', () => this.settle(stream.rstCode === constants.NGHTTP2_NO_ERROR));
  }

  override settle(complete: boolean): void {
    if (this.closed) return;
    super.settle(complete);
    // The answer is there, the rest of the request is not needed (RFC 9113 8.1). An unread body would keep the stream open.
    if (complete && this.body && !this.#stream.readableEnded) {
      this.#stream.close(constants.NGHTTP2_NO_ERROR);
      this.#stream.resume();
    }
  }

  protected override cut(): void {
    // An error becomes INTERNAL_ERROR. `close(INTERNAL_ERROR)` ends the stream first, and the client sees a complete response.
    this.#stream.destroy(new Error('the response is cut'));
  }
}

const ignore = (): void => {};
