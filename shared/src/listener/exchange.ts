import type { X509Certificate } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import type { RawHeaders } from './headers.ts';

/** Who is at the other end of the connection, as far as TLS can tell. Verified once per connection. */
export interface Peer {
  /** Remote IP address, or `unix` for a Unix socket. */
  readonly address: string;
  /** The name that the client asked for in the TLS handshake (SNI), in lower case. Nobody vouches for it. */
  readonly serverName?: string;
  /** The port of ours that the connection came in on; absent on a Unix socket. */
  readonly localPort?: number;
  /** The peer's certificate if its chain verifies against the client CA. */
  readonly clientCertificate?: X509Certificate;
  /** The peer's certificate if its chain verifies against the requestheader CA. Never set because of the client CA. */
  readonly requestHeaderCertificate?: X509Certificate;
}

/** What HTTP/1.1 may be left for. */
export type UpgradeProtocol = 'websocket' | 'SPDY/3.1';

/** What makes an exchange a request to leave HTTP/1.1. Refused, it ends like any other; only a refusal has a status other than 101. */
export interface Upgrade {
  readonly protocol: UpgradeProtocol;
  /** The client's connection: what came behind the request, and everything after it. Written to only after `switchProtocols`. */
  readonly connection: Duplex;
  /** Answers 101, once, and with it the exchange's status is 101; `headers` are those beside `Connection` and `Upgrade`. */
  switchProtocols(headers: RawHeaders): void;
}

/**
 * One request and its response, HTTP/1.1 and HTTP/2 alike: the only thing a later stage sees of the client's socket.
 *
 * The listener has already refused what is malformed or too large, so `headers` holds no pseudo-headers and no framing headers
 * that contradict the body.
 */
export interface Exchange {
  readonly httpVersion: '1.1' | '2.0';
  readonly method: string;
  /** The request target's bytes as received (origin form), nothing decoded. */
  readonly url: string;
  readonly headers: RawHeaders;
  readonly peer: Peer;
  /** The request body; null when the request has none. Emits a `StatusError` 413 when it grows over the listener's limit. */
  readonly body: Readable | null;
  /** Present where the client asks to leave HTTP. */
  readonly upgrade?: Upgrade | undefined;
  /** Milliseconds of `performance.now()` when the headers were complete. */
  readonly startedAt: number;

  /** The status sent, 0 before. */
  readonly status: number;
  /** Bytes of response body written. */
  readonly bytesWritten: number;
  /** True when the response is complete or the client is gone: nothing can be written any more. */
  readonly closed: boolean;
  /** Called once, when `closed` becomes true; at once if it already is. `complete` tells a finished response from a lost client. */
  onClose(listener: (complete: boolean) => void): void;

  /** Sends status and headers. Framing headers are the listener's: only content-length may be given. */
  writeHead(status: number, headers: RawHeaders): void;
  /** Writes a piece of the body. False: stop until `onDrain`'s listener is called. */
  write(chunk: Uint8Array | string): boolean;
  onDrain(listener: () => void): void;
  end(chunk?: Uint8Array | string): void;
  /** Cuts the response so that it cannot look complete: resets the stream (h2) or the connection (h1). */
  abort(): void;
}

/** A stage that takes an exchange to its end. It never throws; a rejected promise is a bug and is answered with 500. */
export type Handler = (exchange: Exchange) => void | Promise<void>;
