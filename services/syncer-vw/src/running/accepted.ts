import type { SyncTarget } from '../controllers/sync-target.ts';
import type { WantedFeed } from './wanted-feeds.ts';

const ACCEPTED = 'Accepted';

/** Whether the syncer of a target takes these objects. What is claimed, every syncer takes. */
export const accepts = (target: SyncTarget, { resource, identityHash }: Pick<WantedFeed, 'resource' | 'identityHash'>): boolean =>
  identityHash === undefined ||
  (target.status?.syncedResources ?? []).some(
    one =>
      one.state === ACCEPTED &&
      (one.group ?? '') === resource.group &&
      one.resource === resource.resource &&
      (one.identityHash ?? '') === identityHash,
  );

/** What of a target decides over where namespaces and objects go: heartbeats change it all the time, and most of them nothing of this. */
export function schedulingFacts({ metadata, spec, status }: SyncTarget): string {
  const accepted = (status?.syncedResources ?? []).filter(({ state }) => state === ACCEPTED);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  const { unschedulable, evictAfter } = spec ?? {};
  return JSON.stringify([metadata?.labels, metadata?.deletionTimestamp, unschedulable, evictAfter, ready, accepted]);
}
