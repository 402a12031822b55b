import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { RawHeaders } from '../listener/headers.ts';

/** What is sent to a shard, a cache server or one of our own services. */
export interface UpstreamRequest {
  readonly method: string;
  /** Origin form: path and query, bytes as they go on the wire. */
  readonly path: string;
  /** Complete but for framing headers, `host` and credentials, which belong to the upstream. */
  readonly headers: RawHeaders;
  readonly body: Readable | Uint8Array | string | null;
  /** Length of a streamed body when known; otherwise it is sent chunked. */
  readonly contentLength?: number;
  /** A watch or another stream without end: it gets a session of the watch pool and no response timeout. */
  readonly longRunning: boolean;
}

/** Receives one response. After `onEnd` or `onError`, which are called at most once and never both, nothing follows. */
export interface UpstreamHandler {
  /** `headers` without hop-by-hop and framing headers other than content-length. */
  onHead(status: number, headers: RawHeaders): void;
  /** False: the upstream stops reading until `resume()`. */
  onData(chunk: Uint8Array): boolean;
  onEnd(): void;
  onError(error: UpstreamError): void;
}

export interface UpstreamCall {
  resume(): void;
  /** Drops the call and its stream at once; no handler method is called afterwards. */
  abort(): void;
}

/** A connection for one request over HTTP/1.1, which is to leave it. */
export interface Dialled {
  /** Connected, and verified where it is TLS; nothing was sent on it. Whoever has it ends it. */
  readonly socket: Socket;
  /** Value of `host`. */
  readonly authority: string;
  /** The bearer token of this moment, without `Bearer`. */
  readonly bearerToken?: string | undefined;
}

/** One server that we send requests to, with its connections. The credentials it is reached with belong to it. */
export interface Upstream {
  /** For messages and logs: `https://host:port`, or a socket's path. */
  readonly name: string;
  /** Never calls the handler before it has returned. A streamed body is read but never destroyed; what is unread stays with its owner. */
  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall;
  /** Connects for one request to upgrade; absent: there are none to this server. Rejects with an `UpstreamError`. */
  dial?(signal: AbortSignal): Promise<Dialled>;
  /** Streams and connections in use now, for metrics and leak tests. */
  stats(): UpstreamStats;
  /** Closes all connections; what is still in flight fails. */
  close(): Promise<void>;
}

export interface UpstreamStats {
  readonly unaryConnections: number;
  readonly unaryInFlight: number;
  readonly watchSessions: number;
  readonly watchStreams: number;
  /** Connections that `dial` has made; absent: it makes none. */
  readonly tunnels?: number;
}

export type UpstreamFailure =
  /** No connection could be made: nothing was sent. */
  | 'unreachable'
  /** The server's certificate does not verify: wrong CA, name, or expired. */
  | 'untrusted'
  /** The connection broke after the request may have been sent. */
  | 'reset'
  /** No answer in time. */
  | 'timeout'
  /** Our own limit of streams or queued requests is reached. */
  | 'busy';

/** Why no (complete) response came. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly failure: UpstreamFailure;
  /** True when not a byte of the request can have reached the server, so that any method may be sent again. */
  readonly nothingSent: boolean;

  constructor(failure: UpstreamFailure, message: string, options: { cause?: unknown; nothingSent?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.failure = failure;
    this.nothingSent = options.nothingSent ?? (failure === 'unreachable' || failure === 'untrusted' || failure === 'busy');
  }
}
