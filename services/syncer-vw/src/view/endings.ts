import type { Consumers, Exports, SyncTargets } from '../knowledge/knowledge.ts';
import type { SyncTargetKey } from '../transform/names.ts';

/** Looks, whenever something that it may depend on has changed, whether a long-running request still has its reason. */
export interface Endings {
  /** Calls `end` once, with what `reason` gives, when that gives anything; at once if it does so already. Returns how to stop. */
  follow(key: SyncTargetKey, reason: () => string | undefined, end: (reason: string) => void): () => void;
  /** Requests that are followed. */
  readonly size: number;
}

/**
 * Of a target that changes only its own requests are looked at, and at once: targets change with every heartbeat. Exports and bindings
 * change seldom but in heaps, and concern all; of what changes in one go they are looked at once.
 */
export function createEndings(
  targets: Pick<SyncTargets, 'onChange'>,
  exports: Pick<Exports, 'onChange'>,
  consumers: Pick<Consumers, 'onChange'>,
): Endings {
  const byTarget = new Map<SyncTargetKey, Set<() => void>>();
  let isScheduled = false;

  const check = (key: SyncTargetKey): void => {
    // Not a copy: who has stopped listening meanwhile is not told.
    for (const look of byTarget.get(key) ?? []) look();
  };
  const checkAll = (): void => {
    isScheduled = false;
    for (const key of [...byTarget.keys()]) check(key);
  };
  const schedule = (): void => {
    if (isScheduled || byTarget.size === 0) return;
    isScheduled = true;
    setImmediate(checkAll);
  };

  targets.onChange(({ target }) => check(target.key));
  exports.onChange(schedule);
  consumers.onChange(schedule);

  return {
    follow(key, reason, end) {
      const stop = (): void => {
        const checks = byTarget.get(key);
        checks?.delete(look);
        if (checks?.size === 0) byTarget.delete(key);
      };
      const look = (): void => {
        const why = orFailure(reason);
        if (why === undefined) return;
        stop();
        end(why);
      };
      byTarget.set(key, (byTarget.get(key) ?? new Set()).add(look));
      look();
      return stop;
    },
    get size() {
      return [...byTarget.values()].reduce((sum, checks) => sum + checks.size, 0);
    },
  };
}

/** What cannot be found out is a reason, and of this request only: nobody above would catch what is thrown here, and the process would end. */
function orFailure(reason: () => string | undefined): string | undefined {
  try {
    return reason();
  } catch (error) {
    return `whether it may go on cannot be found out: ${error instanceof Error ? error.message : String(error)}`;
  }
}
