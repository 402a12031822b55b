import { createBackoff } from '@kcp-vw/shared/informer/backoff.ts';
import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';

export interface QueueOptions {
  /** Never for one key twice at a time. What it rejects with is told, and the key is worked on again after a while. */
  readonly work: (key: string) => Promise<void>;
  /** Must not throw. */
  readonly onError: (error: Error, key: string) => void;
  /** Keys at a time; default 10. */
  readonly concurrency?: number;
  /** Milliseconds before the second attempt, which double with each further one; default 300. */
  readonly firstWait?: number;
  /** Milliseconds at most between two attempts; default 30,000. */
  readonly longestWait?: number;
  readonly clock?: Clock;
}

export interface Queue {
  /** A key that waits already waits once; one that is being worked on is worked on again. */
  add(key: string): void;
  addAfter(key: string, milliseconds: number): void;
  /** Nothing is begun any more. */
  stop(): void;
}

type Retry = { readonly wait: () => number };

/** The keys of objects that have changed. What they have changed to is read when their turn comes. */
export function createQueue(options: QueueOptions): Queue {
  const { work, onError, concurrency = 10, firstWait = 300, longestWait = 30_000, clock = systemClock } = options;
  const waiting = new Set<string>();
  const underWay = new Set<string>();
  const timers = new Map<string, () => void>();
  const retries = new Map<string, Retry>();
  let stopped = false;

  const add = (key: string): void => {
    if (stopped) return;
    waiting.add(key);
    begin();
  };

  function addAfter(key: string, milliseconds: number): void {
    if (stopped) return;
    timers.get(key)?.();
    const cancel = clock.after(milliseconds, () => {
      timers.delete(key);
      add(key);
    });
    timers.set(key, cancel);
  }

  function begin(): void {
    for (const key of waiting) {
      if (stopped || underWay.size >= concurrency) return;
      if (underWay.has(key)) continue;
      waiting.delete(key);
      void run(key);
    }
  }

  async function run(key: string): Promise<void> {
    underWay.add(key);
    try {
      await work(key);
      retries.delete(key);
    } catch (thrown) {
      if (!stopped) again(key, thrown instanceof Error ? thrown : new Error(String(thrown)));
    } finally {
      underWay.delete(key);
      begin();
    }
  }

  function again(key: string, error: Error): void {
    const retry = retries.get(key) ?? newRetry();
    retries.set(key, retry);
    addAfter(key, retry.wait());
    onError(error, key);
  }

  function newRetry(): Retry {
    const backoff = createBackoff(clock, { initial: firstWait, max: longestWait });
    return { wait: () => backoff.next() };
  }

  return {
    add,
    addAfter,
    stop() {
      stopped = true;
      waiting.clear();
      for (const cancel of timers.values()) cancel();
      timers.clear();
    },
  };
}
