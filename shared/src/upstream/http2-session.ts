import { type ClientHttp2Session, connect } from 'node:http2';
import { isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Delivery } from './delivery.ts';
import type { Endpoint } from './endpoint.ts';
import { Http2Call } from './http2-call.ts';
import type { UpstreamCall, UpstreamRequest } from './upstream.ts';

export interface Http2Options {
  /** Milliseconds until TCP, TLS and the server's SETTINGS are complete. */
  readonly connectTimeout: number;
  readonly pingInterval: number;
  /** Milliseconds without an answer to a PING after which a session is given up. */
  readonly pingTimeout: number;
  /** Milliseconds a session without streams is kept. */
  readonly idleTimeout: number;
}

/** Bytes that a server may send ahead on one stream, and thus what a client that does not read costs us. */
const STREAM_WINDOW = 256 * 1024;
/** Node hands session bytes back as they arrive, read or not, so this bounds nothing but round trips. */
const SESSION_WINDOW = 4 * 1024 * 1024;
/** Streams that stay unused: a server counts a stream for a while after we have reset it. */
const STREAM_RESERVE = 10;

/** One HTTP/2 connection, known to be alive, with never more streams than the server takes: above that, `node:http2` queues silently. */
export class Http2Session {
  readonly #session: ClientHttp2Session;
  readonly #options: Http2Options;
  readonly #pings: NodeJS.Timeout;
  #idle: NodeJS.Timeout | undefined;
  #streams = 0;
  #retired = false;

  constructor(session: ClientHttp2Session, options: Http2Options) {
    this.#session = session;
    this.#options = options;
    this.#pings = setInterval(() => this.#ping(), options.pingInterval);
    this.#pings.unref();
    session.on('goaway', () => {
      this.#retired = true;
    });
    session.once('close', () => {
      clearInterval(this.#pings);
      clearTimeout(this.#idle);
    });
    this.#restIfIdle();
  }

  get streams(): number {
    return this.#streams;
  }

  /** Streams that may be open together, by the server's present SETTINGS. */
  get capacity(): number {
    const { maxConcurrentStreams = Number.POSITIVE_INFINITY } = this.#session.remoteSettings;
    return maxConcurrentStreams === 0 ? 0 : Math.max(1, maxConcurrentStreams - STREAM_RESERVE);
  }

  get hasRoom(): boolean {
    return !this.#retired && !this.#session.closed && !this.#session.destroyed && this.#streams < this.capacity;
  }

  open(name: string, request: UpstreamRequest, delivery: Delivery, authority: string): UpstreamCall {
    this.#streams++;
    clearTimeout(this.#idle);
    return new Http2Call(name, this.#session, request, delivery, authority, () => {
      this.#streams--;
      this.#restIfIdle();
    });
  }

  onClose(listener: () => void): void {
    this.#session.once('close', listener);
  }

  /** Takes no new streams; closes when the present ones have ended. */
  retire(): void {
    this.#retired = true;
    this.#session.close();
  }

  destroy(error: Error): void {
    this.#session.destroy(error);
  }

  #restIfIdle(): void {
    if (this.#streams > 0 || this.#session.destroyed) return;
    this.#idle = setTimeout(() => this.retire(), this.#options.idleTimeout);
    this.#idle.unref();
  }

  /** A peer that vanished without a word would leave its watches open and silent for ever. */
  #ping(): void {
    if (this.#session.destroyed) return;
    const { pingTimeout } = this.#options;
    const overdue = setTimeout(
      () => this.#session.destroy(new Error(`no answer to a PING within ${pingTimeout} ms`)),
      pingTimeout,
    );
    overdue.unref();
    this.#session.ping(() => clearTimeout(overdue));
  }
}

/** Resolves to a session whose SETTINGS have arrived, or to what the server speaks instead. */
export function connectHttp2(endpoint: Endpoint, options: Http2Options): Promise<Http2Session | 'http/1.1'> {
  return new Promise((resolve, reject) => {
    const socket = dial(endpoint);
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      socket.off('error', fail).off('close', closed);
      outcome();
    };
    const fail = (error: Error): void => {
      settle(() => reject(error));
      // The first error is reported; that the socket may have more to say about its end is of no use.
      socket.on('error', () => undefined).destroy();
    };
    const closed = (): void => fail(Object.assign(new Error('closed while connecting'), { code: 'ECONNRESET' }));
    const timer = setTimeout(() => {
      fail(Object.assign(new Error(`no connection within ${options.connectTimeout} ms`), { code: 'ETIMEDOUT' }));
    }, options.connectTimeout);

    socket.on('error', fail).on('close', closed);
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol !== 'h2') {
        settle(() => resolve('http/1.1'));
        socket.on('error', () => undefined).destroy();
        return;
      }
      const session = connect(endpoint.origin, {
        createConnection: () => socket,
        settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
        // Megabytes. Above the default of 10, node refuses streams; a session's windows may hold more than twice that.
        maxSessionMemory: 128,
      });
      session.on('error', fail);
      session.once('remoteSettings', () => {
        session.setLocalWindowSize(SESSION_WINDOW);
        // From here on every stream of the session gets the error, and reports it.
        session.off('error', fail).on('error', () => undefined);
        settle(() => resolve(new Http2Session(session, options)));
      });
    });
  });
}

function dial({ host, port, tls, lookup }: Endpoint): TLSSocket {
  if (!tls) throw new TypeError('HTTP/2 needs TLS');
  const servername = tls.servername ?? (isIP(host) ? undefined : host);
  return connectTls({
    host,
    port,
    secureContext: tls.context,
    ...(lookup && { lookup }),
    ...(servername && { servername }),
    ALPNProtocols: ['h2', 'http/1.1'],
    rejectUnauthorized: true,
  });
}
