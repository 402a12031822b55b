import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';

export type ErrorLog = (fields: Readonly<Record<string, unknown>>, message: string) => void;

const LINES = 60;
const PERIOD_MS = 60_000;

/**
 * Warnings, at most so many a minute: when a shard is away, ten thousand objects fail for the same reason. How many were left out is
 * said with the next line.
 */
export function createErrorLog(log: Pick<Logger, 'warn'>, clock: Clock = systemClock, lines = LINES): ErrorLog {
  let began = clock.now();
  let written = 0;
  let leftOut = 0;
  return (fields, message) => {
    if (clock.now() - began >= PERIOD_MS) {
      began = clock.now();
      written = 0;
    }
    if (written >= lines) {
      leftOut += 1;
      return;
    }
    written += 1;
    log.warn({ ...fields, ...(leftOut > 0 && { leftOut }) }, message);
    leftOut = 0;
  };
}

/** Says of texts whether they are new. It remembers so many, those that were asked for last. */
export function createOnce(limit = 1000): (text: string) => boolean {
  const known = new Set<string>();
  return text => {
    const isNew = !known.delete(text);
    known.add(text);
    for (const oldest of known) {
      if (known.size <= limit) break;
      known.delete(oldest);
    }
    return isNew;
  };
}
