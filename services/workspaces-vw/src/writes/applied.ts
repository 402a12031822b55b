import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Snapshot, WorkspaceIndex } from '../index/snapshot.ts';

/** The index hears of a write within milliseconds; whoever has written does not wait longer than this to be told so. */
const PATIENCE_MS = 2_000;

/**
 * Waits until the index has what a shard has answered to a write, so that whoever has written sees it when he asks next. `object` is that of the
 * shard's answer. Resolves with what the index has of it then: undefined if it is gone, or has not come in time.
 */
export async function untilApplied(
  index: Pick<WorkspaceIndex, 'find' | 'follow'>,
  parent: string,
  object: KubeObject,
  written: Written = 'as-shown',
  clock: Clock = systemClock,
): Promise<Snapshot | undefined> {
  const { name = '' } = object.metadata ?? {};
  const found = (): Snapshot | undefined => index.find(parent, name);
  const applied = (): boolean => isApplied(found(), object, written);
  if (applied()) return found();
  await new Promise<void>(resolve => {
    const end = (): void => {
      stop();
      cancel();
      resolve();
    };
    const stop = index.follow({ parent }, () => {
      if (applied()) end();
    });
    const cancel = clock.after(PATIENCE_MS, end);
  });
  return found();
}

/** Of a deletecollection the shard shows each object as it was before. */
export type Written = 'as-shown' | 'deleted';

function isApplied(found: Snapshot | undefined, { metadata = {} }: KubeObject, written: Written): boolean {
  const isThis = found !== undefined && found.object.metadata?.uid === metadata.uid;
  // Marked as going, it may be gone already; otherwise it has yet to come.
  if (!isThis) return written === 'deleted' || Boolean(metadata.deletionTimestamp);
  if (written === 'deleted') return Boolean(found.object.metadata?.deletionTimestamp);
  return BigInt(found.upstreamVersion) >= BigInt(metadata.resourceVersion ?? 0);
}
