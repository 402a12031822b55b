import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Limits } from '../config/options.ts';
import { toStatusError } from '../kube/errors.ts';
import type { Connections } from './connections.ts';
import type { Handler, Peer, UpgradeProtocol } from './exchange.ts';
import type { BaseExchange } from './exchange-base.ts';
import type { RawHeaders } from './headers.ts';
import { refuse } from './refuse.ts';

/** An HTTP/1.1 request to leave HTTP. Whoever takes it answers on the socket, and may `refuseSocket` it. */
export interface UpgradeRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: RawHeaders;
  readonly peer: Peer;
  /** The value of the Upgrade header, in the spelling of its specification. */
  readonly protocol: UpgradeProtocol;
  readonly socket: Duplex;
  /** What the client has sent after its request. */
  readonly head: Buffer;
  /** Milliseconds of `performance.now()`. */
  readonly startedAt: number;
}

/** All in milliseconds. */
export interface Timeouts {
  /** Until the TLS handshake must be done. */
  readonly handshake: number;
  /** Until a request with its body must be complete. Says nothing about the response: a watch may take days. */
  readonly request: number;
  /** That a connection may be without any request. */
  readonly idle: number;
}

/** How many streams a client may take back on one HTTP/2 connection: at once, and from then on per second. */
export interface StreamResets {
  readonly burst: number;
  readonly rate: number;
}

/**
 * CVE-2023-44487: who opens and resets more streams than this, and goes on faster than this, loses the connection. A client that ends all
 * its watches at once stays below.
 */
export const RESETS_OF_A_CLIENT: StreamResets = { burst: 1_000, rate: 33 };

/**
 * A proxy has the streams of many clients on one connection. It loses none of them because one client takes back its own again and
 * again: that client has met the limit above at the proxy.
 */
export const RESETS_OF_A_PROXY: StreamResets = { burst: 10_000, rate: 10_000 };

/** As Go's HTTP servers and kube-apiserver have them. */
export const DEFAULT_TIMEOUTS: Timeouts = { handshake: 10_000, request: 300_000, idle: 90_000 };

/** What the two protocols share. */
export interface Front {
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  /** Absent: those of a client. */
  readonly streamResets?: StreamResets;
  readonly handler: Handler;
  readonly connections: Connections;
  readonly onUpgrade?: (request: UpgradeRequest) => void;
  /** Over HTTP/1.1 frames are offered, and requests taken in them (docs/adr/0018). Absent: not. */
  readonly takesFrames?: boolean;
  /** A bug of ours: a handler or a listener has thrown. */
  readonly onError: (error: unknown) => void;
  /** A client's mistake below the level of requests: a broken handshake, a parse error, a flood. */
  readonly onClientError: (error: Error, address: string) => void;
  isDraining(): boolean;
  peerOf(socket: Socket): Peer;
}

/** Gives the exchange to the handler, and sees to it that it ends whatever the handler does. */
export async function handle(front: Front, exchange: BaseExchange): Promise<void> {
  front.connections.begin();
  exchange.onClose(() => front.connections.end());
  try {
    await front.handler(exchange);
  } catch (error) {
    front.onError(error);
    if (exchange.status === 0) refuse(exchange, toStatusError(error));
    else exchange.abort();
  }
}
