import type { Seen, SeenEvent } from './sight.ts';

/**
 * What somebody is told who saw a workspace as `before` and sees it as `after`; undefined: not at all. Nothing when only others are
 * concerned, or when only the way changed in which he gets to see it.
 */
export function changesOf(version: bigint, before: Seen | undefined, after: Seen | undefined): readonly SeenEvent[] {
  if (before && after) {
    if (before.snapshot.objectVersion === after.snapshot.objectVersion) return [];
    // Of the same name, but another: whoever waits for the one to be gone must be told so.
    if (uidOf(before) !== uidOf(after)) return [deleted(version, before), added(version, after)];
    return [{ type: 'MODIFIED', version, snapshot: after.snapshot, previous: before }];
  }
  if (after) return [added(version, after)];
  return before ? [deleted(version, before)] : [];
}

const added = (version: bigint, { snapshot }: Seen): SeenEvent => ({ type: 'ADDED', version, snapshot });

/** With what he was entitled to, not with what it has become since. */
const deleted = (version: bigint, previous: Seen): SeenEvent => ({
  type: 'DELETED',
  version,
  snapshot: previous.snapshot,
  previous,
});

const uidOf = ({ snapshot }: Seen): string | undefined => snapshot.object.metadata?.uid;
