import type { SyncTargetKey } from '../transform/names.ts';

/** What of a target cannot be shown. */
export interface BrokenOfTarget {
  readonly count: number;
  /** There are more, which are not counted. */
  readonly isMore: boolean;
  /** Sorted by object; some of them. */
  readonly examples: readonly { readonly object: string; readonly reason: string }[];
}

export interface BrokenRegister {
  /** What is broken about an object for each target, and nothing else. Returns the targets for which something has changed. */
  set(object: string, reasons: ReadonlyMap<SyncTargetKey, string>): readonly SyncTargetKey[];
  has(object: string): boolean;
  forget(target: SyncTargetKey): void;
  of(target: SyncTargetKey): BrokenOfTarget | undefined;
  /** All that was remembered of the target is mended, and there was more than that: all of its objects have to be looked at again. */
  isToBeReadAgain(target: SyncTargetKey): boolean;
}

const LIMIT = 1000;
const EXAMPLES = 5;
/** Of a reason: annotations are quoted in it, and they may be long. */
const LONGEST_REASON = 200;

/** Broken objects by target, so many of each. */
export function createBrokenRegister(limit = LIMIT): BrokenRegister {
  const byTarget = new Map<SyncTargetKey, Map<string, string>>();
  const targetsOf = new Map<string, Set<SyncTargetKey>>();
  const overflowed = new Set<SyncTargetKey>();

  const remove = (target: SyncTargetKey, object: string): boolean => {
    const targets = targetsOf.get(object);
    targets?.delete(target);
    if (targets?.size === 0) targetsOf.delete(object);
    const objects = byTarget.get(target);
    const isRemoved = objects?.delete(object) ?? false;
    if (objects?.size === 0) byTarget.delete(target);
    return isRemoved;
  };
  const put = (target: SyncTargetKey, object: string, reason: string): boolean => {
    const objects = byTarget.get(target) ?? new Map<string, string>();
    if (objects.get(object) === reason) return false;
    if (!objects.has(object) && objects.size >= limit) {
      const isFirst = !overflowed.has(target);
      overflowed.add(target);
      return isFirst;
    }
    byTarget.set(target, objects.set(object, reason));
    targetsOf.set(object, (targetsOf.get(object) ?? new Set()).add(target));
    return true;
  };

  return {
    set(object, reasons) {
      const mended = [...(targetsOf.get(object) ?? [])].filter(target => !reasons.has(target) && remove(target, object));
      const broken = [...reasons].filter(([target, reason]) => put(target, object, reason.slice(0, LONGEST_REASON)));
      return [...mended, ...broken.map(([target]) => target)];
    },
    has: object => targetsOf.has(object),
    forget(target) {
      for (const object of [...(byTarget.get(target)?.keys() ?? [])]) remove(target, object);
      overflowed.delete(target);
    },
    of(target) {
      const objects = byTarget.get(target);
      if (objects === undefined) return undefined;
      const examples = [...objects]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, EXAMPLES)
        .map(([object, reason]) => ({ object, reason }));
      return { count: objects.size, isMore: overflowed.has(target), examples };
    },
    isToBeReadAgain: target => !byTarget.has(target) && overflowed.delete(target),
  };
}
