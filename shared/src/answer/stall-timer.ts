import { RequestBody } from '../listener/body.ts';
import type { Exchange } from '../listener/exchange.ts';

/**
 * Watches over a client that is to send or to read, and does not: it holds a connection to the shard that others wait for, and a few dozen
 * such clients would stop everybody. Progress of any size counts.
 */
export class StallTimer {
  readonly #exchange: Exchange;
  readonly #timer: NodeJS.Timeout;
  #blocked = false;
  #seen: number | undefined;

  /** `onStall` is called once, after `timeout` to twice as many milliseconds without progress. */
  constructor(exchange: Exchange, timeout: number, onStall: () => void) {
    this.#exchange = exchange;
    this.#timer = setInterval(() => {
      const progress = this.#waitsForClient() ? this.#progress() : undefined;
      if (progress !== undefined && progress === this.#seen) {
        this.stop();
        onStall();
      }
      this.#seen = progress;
    }, timeout);
    this.#timer.unref();
  }

  /** The client does not read as fast as we write. */
  blocked(): void {
    this.#blocked = true;
  }

  drained(): void {
    this.#blocked = false;
  }

  stop(): void {
    clearInterval(this.#timer);
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
