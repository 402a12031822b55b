import type { Readable } from 'node:stream';
import type { Exchange, Peer, Upgrade } from './exchange.ts';
import type { RawHeaders } from './headers.ts';

export interface Decoration {
  /** In place of the request target. Who holds the exchange below still sees the one that was received. */
  readonly url?: string;
  /** In place of the request's headers. */
  readonly headers?: RawHeaders;
  /** In place of the request's body. */
  readonly body?: Readable;
  /** The headers of whatever response is sent; asked when it is. */
  readonly responseHeaders?: (headers: RawHeaders) => RawHeaders;
}

/** The exchange, with another target, other headers or another body. */
export const decorated = (exchange: Exchange, decoration: Decoration): Exchange => new Decorated(exchange, decoration);

/** A class, because every request makes one or two: an object with functions of its own costs several times as much. */
class Decorated implements Exchange {
  readonly httpVersion: Exchange['httpVersion'];
  readonly method: string;
  readonly url: string;
  readonly headers: RawHeaders;
  readonly peer: Peer;
  readonly body: Readable | null;
  readonly upgrade: Upgrade | undefined;
  readonly startedAt: number;
  readonly #exchange: Exchange;
  readonly #responseHeaders: Decoration['responseHeaders'];

  constructor(exchange: Exchange, { url, headers, body, responseHeaders }: Decoration) {
    this.httpVersion = exchange.httpVersion;
    this.method = exchange.method;
    this.url = url ?? exchange.url;
    this.headers = headers ?? exchange.headers;
    this.peer = exchange.peer;
    this.body = body ?? exchange.body;
    this.upgrade = exchange.upgrade && decoratedUpgrade(exchange.upgrade, responseHeaders);
    this.startedAt = exchange.startedAt;
    this.#exchange = exchange;
    this.#responseHeaders = responseHeaders;
  }

  get status(): number {
    return this.#exchange.status;
  }

  get bytesWritten(): number {
    return this.#exchange.bytesWritten;
  }

  get closed(): boolean {
    return this.#exchange.closed;
  }

  onClose(listener: (complete: boolean) => void): void {
    this.#exchange.onClose(listener);
  }

  writeHead(status: number, headers: RawHeaders): void {
    this.#exchange.writeHead(status, this.#responseHeaders === undefined ? headers : this.#responseHeaders(headers));
  }

  write(chunk: Uint8Array | string): boolean {
    return this.#exchange.write(chunk);
  }

  onDrain(listener: () => void): void {
    this.#exchange.onDrain(listener);
  }

  end(chunk?: Uint8Array | string): void {
    this.#exchange.end(chunk);
  }

  abort(): void {
    this.#exchange.abort();
  }
}

const decoratedUpgrade = ({ protocol, connection, switchProtocols }: Upgrade, map: Decoration['responseHeaders']): Upgrade => ({
  protocol,
  connection,
  switchProtocols: headers => switchProtocols(map === undefined ? headers : map(headers)),
});
