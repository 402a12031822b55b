import type { IncomingMessage, ServerResponse } from 'node:http';
import { FRAMES_PROTOCOL } from '../frames/frame.ts';
import { BaseExchange, type BodyOfHead, type ExchangeRequest } from './exchange-base.ts';
import type { RawHeaders } from './headers.ts';

/** The connection of an exchange, as far as the exchange has a say in it. */
export interface Http1Channel {
  /** Whoever is at the other end may change to frames. */
  readonly offersFrames: boolean;
  /** No further request is wanted on this connection. Asked when the head is sent. */
  isLast(): boolean;
  /** Told when the head has said so. */
  onLast(): void;
}

export interface Http1ExchangeRequest extends ExchangeRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly channel: Http1Channel;
}

export class Http1Exchange extends BaseExchange {
  override readonly httpVersion = '1.1';
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #channel: Http1Channel;

  constructor(exchange: Http1ExchangeRequest) {
    super(exchange);
    const { request, response } = exchange;
    this.#request = request;
    this.#response = response;
    this.#channel = exchange.channel;
    response.once('finish', () => this.settle(this.ended));
    // Both of them fail when the connection does. The connection's `close` ends the exchange.
    response.on('error', ignore);
    request.on('error', ignore);
  }

  /** Node tells of `drain` only after a write that was too much, so that most exchanges need not listen. */
  override onDrain(listener: () => void): void {
    super.onDrain(listener);
    if (this.#response.listenerCount('drain') === 0) this.#response.on('drain', () => this.drained());
  }

  protected override sendHead(status: number, headers: RawHeaders, { isEmpty, isOfKnownLength }: BodyOfHead): void {
    // A body that was too large goes on and on; the next request would come after it.
    const isLast = this.#channel.isLast() || (this.body?.errored ?? null) !== null;
    this.#response.writeHead(status, this.#withOwn(headers, isLast));
    if (isLast) this.#channel.onLast();
    // A watch: the client waits for the status before anything happens. A response of known length sends its head with its body.
    // Not `flushHeaders`, which writes the head as UTF-8 where Node writes it as latin1 otherwise.
    if (!isEmpty && !isOfKnownLength) this.#response.write(NOTHING);
  }

  #withOwn(headers: RawHeaders, isLast: boolean): string[] {
    if (isLast) return [...headers, 'connection', 'close'];
    // RFC 9110 7.8: a server may say at any time what it would change to.
    return this.#channel.offersFrames ? [...headers, 'upgrade', FRAMES_PROTOCOL] : (headers as string[]);
  }

  protected override sendChunk(chunk: Uint8Array | string): boolean {
    return this.#response.write(bytesOf(chunk));
  }

  protected override sendEnd(chunk: Uint8Array | string | undefined): void {
    this.#response.end(chunk === undefined ? chunk : bytesOf(chunk));
  }

  override settle(complete: boolean): void {
    if (this.closed) return;
    super.settle(complete);
    if (!complete) return;
    // The rest of a body that nobody wants any more; the next request comes after it.
    if (!this.#request.complete) this.#request.resume();
  }

  protected override cut(): void {
    this.#request.socket.destroy();
  }
}

const NOTHING = Buffer.alloc(0);
const ignore = (): void => {};

/** Node sends the head in the encoding of a string that follows it, and a header's bytes would not be those given. */
const bytesOf = (chunk: Uint8Array | string): Uint8Array => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
