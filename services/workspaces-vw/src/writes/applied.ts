import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Snapshot, WorkspaceIndex } from '../index/snapshot.ts';

/** The index hears of a write within milliseconds; whoever has written does not wait longer than this to be told so. */
const PATIENCE_MS = 2_000;

/** Of a deletecollection the shard shows each object as it was before. */
export type Written = 'as-shown' | 'deleted';

/**
 * Waits until the index has what a shard has answered to a write, so that whoever has written sees it when he asks next. `object` is that of the
 * shard's answer. Resolves with what the index has of it then: undefined if it is gone, or has not come in time.
 */
export type UntilApplied = (object: KubeObject, written: Written) => Promise<Snapshot | undefined>;

interface Waiting {
  readonly isOver: () => boolean;
  readonly resolve: () => void;
}

/** For one request: it follows the index once, however many objects of it are waited for. */
export function untilApplied(
  index: Pick<WorkspaceIndex, 'find' | 'follow'>,
  parent: string,
  clock: Clock = systemClock,
): UntilApplied {
  /** By name; a few of the same name at most. */
  const waiting = new Map<string, Waiting[]>();
  let stop = (): void => {};

  function begin(): void {
    const stopFollowing = index.follow({ parent }, ({ before, after }) => settle((after ?? before)?.name ?? ''));
    stop = () => {
      stop = () => {};
      stopFollowing();
      cancel();
    };
    const cancel = clock.after(PATIENCE_MS, () => {
      stop();
      const rest = [...waiting.values()].flat();
      waiting.clear();
      for (const { resolve } of rest) resolve();
    });
  }

  function settle(name: string): void {
    const found = waiting.get(name);
    if (found === undefined) return;
    const rest = found.filter(one => {
      const isOver = one.isOver();
      if (isOver) one.resolve();
      return !isOver;
    });
    if (rest.length > 0) waiting.set(name, rest);
    else waiting.delete(name);
    if (waiting.size === 0) stop();
  }

  return async (object, written) => {
    const { name = '' } = object.metadata ?? {};
    const found = (): Snapshot | undefined => index.find(parent, name);
    const isOver = (): boolean => isApplied(found(), object, written);
    if (isOver()) return found();
    await new Promise<void>(resolve => {
      if (waiting.size === 0) begin();
      waiting.set(name, [...(waiting.get(name) ?? []), { isOver, resolve }]);
    });
    return found();
  };
}

function isApplied(found: Snapshot | undefined, { metadata = {} }: KubeObject, written: Written): boolean {
  const isThis = found !== undefined && found.object.metadata?.uid === metadata.uid;
  // Marked as going, it may be gone already; otherwise it has yet to come.
  if (!isThis) return written === 'deleted' || Boolean(metadata.deletionTimestamp);
  if (written === 'deleted') return Boolean(found.object.metadata?.deletionTimestamp);
  return BigInt(found.upstreamVersion) >= BigInt(metadata.resourceVersion ?? 0);
}
