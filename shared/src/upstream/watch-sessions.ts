import { Readable } from 'node:stream';
import { Delivery } from './delivery.ts';
import type { Endpoint } from './endpoint.ts';
import { busyError, closedError, upstreamError } from './failure.ts';
import { Http1Pool, type Http1PoolOptions } from './http1-pool.ts';
import { connectHttp2, type Http2Options, type Http2Session } from './http2-session.ts';
import { shieldedBody } from './request-body.ts';
import type { UpstreamCall, UpstreamError, UpstreamHandler, UpstreamRequest } from './upstream.ts';

export interface WatchSessionsOptions extends Http2Options {
  /** Streams at most, over all sessions; one more is `busy`. */
  readonly streams: number;
}

/** Handshakes at a time: many watches that come at once must not become a storm of connections. */
const MAX_CONNECTING = 16;

/**
 * Requests without end, on HTTP/2 sessions of their own. A session is never filled: where it has no room another one is opened, so a
 * request waits for a connection to be made and never for another request to end. A server without HTTP/2 gets a connection for each.
 */
export class WatchSessions {
  readonly #name: string;
  readonly #options: WatchSessionsOptions;
  readonly #sessions = new Set<Http2Session>();
  /** Wait for a session that is being connected. */
  readonly #waiting = new Set<WatchCall>();
  #endpoint: Endpoint;
  #http1: Http1Pool | undefined;
  #connecting = 0;
  /** Streams a session takes, as the last one said. */
  #room = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(name: string, endpoint: Endpoint, options: WatchSessionsOptions) {
    this.#name = name;
    this.#endpoint = endpoint;
    this.#options = options;
    if (!endpoint.tls) this.#http1 = this.#openHttp1();
  }

  get sessions(): number {
    return this.#sessions.size + (this.#http1?.connections ?? 0);
  }

  get streams(): number {
    let streams = this.#waiting.size + (this.#http1?.inFlight ?? 0);
    for (const session of this.#sessions) streams += session.streams;
    return streams;
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const call = new WatchCall(request, handler, waiting => this.#waiting.delete(waiting));
    if (this.#closed) call.fail(closedError(this.#name));
    else if (this.streams >= this.#options.streams) call.fail(busyError(this.#name));
    else {
      this.#forgetIdleHttp1();
      this.#waiting.add(call);
      this.#place();
    }
    return call;
  }

  /** New sessions go to `endpoint`; the present ones take no new streams and close after their last. */
  redirectTo(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
    this.#http1?.redirectTo(endpoint);
    for (const session of this.#sessions) session.retire();
  }

  /** Closes all sessions; their streams fail. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#failWaiting(closedError(this.#name));
    const closing = [...this.#sessions].map(session => new Promise<void>(resolve => session.onClose(resolve)));
    for (const session of this.#sessions) session.destroy(closedError(this.#name));
    await Promise.all([...closing, this.#http1?.close()]);
  }

  /** Gives waiting calls to sessions with room, and opens as many sessions as the rest will need. */
  #place(): void {
    for (const call of this.#waiting) {
      const open = this.#findRoom();
      if (!open) break;
      this.#waiting.delete(call);
      call.begin(open);
    }
    if (this.#waiting.size === 0) return;
    const needed = Math.ceil(this.#waiting.size / this.#room);
    while (this.#connecting < Math.min(Math.max(1, needed), MAX_CONNECTING)) this.#connect();
  }

  #findRoom(): OpenStream | undefined {
    const http1 = this.#http1;
    if (http1) return (request, delivery) => http1.dispatch(request, handlerOf(delivery));
    for (const session of this.#sessions) {
      if (session.hasRoom) {
        return (request, delivery) => session.open(this.#name, request, delivery, this.#endpoint.authority);
      }
    }
    return undefined;
  }

  #connect(): void {
    const endpoint = this.#endpoint;
    this.#connecting++;
    connectHttp2(endpoint, this.#options).then(
      outcome => {
        this.#connecting--;
        if (this.#closed) {
          if (outcome !== 'http/1.1') outcome.destroy(closedError(this.#name));
          return;
        }
        if (outcome === 'http/1.1') this.#http1 ??= this.#openHttp1();
        else this.#adopt(outcome, endpoint);
        this.#place();
      },
      error => {
        this.#connecting--;
        // Others may still succeed, and then serve all that wait.
        if (this.#connecting === 0) this.#failWaiting(upstreamError(this.#name, error, false));
      },
    );
  }

  #adopt(session: Http2Session, endpoint: Endpoint): void {
    this.#sessions.add(session);
    session.onClose(() => this.#sessions.delete(session));
    // Connected with credentials that have been replaced meanwhile.
    if (endpoint !== this.#endpoint) session.retire();
    if (session.capacity === 0) {
      session.retire();
      this.#failWaiting(busyError(this.#name));
    } else this.#room = session.capacity;
  }

  #failWaiting(error: UpstreamError): void {
    for (const call of this.#waiting) call.fail(error);
    this.#waiting.clear();
  }

  /** A TLS server that had no HTTP/2 is asked again when it may have been replaced: once nothing is open any more. */
  #forgetIdleHttp1(): void {
    if (!this.#http1 || !this.#endpoint.tls || this.#http1.inFlight > 0) return;
    void this.#http1.close();
    this.#http1 = undefined;
  }

  #openHttp1(): Http1Pool {
    const options: Http1PoolOptions = {
      connections: null,
      waiting: 0,
      waitTimeout: 0,
      connectTimeout: this.#options.connectTimeout,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: this.#options.idleTimeout,
    };
    return new Http1Pool(this.#name, this.#endpoint, options);
  }
}

type OpenStream = (request: UpstreamRequest, delivery: Delivery) => UpstreamCall;

class WatchCall implements UpstreamCall {
  readonly #request: UpstreamRequest;
  readonly #delivery: Delivery;
  readonly #leave: (call: WatchCall) => void;
  #open: UpstreamCall | undefined;

  constructor(request: UpstreamRequest, handler: UpstreamHandler, leave: (call: WatchCall) => void) {
    // While the call waits, nobody else listens to the body's errors.
    this.#request = request.body instanceof Readable ? { ...request, body: shieldedBody(request.body) } : request;
    this.#delivery = new Delivery(handler);
    this.#leave = leave;
  }

  begin(open: OpenStream): void {
    this.#open = open(this.#request, this.#delivery);
  }

  fail(error: UpstreamError): void {
    this.#delivery.fail(error);
  }

  resume(): void {
    this.#open?.resume();
  }

  abort(): void {
    this.#leave(this);
    this.#open?.abort();
    this.#delivery.drop();
  }
}

const handlerOf = (delivery: Delivery): UpstreamHandler => ({
  onHead: (status, headers) => delivery.head(status, headers),
  onData: chunk => delivery.data(chunk),
  onEnd: () => delivery.end(),
  onError: error => delivery.fail(error),
});
