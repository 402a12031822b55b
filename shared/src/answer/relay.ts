import { Readable } from 'node:stream';
import { gatewayTimeout, internalError, StatusError, serviceUnavailable } from '../kube/errors.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue, type RawHeaders, withoutHeaders } from '../listener/headers.ts';
import {
  type Upstream,
  type UpstreamCall,
  UpstreamError,
  type UpstreamHandler,
  type UpstreamRequest,
} from '../upstream/upstream.ts';
import { forwardedResponseHeaders } from './forwarded-headers.ts';
import { sendStatus } from './send.ts';
import { StallTimer } from './stall-timer.ts';
import { credentialsRefused, redirected, statusOf } from './upstream-failures.ts';

export { sendStatus, sendText } from './send.ts';
export { credentialsRefused, statusOf } from './upstream-failures.ts';

export interface RelayOptions {
  /** Sees the upstream's head and returns the headers that the client gets; default: all of them. */
  readonly head?: (status: number, headers: RawHeaders) => RawHeaders;
  /** Sees each piece of the body and returns what the client gets in its place; what it throws cuts the response. */
  readonly body?: (chunk: Uint8Array) => Uint8Array | string;
  /** Calls `end` when the client's access ends, which ends a stream cleanly; returns how to stop listening. */
  readonly until?: (end: (reason: string, expired?: 'expired') => void) => () => void;
  /** The last words of a stream that has expired, of which all pieces that `body` returns are whole. */
  readonly expired?: (reason: string) => string;
  /** False: a GET or HEAD of which nothing was sent is not sent once more. */
  readonly retry?: boolean;
  /** Milliseconds without progress after which a client that reads or sends nothing loses its request; a stream may stand still. */
  readonly stallTimeout?: number;
  /**
   * `throw`: when no server could be reached and the request, its body included, can be sent elsewhere, the promise rejects with the
   * `UpstreamError` and the exchange is untouched.
   */
  readonly unsent?: 'throw';
  /** Sees an error (400 or more) before the client does. True: the promise resolves with `declined`, and the exchange is untouched. */
  readonly decline?: (status: number, body: string) => boolean;
}

export interface RelayOutcome {
  readonly end: /** The client has the upstream's whole answer. */
    | 'complete'
    /** The client was told why there is no answer: `error`. */
    | 'refused'
    /** The response was cut, since the upstream did not finish it: `error`. */
    | 'cut'
    /** `until` ended it: `reason`. */
    | 'access-ended'
    | 'client-left'
    /** `decline` took it. */
    | 'declined';
  /** The status the upstream answered with; 0: it did not. */
  readonly upstreamStatus: number;
  readonly error?: UpstreamError | StatusError;
  readonly reason?: string;
}

/**
 * Streams an upstream's answer to the client as it comes, each side at the pace of the other, and ends each side when the other ends.
 * Resolves when the exchange is closed.
 */
export function relay(
  exchange: Exchange,
  upstream: Upstream,
  request: UpstreamRequest,
  options: RelayOptions = {},
): Promise<RelayOutcome> {
  return new Promise((resolve, reject) => {
    new Relay(exchange, upstream, request, options, { resolve, reject }).start();
  });
}

const STALL_TIMEOUT_MS = 60_000;

interface Settle {
  resolve(outcome: RelayOutcome): void;
  reject(error: UpstreamError): void;
}

class Relay implements UpstreamHandler {
  readonly #exchange: Exchange;
  readonly #upstream: Upstream;
  readonly #request: UpstreamRequest;
  readonly #options: RelayOptions;
  readonly #settle: Settle;
  #call: UpstreamCall | undefined;
  #stopListening: (() => void) | undefined;
  #attempts = 0;
  #stall: StallTimer | undefined;
  #listensToDrain = false;
  #upstreamStatus = 0;
  /** Bytes that the head promised, where it did. */
  #promised: number | undefined;
  #received = 0;
  #mapBody: RelayOptions['body'];
  /** An error that `decline` is to see when it is complete. */
  #held: { readonly headers: RawHeaders; readonly chunks: Uint8Array[] } | undefined;
  #outcome: Omit<RelayOutcome, 'upstreamStatus'> | undefined;

  constructor(exchange: Exchange, upstream: Upstream, request: UpstreamRequest, options: RelayOptions, settle: Settle) {
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#request = request;
    this.#options = options;
    this.#settle = settle;
  }

  start(): void {
    this.#exchange.onClose(complete => this.#closed(complete));
    if (this.#outcome) return;
    if (this.#exchange.body !== null) this.#watchForStalls();
    this.#stopListening = this.#options.until?.((reason, expired) => this.#accessEnded(reason, expired !== undefined));
    // `until` may have ended it already.
    if (this.#outcome) this.#stopListening?.();
    else this.#send();
  }

  onHead(status: number, headers: RawHeaders): void {
    this.#upstreamStatus = status;
    if (status >= 300 && status < 400 && headerValue(headers, 'location') !== undefined) {
      this.#refuse(redirected(this.#upstream));
      return;
    }
    if (status === 401) {
      this.#refuse(credentialsRefused(this.#upstream));
      return;
    }
    if (status >= 400 && this.#options.decline) this.#held = { headers, chunks: [] };
    else this.#begin(status, headers);
  }

  #begin(status: number, headers: RawHeaders): void {
    const forwarded = forwardedResponseHeaders(headers);
    this.#promised = promisedLength(this.#request.method, status, forwarded);
    const shown = this.#options.head?.(status, forwarded) ?? forwarded;
    this.#mapBody = status === 200 ? this.#options.body : undefined;
    this.#exchange.writeHead(status, this.#mapBody ? withoutHeaders(shown, name => name === 'content-length') : shown);
  }

  onData(chunk: Uint8Array): boolean {
    if (this.#outcome) return true;
    if (this.#held) {
      this.#held.chunks.push(chunk);
      return true;
    }
    this.#received += chunk.length;
    if (this.#promised !== undefined && this.#received > this.#promised) {
      this.#cut(new UpstreamError('reset', `${this.#upstream.name} sent more than its content-length`));
      return true;
    }
    if (!this.#mapBody) return this.#written(this.#exchange.write(chunk));
    try {
      const mapped = this.#mapBody(chunk);
      return mapped.length === 0 || this.#written(this.#exchange.write(mapped));
    } catch (error) {
      this.#cut(error instanceof StatusError ? error : internalError('the answer could not be transformed', error));
      return true;
    }
  }

  onEnd(): void {
    if (this.#outcome || this.#declined()) return;
    if (this.#promised !== undefined && this.#received < this.#promised) {
      this.#cut(new UpstreamError('reset', `${this.#upstream.name} sent less than its content-length`));
      return;
    }
    this.#outcome = { end: 'complete' };
    this.#exchange.end();
  }

  onError(error: UpstreamError): void {
    if (this.#outcome) return;
    if (this.#exchange.status !== 0) this.#cut(error);
    else if (this.#sendAgain(error)) this.#send();
    else if (this.#options.unsent === 'throw' && this.#sendableElsewhere(error)) this.#giveBack(error);
    else this.#refuse(statusOf(error, this.#upstream), error);
  }

  #send(): void {
    this.#attempts++;
    this.#call = this.#upstream.dispatch(this.#request, this);
  }

  /** Once, and only what is safe to repeat and provably was not sent: a connection that closed as we reached for it. */
  #sendAgain({ nothingSent, failure }: UpstreamError): boolean {
    const { method, body } = this.#request;
    const repeatable = body === null && (method === 'GET' || method === 'HEAD');
    const transient = nothingSent && (failure === 'unreachable' || failure === 'reset');
    const allowed = this.#options.retry !== false && this.#options.unsent !== 'throw';
    return allowed && repeatable && transient && this.#attempts === 1;
  }

  #sendableElsewhere({ nothingSent, failure }: UpstreamError): boolean {
    const { body } = this.#request;
    const unread = !(body instanceof Readable) || !(body.readableDidRead || body.destroyed);
    return unread && nothingSent && (failure === 'unreachable' || failure === 'reset');
  }

  #giveBack(error: UpstreamError): void {
    this.#letGo({ end: 'refused', error });
    this.#settle.reject(error);
  }

  /** The exchange is its owner's again. */
  #letGo(outcome: Omit<RelayOutcome, 'upstreamStatus'>): void {
    this.#stall?.stop();
    this.#outcome = outcome;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  /** False: what was held back is the client's. */
  #declined(): boolean {
    if (!this.#held) return false;
    const { headers, chunks } = this.#held;
    this.#held = undefined;
    if (this.#options.decline?.(this.#upstreamStatus, Buffer.concat(chunks).toString())) {
      this.#letGo({ end: 'declined' });
      this.#settle.resolve({ end: 'declined', upstreamStatus: this.#upstreamStatus });
      return true;
    }
    this.#begin(this.#upstreamStatus, headers);
    for (const chunk of chunks) this.onData(chunk);
    return this.#outcome !== undefined;
  }

  #refuse(status: StatusError, error: UpstreamError | StatusError = status): void {
    this.#outcome = { end: 'refused', error };
    this.#call?.abort();
    sendStatus(this.#exchange, status);
  }

  /** What has begun and cannot be finished must not look complete. */
  #cut(error: UpstreamError | StatusError): void {
    this.#outcome = { end: 'cut', error };
    this.#call?.abort();
    this.#exchange.abort();
  }

  #accessEnded(reason: string, expired: boolean): void {
    if (this.#outcome) return;
    this.#outcome = { end: 'access-ended', reason };
    this.#call?.abort();
    // Nothing has been said yet: asked again, the client gets the answer that is right by then.
    if (this.#exchange.status === 0) sendStatus(this.#exchange, serviceUnavailable(reason));
    else if (this.#promised !== undefined && this.#received < this.#promised) this.#exchange.abort();
    // A watch frames its events, so that one cut in two is not taken for a whole one.
    else this.#exchange.end(expired && this.#mapBody ? this.#options.expired?.(reason) : undefined);
  }

  #written(mayGoOn: boolean): boolean {
    if (!mayGoOn) this.#blocked();
    return mayGoOn;
  }

  /** The client reads slower than the upstream sends. Most answers come in one piece, and need nothing of this. */
  #blocked(): void {
    this.#watchForStalls();
    this.#stall?.blocked();
    if (this.#listensToDrain) return;
    this.#listensToDrain = true;
    this.#exchange.onDrain(() => {
      this.#stall?.drained();
      this.#call?.resume();
    });
  }

  #watchForStalls(): void {
    if (this.#request.longRunning) return;
    this.#stall ??= new StallTimer(this.#exchange, this.#options.stallTimeout ?? STALL_TIMEOUT_MS, () => this.#stalled());
  }

  /** Its place among the connections to the upstream is needed by others. */
  #stalled(): void {
    if (this.#outcome) return;
    if (this.#exchange.status === 0) this.#refuse(gatewayTimeout('the request body did not come in time'));
    else this.#cut(gatewayTimeout('the client does not read its answer'));
  }

  #closed(complete: boolean): void {
    this.#stall?.stop();
    if (!this.#outcome || (this.#outcome.end === 'complete' && !complete)) this.#outcome = { end: 'client-left' };
    this.#call?.abort();
    this.#stopListening?.();
    this.#settle.resolve({ ...this.#outcome, upstreamStatus: this.#upstreamStatus });
  }
}

/** The body's length as the head gives it; undefined where it gives none, or where no body follows whatever it says. */
function promisedLength(method: string, status: number, headers: RawHeaders): number | undefined {
  if (method === 'HEAD' || status === 204 || status === 304) return undefined;
  const value = headerValue(headers, 'content-length');
  return value === undefined ? undefined : Number(value);
}
