import { type Backoff, type BackoffOptions, createBackoff } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';

/** What is left to do with a key after its work. */
export interface WorkOutcome {
  /** Milliseconds after which to look again although nothing has changed. */
  readonly recheckAfterMs?: number;
  /** Nothing is wrong, but what was decided could not be done: somebody else was faster. Looked at again, later each time. */
  readonly again?: boolean;
}

export interface WorkQueueOptions {
  /** Looks at what the key stands for as it is now, and does what is to be done. Must end soon after `signal` is aborted. */
  readonly work: (key: string, signal: AbortSignal) => Promise<WorkOutcome | undefined>;
  /** Told every failure; `attempt` counts those of the key in a row, from 1. Must not throw. */
  readonly onError: (key: string, error: unknown, attempt: number) => void;
  /** Keys that are worked on at once; default 20. */
  readonly concurrency?: number;
  /** Between attempts at one key; default 500 ms to a minute. */
  readonly backoff?: BackoffOptions;
  readonly clock?: Clock;
}

export interface WorkQueueStats {
  readonly waiting: number;
  readonly running: number;
  /** To be looked at when their time has come. */
  readonly delayed: number;
  /** Not done as decided at their last turn. */
  readonly unsettled: number;
  /** Turns since the start, and how many of them failed. */
  readonly turns: number;
  readonly errors: number;
}

export interface WorkQueue {
  /** At once, also if it was to be looked at later. A key that is worked on has another turn afterwards. */
  add(key: string): void;
  stats(): WorkQueueStats;
  /** Nothing waits for its turn or has it now; what is delayed does not count. */
  isIdle(): boolean;
  /** Resolves when no work is under way any more. */
  stop(): Promise<void>;
}

/** Beyond it a timer would overflow, and fire at once. */
const LONGEST_WAIT_MS = 60 * 60_000;

/**
 * Work by key: a key is never worked on twice at once, and however often it is added while it waits, it has one turn. It holds a key
 * only as long as something is left to do with it, so that it is bounded by what the keys stand for.
 */
export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { work, onError, concurrency = 20, clock = systemClock } = options;
  const backoffOptions = { initial: 500, max: 60_000, ...options.backoff };
  const controller = new AbortController();
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  /** Added while they were worked on. */
  const repeated = new Set<string>();
  const delayed = new Map<string, () => void>();
  const unsettled = new Map<string, { readonly backoff: Backoff; attempts: number }>();
  let isScheduled = false;
  let turns = 0;
  let errors = 0;

  const add = (key: string): void => {
    if (controller.signal.aborted) return;
    if (running.has(key)) {
      repeated.add(key);
      return;
    }
    waiting.add(key);
    schedule();
  };

  /** A turn of the event loop for each handful: a hundred thousand keys that need nothing must not hold up everything else. */
  const schedule = (): void => {
    if (isScheduled || waiting.size === 0 || running.size >= concurrency) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      start();
    });
  };

  const start = (): void => {
    for (const key of waiting) {
      if (controller.signal.aborted || running.size >= concurrency) return;
      waiting.delete(key);
      delayed.get(key)?.();
      delayed.delete(key);
      running.set(key, run(key));
    }
  };

  const run = async (key: string): Promise<void> => {
    turns += 1;
    const wait = await turn(key);
    running.delete(key);
    if (wait !== undefined && !controller.signal.aborted) {
      delayed.set(
        key,
        clock.after(Math.min(wait, LONGEST_WAIT_MS), () => {
          delayed.delete(key);
          add(key);
        }),
      );
    }
    if (repeated.delete(key)) add(key);
    schedule();
  };

  /** Milliseconds until the next turn, if there is to be one. */
  const turn = async (key: string): Promise<number | undefined> => {
    try {
      // Its beginning, too, comes when the key is known to be worked on.
      await undefined;
      const outcome = await work(key, controller.signal);
      if (outcome?.again) return retry(key).backoff.next();
      unsettled.delete(key);
      return outcome?.recheckAfterMs;
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      errors += 1;
      const state = retry(key);
      state.attempts += 1;
      onError(key, error, state.attempts);
      return state.backoff.next();
    }
  };

  const retry = (key: string) => {
    const state = unsettled.get(key) ?? { backoff: createBackoff(clock, backoffOptions), attempts: 0 };
    unsettled.set(key, state);
    return state;
  };

  return {
    add,
    stats: () => ({
      waiting: waiting.size,
      running: running.size,
      delayed: delayed.size,
      unsettled: unsettled.size,
      turns,
      errors,
    }),
    isIdle: () => waiting.size === 0 && running.size === 0,
    async stop() {
      controller.abort();
      waiting.clear();
      repeated.clear();
      unsettled.clear();
      for (const cancel of delayed.values()) cancel();
      delayed.clear();
      await Promise.all(running.values());
    },
  };
}
