/**
 * The listener of a shard. It is the fleet's own, but for one thing: a Go server counts no resets of streams, so clients may end as many
 * watches at once as they like. The fleet's listener takes that for an attack (CVE-2023-44487), rightly where strangers connect.
 */
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { Connections } from '@kcp-vw/shared/listener/connections.ts';
import type { Handler } from '@kcp-vw/shared/listener/exchange.ts';
import { DEFAULT_TIMEOUTS, type Front } from '@kcp-vw/shared/listener/front.ts';
import { http1Options, serveHttp1 } from '@kcp-vw/shared/listener/http1.ts';
import { http2Options, serveHttp2 } from '@kcp-vw/shared/listener/http2.ts';
import type { ServingTls } from '@kcp-vw/shared/listener/tls.ts';

export interface ShardListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Stays the caller's: it is not closed with the listener. */
  readonly tls: ServingTls;
  readonly handler: Handler;
  /** A bug of ours: the handler has thrown. */
  readonly onError: (error: unknown) => void;
}

export interface ShardListener {
  /** Cuts every connection, at once. */
  close(): Promise<void>;
}

const UNLIMITED = 2 ** 31 - 1;

/** Rejects when the port is taken. */
export async function listenAsShard({ host, port, tls, handler, onError }: ShardListenerOptions): Promise<ShardListener> {
  const connections = new Connections();
  let closing = false;
  const front: Front = {
    limits: DEFAULT_LIMITS,
    timeouts: DEFAULT_TIMEOUTS,
    handler,
    connections,
    onError,
    // A client that breaks off is none of a shard's business.
    onClientError: () => undefined,
    isDraining: () => closing,
    peerOf: socket => tls.verifyPeer(socket as TLSSocket),
  };
  const server = createSecureServer({
    ...http1Options(front),
    ...http2Options(front),
    streamResetBurst: UNLIMITED,
    streamResetRate: UNLIMITED,
    ...tls.context,
    allowHTTP1: true,
    noDelay: true,
    requestCert: true,
    rejectUnauthorized: false,
  });
  // Node reacts to the first 'request' listener by making request and response objects for HTTP/2 too. Ours are for HTTP/1.1 only.
  server.removeAllListeners('newListener');
  server.prependListener('secureConnection', socket => connections.established(socket));
  server.on('connection', (socket: Socket) => connections.accepted(socket));
  serveHttp1(server, front);
  serveHttp2(server, front);
  await listening(server, host, port);
  server.on('error', onError);
  return {
    async close() {
      closing = true;
      const closed = new Promise<void>(resolve => server.once('close', resolve));
      server.close();
      connections.destroyAll();
      await Promise.all([closed, connections.gone(), connections.idle()]);
    },
  };
}

const listening = (server: Http2SecureServer, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
