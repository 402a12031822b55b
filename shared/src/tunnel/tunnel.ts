import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { RelayOptions, RelayOutcome } from '../answer/relay.ts';
import { sendStatus } from '../answer/send.ts';
import { statusOf } from '../answer/upstream-failures.ts';
import { badRequest, gatewayTimeout, internalError, type StatusError, serviceUnavailable } from '../kube/errors.ts';
import type { Exchange, Upgrade } from '../listener/exchange.ts';
import type { RawHeaders } from '../listener/headers.ts';
import { upstreamError } from '../upstream/failure.ts';
import { endToEndResponseHeaders, upstreamRequestHeaders } from '../upstream/hop-by-hop.ts';
import { type Upstream, UpstreamError, type UpstreamRequest } from '../upstream/upstream.ts';
import { proxyUpgrade } from './proxied-upgrade.ts';
import { readRefusal, refusalOf } from './refusal.ts';
import { switchedHeaders, upgradeRequestHeaders } from './upgrade-headers.ts';

export interface TunnelOptions extends Pick<RelayOptions, 'head' | 'until' | 'unsent' | 'decline'> {
  /** Milliseconds until the backend has answered, completely if it refuses. */
  readonly answerTimeout?: number;
  /** Milliseconds that one side has to take what is left when the other has ended, and to end then itself. */
  readonly flushTimeout?: number;
  readonly lingerTimeout?: number;
}

/** As that of `relay`: `complete` when the tunnel was open and has ended. */
export type TunnelOutcome = RelayOutcome;

const ANSWER_TIMEOUT_MS = 60_000;
const FLUSH_TIMEOUT_MS = 10_000;
/** Of a client that goes, everything is gone within a second. */
const LINGER_MS = 500;

/**
 * Takes a request to upgrade to an upstream, and carries the bytes of both sides while both are there: what `relay` is for all other requests.
 * `request` has no body, and its headers are complete but for those of the upgrade. Resolves when the exchange is closed.
 */
export function tunnel(
  exchange: Exchange,
  upstream: Upstream,
  request: UpstreamRequest,
  options: TunnelOptions = {},
): Promise<TunnelOutcome> {
  const { upgrade } = exchange;
  if (upgrade === undefined) throw internalError('a request that does not ask for it cannot be upgraded');
  return new Promise((resolve, reject) => {
    new Tunnel({ exchange, upgrade, upstream, request, options }, { resolve, reject }).start();
  });
}

interface Parts {
  readonly exchange: Exchange;
  readonly upgrade: Upgrade;
  readonly upstream: Upstream;
  readonly request: UpstreamRequest;
  readonly options: TunnelOptions;
}

interface Settle {
  resolve(outcome: TunnelOutcome): void;
  reject(error: unknown): void;
}

class Tunnel {
  readonly #parts: Parts;
  readonly #settle: Settle;
  /** Aborted when the client does not wait any more. */
  readonly #unwanted = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  #backend: Socket | undefined;
  #stopListening: (() => void) | undefined;
  #upstreamStatus = 0;
  #isOpen = false;
  #outcome: Omit<TunnelOutcome, 'upstreamStatus'> | undefined;

  constructor(parts: Parts, settle: Settle) {
    this.#parts = parts;
    this.#settle = settle;
  }

  start(): void {
    const { exchange, options } = this.#parts;
    exchange.onClose(complete => this.#closed(complete));
    if (this.#outcome) return;
    this.#stopListening = options.until?.(reason => this.#accessEnded(reason));
    // `until` may have ended it already.
    if (this.#outcome) this.#stopListening?.();
    else void this.#connect();
  }

  async #connect(): Promise<void> {
    const { upstream } = this.#parts;
    if (upstream.dial === undefined) return this.#refuse(badRequest(`${upstream.name} takes no requests to upgrade`));
    try {
      const { socket, authority, bearerToken } = await upstream.dial(this.#unwanted.signal);
      this.#backend = socket;
      if (this.#outcome) socket.destroy();
      else this.#send(socket, authority, bearerToken);
    } catch (error) {
      if (error instanceof UpstreamError) this.#unreachable(error);
      else this.#fail(error);
    }
  }

  #send(backend: Socket, authority: string, bearerToken: string | undefined): void {
    const { exchange, upgrade, request, options } = this.#parts;
    backend.once('close', hadError => this.#backendClosed(hadError));
    this.#after(options.answerTimeout ?? ANSWER_TIMEOUT_MS, () => this.#late());
    const { protocol, connection } = upgrade;
    const headers = [
      ...['host', authority],
      ...upstreamRequestHeaders(request.headers, bearerToken),
      ...upgradeRequestHeaders(exchange, protocol),
    ];
    const { method, path } = request;
    proxyUpgrade(
      { backend, client: connection, method, path, headers },
      {
        onSwitched: response => this.#switched(response, backend),
        onAnswered: response => void this.#answered(response),
        onFailed: error => this.#broken(error),
      },
    );
  }

  /** Not yet carried are bytes of neither side when this is called, and after it they are. */
  #switched(response: IncomingMessage, backend: Socket): void {
    const { upgrade, upstream } = this.#parts;
    this.#upstreamStatus = 101;
    if (this.#outcome) return;
    const spoken = response.headers.upgrade ?? '';
    if (spoken.toLowerCase() !== upgrade.protocol.toLowerCase()) {
      this.#refuse(refusalOf(upstream, 101, upgrade.protocol));
      return;
    }
    this.#clearTimers();
    try {
      this.#open(endToEndResponseHeaders(response.rawHeaders));
    } catch (error) {
      this.#fail(error);
      return;
    }
    backend.once('end', () => this.#ending(upgrade.connection));
    upgrade.connection.once('end', () => this.#ending(backend));
  }

  #open(received: RawHeaders): void {
    const { exchange, upgrade, options } = this.#parts;
    const headers = options.head?.(101, received) ?? received;
    upgrade.switchProtocols(switchedHeaders(headers, upgrade.protocol));
    this.#isOpen = exchange.status === 101;
  }

  async #answered(response: IncomingMessage): Promise<void> {
    const { upgrade, upstream, options } = this.#parts;
    const status = response.statusCode ?? 0;
    this.#upstreamStatus = status;
    if (this.#outcome) return;
    // The library would write the answer as it comes, and leave the connection to the backend open.
    upgrade.connection.destroy();
    if (status < 400 || status === 401) return this.#refuse(refusalOf(upstream, status, upgrade.protocol));
    try {
      const { headers, body } = await readRefusal(response, upstream);
      if (this.#outcome) return;
      if (options.decline?.(status, body.toString())) this.#declined();
      else this.#relayRefusal(status, options.head?.(status, headers) ?? headers, body);
    } catch (error) {
      this.#fail(error);
    }
  }

  #relayRefusal(status: number, headers: RawHeaders, body: Buffer): void {
    this.#outcome = { end: 'refused' };
    this.#dropBackend();
    this.#parts.exchange.writeHead(status, headers);
    this.#parts.exchange.end(body);
  }

  #declined(): void {
    this.#letGo({ end: 'declined' });
    this.#settle.resolve({ end: 'declined', upstreamStatus: this.#upstreamStatus });
  }

  #unreachable(error: UpstreamError): void {
    if (this.#outcome) return;
    const { options, upstream } = this.#parts;
    const elsewhere = error.nothingSent && (error.failure === 'unreachable' || error.failure === 'reset');
    if (options.unsent !== 'throw' || !elsewhere) {
      this.#refuse(statusOf(error, upstream));
      return;
    }
    this.#letGo({ end: 'refused', error });
    this.#settle.reject(error);
  }

  /** Something is wrong with the connection to the backend, or with that to the client: both end. */
  #broken(cause: Error): void {
    const { exchange, upstream } = this.#parts;
    if (this.#outcome) return;
    const error = upstreamError(upstream.name, cause, true);
    if (this.#isOpen) {
      this.#outcome = { end: 'cut', error };
      this.#dropBackend();
      exchange.abort();
    } else if (!exchange.closed) this.#refuse(statusOf(error, upstream));
  }

  #backendClosed(hadError: boolean): void {
    if (this.#outcome) return;
    const { upgrade, upstream } = this.#parts;
    // The end of a tunnel comes to the client behind the bytes before it; a broken one is cut.
    if (this.#isOpen && !hadError) this.#ending(upgrade.connection);
    else this.#broken(new Error(`${upstream.name} closed the connection`));
  }

  /** One side has ended, which the library has told the other, `last`; neither waits for the other for ever. */
  #ending(last: { once(event: 'finish', listener: () => void): unknown; readonly writableFinished: boolean }): void {
    const { flushTimeout = FLUSH_TIMEOUT_MS, lingerTimeout = LINGER_MS } = this.#parts.options;
    const linger = (): void => this.#after(lingerTimeout, () => this.#end({ end: 'complete' }));
    if (last.writableFinished) linger();
    else {
      this.#after(flushTimeout, () => this.#end({ end: 'complete' }));
      last.once('finish', linger);
    }
  }

  #accessEnded(reason: string): void {
    if (this.#outcome) return;
    if (this.#isOpen) this.#end({ end: 'access-ended', reason });
    else this.#refuse(serviceUnavailable(reason), { end: 'access-ended', reason });
  }

  #late(): void {
    const { upstream } = this.#parts;
    this.#refuse(gatewayTimeout(`${upstream.name} did not answer in time`));
  }

  /** A bug of ours; its owner answers. */
  #fail(error: unknown): void {
    if (this.#outcome) return;
    // The library may have it, and would end the client's connection with the backend's.
    this.#parts.upgrade.connection.destroy();
    this.#letGo({ end: 'refused' });
    this.#settle.reject(error);
  }

  #refuse(status: StatusError, outcome: Omit<TunnelOutcome, 'upstreamStatus'> = { end: 'refused', error: status }): void {
    if (this.#outcome) return;
    this.#outcome = outcome;
    this.#dropBackend();
    sendStatus(this.#parts.exchange, status);
  }

  /** Both sides at once: what is between them belongs to a tunnel that is no more. */
  #end(outcome: Omit<TunnelOutcome, 'upstreamStatus'>): void {
    this.#outcome ??= outcome;
    this.#dropBackend();
    this.#parts.exchange.end();
  }

  /** The exchange is its owner's again. */
  #letGo(outcome: Omit<TunnelOutcome, 'upstreamStatus'>): void {
    this.#outcome = outcome;
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#dropBackend();
  }

  #dropBackend(): void {
    this.#clearTimers();
    this.#unwanted.abort();
    this.#backend?.destroy();
  }

  #closed(complete: boolean): void {
    this.#outcome ??= { end: this.#isOpen && complete ? 'complete' : 'client-left' };
    this.#dropBackend();
    this.#stopListening?.();
    this.#settle.resolve({ ...this.#outcome, upstreamStatus: this.#upstreamStatus });
  }

  #after(milliseconds: number, then: () => void): void {
    const timer = setTimeout(then, milliseconds);
    this.#timers.add(timer);
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
