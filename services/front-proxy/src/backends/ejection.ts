/** Failures in a row that end in an ejection. */
const FAILURES = 3;
const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** Whether a backend is left alone for a while, so that not every request finds out by itself what the one before it has found out. */
export interface Ejection {
  isOut(): boolean;
  /** A connection was not made, or broke before anything was answered. */
  connectionFailed(): void;
  /** What it answers when it is asked whether it is ready: a failure counts once, when it was ready before. */
  healthKnown(ready: boolean): void;
}

/** Each time for twice as long as the time before, and for the shortest time again after as long without a reason as it was out at most. */
export function createEjection(now: () => number): Ejection {
  let wasReady = false;
  let failures = 0;
  let next = FIRST_MS;
  let until = Number.NEGATIVE_INFINITY;

  const eject = (): void => {
    failures = 0;
    // What was under way when it was put out says nothing new.
    if (now() < until) return;
    if (now() - until > LONGEST_MS) next = FIRST_MS;
    until = now() + next;
    next = Math.min(LONGEST_MS, next * 2);
  };
  return {
    isOut: () => now() < until,
    connectionFailed() {
      failures += 1;
      if (failures >= FAILURES) eject();
    },
    healthKnown(ready) {
      if (ready) failures = 0;
      else if (wasReady) eject();
      wasReady = ready;
    },
  };
}
