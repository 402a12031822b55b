import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from './endpoint.ts';
import { busyError, closedError, upstreamError } from './failure.ts';
import { UpstreamError } from './upstream.ts';

export interface DialOptions {
  /** Milliseconds until the connection, TLS included, has to stand. */
  readonly connectTimeout: number;
  /** Connections at most, those being made included; one more is `busy`. */
  readonly connections: number;
}

/**
 * Connections to one server that carry one request each and are never used again: for what leaves HTTP. They speak HTTP/1.1 only, since
 * neither WebSocket nor SPDY can be asked for in HTTP/2 here.
 */
export class Dialler {
  readonly #name: string;
  readonly #options: DialOptions;
  readonly #sockets = new Set<Socket>();
  #endpoint: Endpoint;
  #closed = false;

  constructor(name: string, endpoint: Endpoint, options: DialOptions) {
    this.#name = name;
    this.#endpoint = endpoint;
    this.#options = options;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Resolves with a connection that is verified where it is TLS, and on which nothing was sent. Rejects with an `UpstreamError`. */
  dial(signal: AbortSignal): Promise<Socket> {
    if (this.#closed) return Promise.reject(closedError(this.#name));
    if (this.#sockets.size >= this.#options.connections) return Promise.reject(busyError(this.#name));
    const socket = connect(this.#endpoint);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // For as long as it lives: an error that nobody listens to would end the process.
    socket.on('error', () => socket.destroy());
    return this.#established(socket, signal);
  }

  /** New connections go to `endpoint`; what runs over the old ones goes on. */
  redirectTo(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
  }

  /** Cuts all connections. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy(closedError(this.#name));
  }

  #established(socket: Socket, signal: AbortSignal): Promise<Socket> {
    const name = this.#name;
    const { connectTimeout } = this.#options;
    return new Promise((resolve, reject) => {
      const settled = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        socket.off('error', fail).off('close', lost);
      };
      const fail = (cause: unknown): void => {
        settled();
        this.#sockets.delete(socket);
        socket.destroy();
        reject(upstreamError(name, cause, false));
      };
      const lost = (): void => fail(new UpstreamError('unreachable', `${name} closed the connection while it was made`));
      const abort = (): void => fail(new UpstreamError('unreachable', `${name} is not needed any more`));
      const late = (): void => fail(new UpstreamError('unreachable', `${name} cannot be reached: no connection in time`));
      const timer = setTimeout(late, connectTimeout);
      socket.once('error', fail).once('close', lost);
      // With TLS not before the certificate is verified: Node destroys the socket instead where it is not the one it should be.
      socket.once(this.#endpoint.tls ? 'secureConnect' : 'connect', () => {
        settled();
        resolve(socket);
      });
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
    });
  }
}

/** A peer that dies silently is found by the kernel: a tunnel may be silent for hours. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelay: 30_000, noDelay: true };

function connect({ host, port, socketPath, tls, lookup }: Endpoint): Socket {
  if (socketPath !== undefined) return connectPlain({ path: socketPath });
  const address = { host, port, ...(lookup && { lookup }) };
  if (tls === undefined) return connectPlain({ ...address, ...KEEP_ALIVE });
  // Unlike the HTTP modules, this one sends no name by itself.
  const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined);
  const socket = connectTls({
    ...address,
    secureContext: tls.context,
    ...(servername !== undefined && { servername }),
    ALPNProtocols: ['http/1.1'],
    // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 cannot switch verification off.
    rejectUnauthorized: true,
  });
  return socket.setKeepAlive(true, KEEP_ALIVE.keepAliveInitialDelay).setNoDelay(true);
}
