import { isDeepStrictEqual } from 'node:util';
import { summaryOf, type Verdict, withCondition } from './conditions.ts';
import { type MergePatch, patchOf } from './merge-patch.ts';
import type { SyncTarget } from './sync-target.ts';
import { parseTimestamp } from './timestamps.ts';

/** How old a heartbeat may be. Syncers send one every 20 seconds. */
export const HEARTBEAT_THRESHOLD_MS = 60_000;

const HEARTBEAT_HEALTHY = 'HeartbeatHealthy';
const MISSED = 'ErrorHeartbeat';
/** What `Ready` is made of. Nobody writes but the first; a syncer may. */
const SUMMARIZED = [HEARTBEAT_HEALTHY, 'SyncerReady', 'APIImporterReady'];

export interface HeartbeatVerdict {
  /** Absent if the conditions say so already. */
  readonly patch?: MergePatch;
  /** When to look again although nothing has changed; absent if only a heartbeat can change anything. */
  readonly recheckAfterMs?: number;
}

/** Says in the conditions of a SyncTarget whether its syncer is alive at `now` (milliseconds since the epoch). */
export function heartbeatVerdict(target: SyncTarget, now: number, thresholdMs = HEARTBEAT_THRESHOLD_MS): HeartbeatVerdict {
  const text = target.status?.lastSyncerHeartbeatTime;
  const at = text === undefined ? undefined : parseTimestamp(text);
  const age = at === undefined ? undefined : now - at;
  const present = target.status?.conditions ?? [];
  const healthy = withCondition(present, judge(text, age, thresholdMs), now);
  const summary = summaryOf(healthy, SUMMARIZED);
  const conditions = summary ? withCondition(healthy, summary, now) : healthy;
  const patch = isDeepStrictEqual(present, conditions) ? undefined : patchOf(target, { status: { conditions } });
  // A clock that is ahead becomes right by waiting, too.
  const recheckAfterMs = age === undefined || age >= thresholdMs ? undefined : Math.min(thresholdMs - age, 2 * thresholdMs);
  return { ...(patch && { patch }), ...(recheckAfterMs !== undefined && { recheckAfterMs }) };
}

function judge(text: string | undefined, age: number | undefined, thresholdMs: number): Verdict {
  if (age === undefined) return missed('No heartbeat yet seen');
  if (age >= thresholdMs) return missed(`No heartbeat since ${text}`);
  // Otherwise one heartbeat from a clock that is a year ahead would do for a year.
  if (age < -thresholdMs) return missed(`The heartbeat of ${text} is ahead of time: the clock of the syncer is wrong`);
  return { type: HEARTBEAT_HEALTHY, status: 'True' };
}

const missed = (message: string): Verdict => ({
  type: HEARTBEAT_HEALTHY,
  status: 'False',
  severity: 'Warning',
  reason: MISSED,
  message,
});
