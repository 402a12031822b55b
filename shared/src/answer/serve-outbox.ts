import type { Clock } from '../informer/clock.ts';
import type { Exchange } from '../listener/exchange.ts';

export interface OutboxLimits {
  /** Lines that may wait for a client that does not read; default 1,000. */
  readonly maxLines?: number;
  /** Characters of such lines; default 4 Mi. */
  readonly maxLength?: number;
}

/** Milliseconds that a client gets to read the end of a stream. */
const LINGER = 30_000;

/**
 * The lines on their way to one watcher. The initial ones are made as the client reads; those that happen meanwhile wait, within
 * limits. Every line is made in the order in which it is sent.
 */
export class Outbox {
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  readonly #initial: Iterator<string>;
  readonly #maxLines: number;
  readonly #maxLength: number;
  #waiting: string[] = [];
  #waitingLength = 0;
  #initialDone = false;
  #blocked = false;
  #ending = false;
  #ended = false;

  constructor(
    exchange: Exchange,
    clock: Clock,
    initial: Iterable<string>,
    { maxLines = 1000, maxLength = 4 * 1024 * 1024 }: OutboxLimits,
  ) {
    this.#exchange = exchange;
    this.#clock = clock;
    this.#initial = initial[Symbol.iterator]();
    this.#maxLines = maxLines;
    this.#maxLength = maxLength;
    exchange.onDrain(() => {
      this.#blocked = false;
      this.#write();
    });
    this.#write();
  }

  /** Nothing waits: the client has been given all there is. */
  get idle(): boolean {
    return this.#initialDone && this.#waiting.length === 0;
  }

  /** False: the client reads too slowly, and the line was not taken. */
  push(line: string): boolean {
    const full = this.#waiting.length >= this.#maxLines || this.#waitingLength + line.length > this.#maxLength;
    if (full && this.#waiting.length > 0) return false;
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    this.#write();
    return true;
  }

  /** Ends the stream after what waits. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#write();
    // A client that reads nothing at all would hold the connection for ever.
    const cancel = this.#clock.after(LINGER, () => this.#exchange.abort());
    this.#exchange.onClose(cancel);
  }

  /** Ends the stream with `line`, without what waits: it tells the client to begin anew. */
  endWith(line: string): void {
    this.#initialDone = true;
    this.#waiting = [line];
    this.end();
  }

  #write(): void {
    while (!this.#blocked && !this.#exchange.closed) {
      const line = this.#next();
      if (line === undefined) {
        if (!this.#ending || this.#ended) return;
        this.#ended = true;
        this.#exchange.end();
        return;
      }
      this.#blocked = !this.#exchange.write(line);
    }
  }

  #next(): string | undefined {
    if (!this.#initialDone) {
      const { done, value } = this.#initial.next();
      if (!done) return value;
      this.#initialDone = true;
    }
    const line = this.#waiting.shift();
    if (line !== undefined) this.#waitingLength -= line.length;
    return line;
  }
}
