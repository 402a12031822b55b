import type { LookupFunction } from 'node:net';
import type { Limits } from '../config/options.ts';
import { Delivery } from './delivery.ts';
import { Dialler } from './dial.ts';
import { basePathOf, endpointOf, type TlsMaterial, type UpstreamOrigin } from './endpoint.ts';
import { upstreamRequestHeaders } from './hop-by-hop.ts';
import { Http1Pool, type Http1PoolOptions } from './http1-pool.ts';
import type { Http2Options } from './http2-session.ts';
import { type Upstream, type UpstreamCall, UpstreamError, type UpstreamHandler, type UpstreamRequest } from './upstream.ts';
import { WatchSessions } from './watch-sessions.ts';

export interface UpstreamCredentials {
  readonly tls?: TlsMaterial;
  /** The bearer token of this moment, without `Bearer`; asked for each request. */
  readonly authorization?: () => string | undefined;
}

export interface UpstreamOptions extends UpstreamCredentials {
  /** For messages and logs; default: the origin. */
  readonly name?: string;
  readonly origin: UpstreamOrigin;
  /**
   * Finds the addresses of the origin's host for each connection, so that what is judged here is what is dialled. The name stays the one that
   * the certificate has to be for. Absent: the system's.
   */
  readonly lookup?: LookupFunction;
  readonly limits: Pick<Limits, 'watchStreams'>;
  /** Other times and numbers than the defaults; tests shorten them. */
  readonly unary?: Partial<Http1PoolOptions>;
  readonly watch?: Partial<Http2Options>;
}

/** An upstream that we made, and can give new credentials. */
export interface ManagedUpstream extends Upstream {
  /** The path of the origin's URL without a slash at its end; nobody puts it before a request's path unasked. */
  readonly basePath: string;
  /**
   * Replaces the credentials for all new connections. Requests and streams in flight end as they began. Throws, and changes nothing,
   * when the material cannot be used.
   */
  setCredentials(credentials: UpstreamCredentials): void;
}

const UNARY: Http1PoolOptions = {
  connections: 64,
  waiting: 1024,
  waitTimeout: 30_000,
  connectTimeout: 10_000,
  headersTimeout: 60_000,
  bodyTimeout: 60_000,
  // Go's servers close idle connections after 90 s or later; we have to be first, or a request meets a closing connection.
  keepAliveTimeout: 30_000,
};

const DIAL_TIMEOUT_MS = 10_000;

const WATCH: Http2Options = { connectTimeout: 10_000, pingInterval: 30_000, pingTimeout: 15_000, idleTimeout: 60_000 };

/**
 * One server with two sets of connections: keep-alive HTTP/1.1 for what ends soon, HTTP/2 sessions for what does not. Neither can take
 * the other's place, so that watches never starve a GET.
 */
export function createUpstream(options: UpstreamOptions): ManagedUpstream {
  const { origin, lookup } = options;
  const name = options.name ?? (origin instanceof URL ? origin.origin : origin.socketPath);
  const endpoint = endpointOf(origin, options.tls, lookup);
  const unary = new Http1Pool(name, endpoint, { ...UNARY, ...options.unary });
  const watch = new WatchSessions(name, endpoint, { ...WATCH, ...options.watch, streams: options.limits.watchStreams });
  const dialler = new Dialler(name, endpoint, { connectTimeout: DIAL_TIMEOUT_MS, connections: options.limits.watchStreams });
  let { authorization } = options;

  return {
    name,
    basePath: basePathOf(origin),
    dispatch(request, handler) {
      // Absolute form would let a path choose the server in the eyes of whatever stands before it.
      if (!request.path.startsWith('/')) return refusePath(name, handler);
      const headers = upstreamRequestHeaders(request.headers, authorization?.());
      const prepared: UpstreamRequest = { ...request, headers };
      return request.longRunning ? watch.dispatch(prepared, handler) : unary.dispatch(prepared, handler);
    },
    async dial(signal) {
      const socket = await dialler.dial(signal);
      return { socket, authority: endpoint.authority, bearerToken: authorization?.() };
    },
    stats: () => ({
      unaryConnections: unary.connections,
      unaryInFlight: unary.inFlight,
      watchSessions: watch.sessions,
      watchStreams: watch.streams,
      tunnels: dialler.connections,
    }),
    setCredentials(credentials) {
      const next = endpointOf(origin, credentials.tls, lookup);
      authorization = credentials.authorization;
      unary.redirectTo(next);
      watch.redirectTo(next);
      dialler.redirectTo(next);
    },
    async close() {
      dialler.close();
      await Promise.all([unary.close(), watch.close()]);
    },
  };
}

function refusePath(name: string, handler: UpstreamHandler): UpstreamCall {
  const delivery = new Delivery(handler);
  delivery.fail(new UpstreamError('reset', `${name}: a request path begins with a slash`, { nothingSent: true }));
  return { resume: () => undefined, abort: () => delivery.drop() };
}
