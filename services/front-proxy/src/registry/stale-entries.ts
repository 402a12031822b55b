import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Registry } from '@kcp-vw/shared/registration/registry-access.ts';
import { applyEntry, deleteLease, RegistryRefusal } from '@kcp-vw/shared/registration/view-records.ts';
import { readMark } from './lease-times.ts';
import type { InstanceOfView } from './liveness.ts';
import type { RegisteredAddresses } from './registered-addresses.ts';

export interface RemoveStaleOptions {
  readonly registry: Registry;
  readonly registered: Pick<RegisteredAddresses, 'deadFor'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly clock?: Clock;
}

/** An instance that is killed leaves its entry and its lease behind, and its name may never come again. */
const STALE_MS = 60_000;
const LOOK_MS = 10_000;
/** In one look; the others have time. Few of one view: what one team leaves does not keep the others' from being removed. */
const REMOVED_AT_ONCE = 20;
const REMOVED_OF_VIEW = 5;
/** What was removed and is still there, and a view that says no, are left alone for so long. */
const LEFT_ALONE_MS = 600_000;

const idOf = ({ view, instance }: InstanceOfView): string => `${view}/${instance}`;

/** Removes what instances have left that have been dead for long. Another front proxy may do the same at the same time. Returns how to stop. */
export function removeStaleEntries({ registry, registered, log, clock = systemClock }: RemoveStaleOptions): () => void {
  /** What was read of the leases in the look before. */
  let before = new Map<string, string>();
  /** Views and ids, and until when they are left alone. Of what is dead only. */
  const leftAlone = new Map<string, number>();
  let isOver = false;

  const remove = async (of: InstanceOfView): Promise<void> => {
    // With force and as the instance itself: a manager that applies nothing owns nothing, and what nobody owns is removed.
    await unlessGone(applyEntry(registry, of, undefined));
    await unlessGone(deleteLease(registry, of));
    leftAlone.set(idOf(of), clock.now() + LEFT_ALONE_MS);
    log.info({ view: of.view, instance: of.instance }, 'the entry of an instance was removed whose lease has long expired');
  };
  const lookAt = async (of: InstanceOfView, now: Map<string, string>): Promise<void> => {
    const found = await readMark(registry, of.view, of.instance);
    const mark = typeof found === 'string' ? found : found.mark;
    const id = idOf(of);
    now.set(id, mark);
    // Only what two looks have found the same: it may be back, and its event on the way.
    if (before.get(id) === mark) await remove(of);
  };
  const isLeftAlone = (of: InstanceOfView): boolean => leftAlone.has(of.view) || leftAlone.has(idOf(of));
  /** Those that a look is for. */
  const chosen = (): readonly InstanceOfView[] => {
    const dead = registered.deadFor(STALE_MS);
    const keys = new Set(dead.flatMap(of => [of.view, idOf(of)]));
    for (const [key, until] of leftAlone) if (until <= clock.now() || !keys.has(key)) leftAlone.delete(key);
    const perView = new Map<string, number>();
    const some = dead.filter(of => {
      if (isLeftAlone(of)) return false;
      const count = (perView.get(of.view) ?? 0) + 1;
      perView.set(of.view, count);
      return count <= REMOVED_OF_VIEW;
    });
    return some.slice(0, REMOVED_AT_ONCE);
  };
  const look = async (): Promise<void> => {
    const now = new Map<string, string>();
    for (const of of chosen()) {
      if (isOver) return;
      if (isLeftAlone(of)) continue;
      try {
        await lookAt(of, now);
      } catch (err) {
        if (isOver) return;
        if (err instanceof RegistryRefusal && err.code === 403) {
          leftAlone.set(of.view, clock.now() + LEFT_ALONE_MS);
          log.warn({ err, view: of.view }, 'entries of dead instances of a view are not removed, for this front proxy may not');
          continue;
        }
        log.warn(
          { err, view: of.view, instance: of.instance },
          'the entry of a dead instance could not be removed; trying again',
        );
      }
    }
    before = now;
  };
  const plan = (): (() => void) =>
    clock.after(LOOK_MS, () => {
      void look().then(() => {
        if (!isOver) cancel = plan();
      });
    });
  let cancel = plan();
  return () => {
    isOver = true;
    cancel();
  };
}

async function unlessGone(act: Promise<void>): Promise<void> {
  try {
    await act;
  } catch (error) {
    if (!(error instanceof RegistryRefusal && error.code === 404)) throw error;
  }
}
