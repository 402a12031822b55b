export interface WorkQueueOptions {
  /** Milliseconds between a change and the work on it: controllers follow, they do not lead. */
  readonly delay?: number;
  readonly onError: (error: unknown, key: string) => void;
}

const FIRST_RETRY = 20;
const LONGEST_RETRY = 2_000;

/** Keys to be worked on, each once however often it was added, never twice at a time, and again with growing pauses when it failed. */
export class WorkQueue {
  readonly #work: (key: string) => void | Promise<void>;
  readonly #options: WorkQueueOptions;
  readonly #waiting = new Map<string, { readonly at: number; readonly timer: NodeJS.Timeout }>();
  readonly #running = new Set<string>();
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  #stopped = false;

  constructor(work: (key: string) => void | Promise<void>, options: WorkQueueOptions) {
    this.#work = work;
    this.#options = options;
  }

  add(key: string): void {
    this.addAfter(key, this.#options.delay ?? 2);
  }

  addAfter(key: string, milliseconds: number): void {
    if (this.#stopped) return;
    const at = Date.now() + milliseconds;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined && waiting.at <= at) return;
    clearTimeout(waiting?.timer);
    const timer = setTimeout(() => void this.#run(key), milliseconds);
    this.#waiting.set(key, { at, timer });
  }

  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }

  async #run(key: string): Promise<void> {
    this.#waiting.delete(key);
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#running.add(key);
    try {
      await this.#work(key);
      this.#failures.delete(key);
    } catch (error) {
      if (this.#stopped) return;
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      this.#options.onError(error, key);
      this.addAfter(key, Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** failures));
    } finally {
      this.#running.delete(key);
      if (this.#again.delete(key)) this.add(key);
    }
  }
}
