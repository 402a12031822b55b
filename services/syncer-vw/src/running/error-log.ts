import { createHash } from 'node:crypto';
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
    log.warn({ ...shortened(fields), ...(leftOut > 0 && { leftOut }) }, message);
    leftOut = 0;
  };
}

/** Annotations are quoted in texts, and whoever writes them may make them long: of a longer text its hash is kept. */
const LONGEST_KEPT = 1_000;

/** Says of texts whether they are new. It remembers so many, those that were asked for last. */
export function createOnce(limit = 1000): (text: string) => boolean {
  const known = new Set<string>();
  return whole => {
    const text = whole.length > LONGEST_KEPT ? createHash('sha256').update(whole).digest('base64') : whole;
    const isNew = !known.delete(text);
    known.add(text);
    for (const oldest of known) {
      if (known.size <= limit) break;
      known.delete(oldest);
    }
    return isNew;
  };
}

/** Sixty lines a minute of a quarter of a megabyte each would fill a disk. */
export const shortened = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' && value.length > LONGEST_KEPT ? `${value.slice(0, LONGEST_KEPT)}…` : value,
    ]),
  );
