import type { Clock } from './clock.ts';

export interface BackoffOptions {
  /** Shortest wait, milliseconds; default 800. */
  readonly initial?: number;
  /** Longest wait, milliseconds; default 10,000. */
  readonly max?: number;
  /** Milliseconds without a failure after which the next wait is the shortest again; default 120,000. */
  readonly stableAfter?: number;
  /** In [0, 1); default `Math.random`. */
  readonly random?: () => number;
}

export interface Backoff {
  /** Milliseconds to wait before the next attempt. */
  next(): number;
  /** All is well: the next wait is the shortest again. */
  reset(): void;
}

/**
 * Exponential, with jitter: the n-th wait is drawn from [d, 2d) with d = initial · 2ⁿ, and never exceeds `max`. d stops at max/2,
 * so that the informers of a fleet stay spread out also when all of them have waited for the same shard for long.
 */
export function createBackoff(clock: Clock, options: BackoffOptions = {}): Backoff {
  const { initial = 800, max = 10_000, stableAfter = 120_000, random = Math.random } = options;
  let delay = initial;
  let quietSince = Number.NEGATIVE_INFINITY;
  return {
    next() {
      const now = clock.now();
      if (now - quietSince > stableAfter) delay = initial;
      const wait = Math.min(max, delay * (1 + random()));
      delay = Math.max(initial, Math.min(max / 2, delay * 2));
      // A long wait is no sign of health: the stable period begins when it is over.
      quietSince = now + wait;
      return wait;
    },
    reset() {
      delay = initial;
    },
  };
}
