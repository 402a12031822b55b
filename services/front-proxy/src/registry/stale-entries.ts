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
/** In one look; the others have time. */
const REMOVED_AT_ONCE = 20;

/** Removes what instances have left that have been dead for long. Another front proxy may do the same at the same time. Returns how to stop. */
export function removeStaleEntries({ registry, registered, log, clock = systemClock }: RemoveStaleOptions): () => void {
  /** What was read of the leases in the look before. */
  let before = new Map<string, string>();
  let isOver = false;

  const remove = async (of: InstanceOfView): Promise<void> => {
    // With force and as the instance itself: a manager that applies nothing owns nothing, and what nobody owns is removed.
    await unlessGone(applyEntry(registry, of, undefined));
    await unlessGone(deleteLease(registry, of));
    log.info({ view: of.view, instance: of.instance }, 'the entry of an instance was removed whose lease has long expired');
  };
  const lookAt = async (of: InstanceOfView, now: Map<string, string>): Promise<void> => {
    const found = await readMark(registry, of.view, of.instance);
    const mark = typeof found === 'string' ? found : found.mark;
    const id = `${of.view}/${of.instance}`;
    now.set(id, mark);
    // Only what two looks have found the same: it may be back, and its event on the way.
    if (before.get(id) === mark) await remove(of);
  };
  const look = async (): Promise<void> => {
    const now = new Map<string, string>();
    for (const of of registered.deadFor(STALE_MS).slice(0, REMOVED_AT_ONCE)) {
      if (isOver) return;
      try {
        await lookAt(of, now);
      } catch (err) {
        if (isOver) return;
        if (err instanceof RegistryRefusal && err.code === 403) {
          isOver = true;
          log.warn({ err }, 'entries of dead instances are not removed, for this front proxy may not');
          return;
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
