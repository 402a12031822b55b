import type { RawHeaders } from '../listener/headers.ts';
import type { UpstreamError, UpstreamHandler } from './upstream.ts';

/**
 * Keeps the promises made to an `UpstreamHandler` whatever a transport does: one `onEnd` or `onError`, nothing after it, nothing after
 * an abort, and no outcome before `dispatch` has returned.
 */
export class Delivery {
  readonly #handler: UpstreamHandler;
  /** There was a head, so that `dispatch` has returned. */
  #begun = false;
  #over = false;
  #dropped = false;

  constructor(handler: UpstreamHandler) {
    this.#handler = handler;
  }

  /** Nothing more will be delivered. */
  get over(): boolean {
    return this.#over;
  }

  head(status: number, headers: RawHeaders): void {
    if (this.#over) return;
    this.#begun = true;
    this.#handler.onHead(status, headers);
  }

  data(chunk: Uint8Array): boolean {
    return this.#over || this.#handler.onData(chunk);
  }

  /** At once where it can: the last piece and the end are one write then. */
  end(): void {
    if (this.#over) return;
    if (!this.#begun) {
      this.#finish(() => this.#handler.onEnd());
      return;
    }
    this.#over = true;
    this.#handler.onEnd();
  }

  fail(error: UpstreamError): void {
    this.#finish(() => this.#handler.onError(error));
  }

  drop(): void {
    this.#over = true;
    this.#dropped = true;
  }

  #finish(outcome: () => void): void {
    if (this.#over) return;
    this.#over = true;
    queueMicrotask(() => {
      if (!this.#dropped) outcome();
    });
  }
}
