import type { IncomingHttpHeaders } from 'node:http';
import { type Dispatcher, Pool } from 'undici';
import { FRAMES_PROTOCOL } from '../frames/frame.ts';
import type { RawHeaders } from '../listener/headers.ts';
import { Delivery } from './delivery.ts';
import type { Endpoint } from './endpoint.ts';
import { busyError, closedError, upstreamError } from './failure.ts';
import { FrameClient } from './frame-client.ts';
import type { Flow, FramedAnswer } from './frame-connection.ts';
import { endToEndResponseHeaders, listOfHeaders } from './hop-by-hop.ts';
import { sendableBody } from './request-body.ts';
import type { UpstreamCall, UpstreamHandler, UpstreamRequest } from './upstream.ts';

export interface Http1PoolOptions {
  /** Connections at most, which is also the number of requests in flight; null: a connection for each. */
  readonly connections: number | null;
  /** Requests that may wait for a connection; one more is `busy`. */
  readonly waiting: number;
  /** Milliseconds a request may wait before it is `busy`. */
  readonly waitTimeout: number;
  readonly connectTimeout: number;
  /** Milliseconds until the response's head, and between two pieces of its body; 0: for ever. */
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
  /** Milliseconds an idle connection is kept; a server's `keep-alive` hint shortens it. */
  readonly keepAliveTimeout: number;
}

/**
 * Keep-alive HTTP/1.1 connections to one server, one request on each at a time. A service behind a Unix socket that offers frames gets
 * what has no body in these. The queue is ours, not undici's: a request that waits
 * can be dropped without a trace, and the queue has an end.
 */
export class Http1Pool {
  readonly #name: string;
  readonly #options: Http1PoolOptions;
  readonly #retired = new Set<Pool>();
  readonly #waiting = new Set<Http1Call>();
  readonly #owner: Owner = {
    left: waiting => this.#waiting.delete(waiting),
    framesOffered: () => this.#frames?.offered(),
    settled: () => {
      this.#active--;
      this.#next();
    },
  };
  #pool: Pool;
  readonly #frames: FrameClient | undefined;
  #active = 0;
  #closed = false;

  constructor(name: string, endpoint: Endpoint, options: Http1PoolOptions) {
    this.#name = name;
    this.#options = options;
    this.#pool = this.#connect(endpoint);
    const { socketPath } = endpoint;
    if (socketPath !== undefined) this.#frames = new FrameClient(name, { ...options, socketPath });
  }

  get connections(): number {
    let connected = this.#pool.stats.connected + (this.#frames?.connections ?? 0);
    for (const pool of this.#retired) connected += pool.stats.connected;
    return connected;
  }

  get inFlight(): number {
    return this.#active + this.#waiting.size;
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const delivery = new Delivery(handler);
    const call = new Http1Call(this.#name, request, delivery, this.#owner);
    if (this.#closed) call.refuse(closedError(this.#name));
    else if (this.#options.connections === null || this.#active < this.#options.connections) this.#start(call);
    else if (this.#waiting.size >= this.#options.waiting) call.refuse(busyError(this.#name));
    else {
      this.#waiting.add(call);
      call.waitAtMost(this.#options.waitTimeout, () => busyError(this.#name));
    }
    return call;
  }

  /** New connections go to `endpoint`; requests in flight finish on the old ones, which are closed then. */
  redirectTo(endpoint: Endpoint): void {
    const old = this.#pool;
    this.#pool = this.#connect(endpoint);
    this.#retired.add(old);
    void old.close().finally(() => this.#retired.delete(old));
  }

  /** Closes all connections; what is in flight fails. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const call of [...this.#waiting]) call.refuse(closedError(this.#name));
    this.#frames?.close(closedError(this.#name));
    const pools = [this.#pool, ...this.#retired];
    await Promise.all(pools.map(pool => pool.destroy(closedError(this.#name))));
  }

  #next(): void {
    for (const call of this.#waiting) {
      this.#waiting.delete(call);
      this.#start(call);
      return;
    }
  }

  #start(call: Http1Call): void {
    this.#active++;
    call.start(this.#pool, this.#frames);
  }

  #connect(endpoint: Endpoint): Pool {
    const { connections, connectTimeout, headersTimeout, bodyTimeout, keepAliveTimeout } = this.#options;
    return new Pool(endpoint.origin, {
      connections,
      headersTimeout,
      bodyTimeout,
      keepAliveTimeout,
      maxHeaderSize: 64 * 1024,
      allowH2: false,
      ...(endpoint.socketPath && { socketPath: endpoint.socketPath }),
      connect: {
        timeout: connectTimeout,
        // A dead peer is noticed on an idle watch too.
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
        ...(endpoint.lookup && { lookup: endpoint.lookup }),
        ...(endpoint.tls && {
          secureContext: endpoint.tls.context,
          ...(endpoint.tls.servername && { servername: endpoint.tls.servername }),
          // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 cannot switch verification off.
          rejectUnauthorized: true,
        }),
      },
    });
  }
}

/** The pool, as its calls see it. */
interface Owner {
  /** The call is in the queue no more. */
  left(call: Http1Call): void;
  /** The call has been started and needs no connection any more. */
  settled(): void;
  /** An answer says that the server takes frames. */
  framesOffered(): void;
}

class Http1Call implements UpstreamCall, Dispatcher.DispatchHandler, FramedAnswer {
  readonly #name: string;
  readonly #request: UpstreamRequest;
  readonly #body: ReturnType<typeof sendableBody>;
  readonly #delivery: Delivery;
  readonly #owner: Owner;
  #waiting: NodeJS.Timeout | undefined;
  #started = false;
  #settled = false;
  #controller: Flow | undefined;

  constructor(name: string, request: UpstreamRequest, delivery: Delivery, owner: Owner) {
    this.#name = name;
    this.#request = request;
    this.#delivery = delivery;
    this.#owner = owner;
    this.#body = sendableBody(request.body, request.contentLength);
  }

  start(pool: Pool, frames: FrameClient | undefined): void {
    clearTimeout(this.#waiting);
    this.#started = true;
    const { method, path, headers, contentLength } = this.#request;
    if (this.#body === null && frames?.isOpen) {
      this.#sendInFrame(frames);
      return;
    }
    // A streamed body is framed by its length or else chunked, for every method: a DELETE's as a PUT's.
    const framed = this.#body !== null && !(this.#body instanceof Uint8Array) && contentLength !== undefined;
    pool.dispatch(
      {
        method,
        path,
        headers: framed ? [...headers, 'content-length', String(contentLength)] : (headers as string[]),
        body: this.#body,
      },
      this,
    );
  }

  #sendInFrame(frames: FrameClient): void {
    const { method, path, headers } = this.#request;
    try {
      this.#controller = frames.dispatch(method, path, headers, this);
    } catch (error) {
      // It cannot be written, and nothing was.
      this.#delivery.fail(upstreamError(this.#name, error, false));
      queueMicrotask(() => this.#settle());
    }
  }

  waitAtMost(milliseconds: number, error: () => ReturnType<typeof busyError>): void {
    this.#waiting = setTimeout(() => this.refuse(error()), milliseconds);
    this.#waiting.unref();
  }

  /** Fails a call that has not been started. */
  refuse(error: ReturnType<typeof busyError>): void {
    this.#leaveQueue();
    this.#discardBody();
    this.#delivery.fail(error);
  }

  resume(): void {
    // Not at once: undici's parser is shared and must not be entered from within another response's callback.
    queueMicrotask(() => this.#controller?.resume());
  }

  abort(): void {
    const over = this.#delivery.over;
    this.#delivery.drop();
    if (over) return;
    if (!this.#started) this.#leaveQueue();
    this.#controller?.abort(new Error('the call was aborted'));
    this.#discardBody();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#delivery.over) controller.abort(new Error('the call was aborted before it was sent'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (headers.upgrade === FRAMES_PROTOCOL) this.#owner.framesOffered();
    if (status >= 200) {
      this.#delivery.head(status, endToEndResponseHeaders(listOfHeaders(headers)));
    } else if (status === 101) {
      controller.abort(new Error('the server switched protocols, unasked'));
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#delivery.data(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#delivery.end();
    this.#settle();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#delivery.fail(upstreamError(this.#name, error, this.#controller !== undefined));
    this.#discardBody();
    this.#settle();
  }

  onHead(status: number, headers: RawHeaders): void {
    this.#delivery.head(status, endToEndResponseHeaders(headers));
  }

  onData(flow: Flow, piece: Buffer): void {
    if (!this.#delivery.data(piece)) flow.pause();
  }

  onEnd(): void {
    this.onResponseEnd();
  }

  onFailure(error: Error): void {
    this.#delivery.fail(upstreamError(this.#name, error, true));
    this.#settle();
  }

  #leaveQueue(): void {
    clearTimeout(this.#waiting);
    this.#owner.left(this);
  }

  #discardBody(): void {
    if (this.#body !== null && !(this.#body instanceof Uint8Array)) this.#body.destroy();
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#owner.settled();
  }
}
