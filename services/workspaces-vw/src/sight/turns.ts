import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';

/** Work of which only so much is done at a time; the rest waits. Those who wait take turns, however much each of them wants. */
export class Turns {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #mostOfOne: number;
  /** By whose work it is, the one whose turn is next first. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #waitingCount = 0;
  #inUse = 0;

  /** One alone has no more than a tenth of the places to wait in. */
  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
    this.#mostOfOne = Math.ceil(mostWaiting / 10);
  }

  get waiting(): number {
    return this.#waitingCount;
  }

  /**
   * Does the work for each of the items, and begins with no further one after the first that fails: rejects with its failure. Rejects with a
   * StatusError 503 when too much waits.
   */
  async each<T>(owner: string, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < items.length) {
        const item = items[next] as T;
        next += 1;
        try {
          await this.take(owner, () => work(item));
        } catch (error) {
          next = items.length;
          throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#most, items.length) }, worker));
  }

  async take<T>(owner: string, work: () => Promise<T>): Promise<T> {
    if (this.#inUse < this.#most) this.#inUse += 1;
    else await this.#turnOf(owner);
    try {
      return await work();
    } finally {
      const next = this.#next();
      if (next) next();
      else this.#inUse -= 1;
    }
  }

  #turnOf(owner: string): Promise<void> {
    const queue = this.#waiting.get(owner) ?? [];
    if (this.#waitingCount >= this.#mostWaiting || queue.length >= this.#mostOfOne) {
      throw serviceUnavailable('too many reviews of access are waiting', 1);
    }
    this.#waiting.set(owner, queue);
    this.#waitingCount += 1;
    return new Promise(resolve => queue.push(resolve));
  }

  #next(): (() => void) | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [owner, queue] = first;
    const next = queue.shift();
    this.#waitingCount -= 1;
    // Behind all others: a Map keeps the order of insertion.
    this.#waiting.delete(owner);
    if (queue.length > 0) this.#waiting.set(owner, queue);
    return next;
  }
}
