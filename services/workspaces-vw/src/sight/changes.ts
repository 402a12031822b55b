import { expired } from '@kcp-vw/shared/kube/errors.ts';
import type { Snapshot, WorkspaceIndex } from '../index/snapshot.ts';
import type { Seen, SeenEvent } from './sight.ts';

/**
 * What somebody is told who saw a workspace as `before` and sees it as `after`; undefined: not at all. Nothing when only others are
 * concerned, or when only the way changed in which he gets to see it.
 */
export function changesOf(version: bigint, before: Seen | undefined, after: Seen | undefined): readonly SeenEvent[] {
  if (before && after) {
    if (before.snapshot.objectVersion === after.snapshot.objectVersion) return [];
    // Of the same name, but another: whoever waits for the one to be gone must be told so.
    if (uidOf(before.snapshot) !== uidOf(after.snapshot)) return [deleted(version, before), added(version, after)];
    return [{ type: 'MODIFIED', version, snapshot: after.snapshot, previous: before }];
  }
  if (after) return [added(version, after)];
  return before ? [deleted(version, before)] : [];
}

/**
 * What has happened since `version`, for somebody who comes again. Who he is now decides, also over what was before: he may have got a group
 * since that had seen more. So nothing is told of what is there and is shown to him no more: throws a StatusError 410, as for what is not known.
 */
export function changesSince(
  index: Pick<WorkspaceIndex, 'version' | 'since' | 'find'>,
  version: bigint,
  parent: string | undefined,
  seen: (snapshot: Snapshot | undefined) => Seen | undefined,
): readonly SeenEvent[] {
  function isTakenAway(was: Snapshot, after: Snapshot | undefined): boolean {
    const now = index.find(was.parent, was.name);
    const isThere = now !== undefined && uidOf(now) === uidOf(was);
    // It may have come again with its shard.
    if (after === undefined) return isThere && seen(now) === undefined;
    // Of a workspace on its way out the bindings go before the object does. When both have gone, it has been deleted, and not taken away.
    return isThere || uidOf(after) !== uidOf(was) || !after.object.metadata?.deletionTimestamp;
  }

  const changes: SeenEvent[] = [];
  for (const { version: at, before, after } of index.since(version, parent)) {
    const [was, is] = [seen(before), seen(after)];
    if (was && !is && isTakenAway(was.snapshot, after)) {
      throw expired(`too old resource version: ${version} (${index.version})`);
    }
    changes.push(...changesOf(at, was, is));
  }
  return changes;
}

/** None of the listeners misses an event because of what another throws. */
export function tell(listeners: Iterable<(event: SeenEvent) => void>, events: readonly SeenEvent[]): void {
  const failures: unknown[] = [];
  for (const event of events) {
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch (error) {
        failures.push(error);
      }
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'watchers failed on an event');
}

const added = (version: bigint, { snapshot }: Seen): SeenEvent => ({ type: 'ADDED', version, snapshot });

/** With what he was entitled to, not with what it has become since. */
const deleted = (version: bigint, previous: Seen): SeenEvent => ({
  type: 'DELETED',
  version,
  snapshot: previous.snapshot,
  previous,
});

const uidOf = ({ object }: Snapshot): string | undefined => object.metadata?.uid;
