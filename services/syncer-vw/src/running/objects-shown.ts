import { isDeepStrictEqual } from 'node:util';
import { withCondition } from '../controllers/conditions.ts';
import { type MergePatch, patchOf } from '../controllers/merge-patch.ts';
import type { SyncTarget } from '../controllers/sync-target.ts';
import type { BrokenOfTarget } from './broken-register.ts';

/** Whether everything is shown that a target is to be shown; it is only there when it is not so. */
export const OBJECTS_SHOWN = 'ObjectsShown';
const REASON = 'BrokenObjects';

/** Says on a SyncTarget what cannot be shown of its objects; undefined if it says so already. */
export function objectsShownPatch(target: SyncTarget, broken: BrokenOfTarget | undefined, now: number): MergePatch | undefined {
  const present = target.status?.conditions ?? [];
  const conditions =
    broken === undefined
      ? present.filter(({ type }) => type !== OBJECTS_SHOWN)
      : withCondition(
          present,
          { type: OBJECTS_SHOWN, status: 'False', severity: 'Warning', reason: REASON, message: messageOf(broken) },
          now,
        );
  return isDeepStrictEqual(present, conditions) ? undefined : patchOf(target, { status: { conditions } });
}

function messageOf({ count, isMore, examples }: BrokenOfTarget): string {
  const many = `${isMore ? 'more than ' : ''}${count} ${count === 1 && !isMore ? 'object' : 'objects'}`;
  const named = examples.map(({ object, reason }) => `${object}: ${reason}`).join('; ');
  return `${many} cannot be shown: ${named}${count > examples.length ? '; …' : ''}`;
}
