import { RequestBody } from '../listener/body.ts';
import type { Exchange } from '../listener/exchange.ts';

/**
 * Watches over a client that is to send or to read, and does not: it holds a connection to the shard that others wait for, and a few dozen
 * such clients would stop everybody. Progress of any size counts.
 */
export class StallTimer {
  readonly #exchange: Exchange;
  readonly #timeout: number;
  readonly #onStall: () => void;
  #timer: NodeJS.Timeout | undefined;
  #blocked = false;
  #seen: number | undefined;
  #stopped = false;

  /** `onStall` is called once, after `timeout` to twice as many milliseconds without progress. */
  constructor(exchange: Exchange, timeout: number, onStall: () => void) {
    this.#exchange = exchange;
    this.#timeout = timeout;
    this.#onStall = onStall;
    if (exchange.body !== null) this.#watch();
  }

  /** The client does not read as fast as we write. */
  blocked(): void {
    this.#blocked = true;
    this.#watch();
  }

  drained(): void {
    this.#blocked = false;
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Most requests send nothing and are read at once: they need no timer. */
  #watch(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = setInterval(() => {
      const progress = this.#waitsForClient() ? this.#progress() : undefined;
      if (progress !== undefined && progress === this.#seen) {
        this.stop();
        this.#onStall();
      }
      this.#seen = progress;
    }, this.#timeout);
    this.#timer.unref();
  }

  #waitsForClient(): boolean {
    const { body } = this.#exchange;
    return this.#blocked || (body !== null && !body.readableEnded && !body.destroyed);
  }

  #progress(): number {
    const { body, bytesWritten } = this.#exchange;
    return bytesWritten + (body instanceof RequestBody ? body.received : 0);
  }
}
