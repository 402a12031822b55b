import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';

/** Work of which only so much is done at a time, whoever wants it; the rest waits its turn. */
export class Turns {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #inUse = 0;

  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Does the work for each of the items, and begins with no further one after the first that fails: rejects with its failure. Rejects with a
   * StatusError 503 when too many wait.
   */
  async each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < items.length) {
        const item = items[next] as T;
        next += 1;
        try {
          await this.#inTurn(() => work(item));
        } catch (error) {
          next = items.length;
          throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#most, items.length) }, worker));
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#inUse < this.#most) this.#inUse += 1;
    else if (this.#waiting.length >= this.#mostWaiting) throw serviceUnavailable('too many reviews of access are waiting', 1);
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      // Its turn goes to the one who has waited longest.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inUse -= 1;
    }
  }
}
