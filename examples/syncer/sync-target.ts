import { isDeepStrictEqual } from 'node:util';
import { type Clock, sleep, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { GROUP, RESOURCE, type SyncTarget, VERSION } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import { type Client, isRefused } from './client.ts';
import { collectionPath, objectPath, type Resource } from './resources.ts';

const SYNC_TARGETS: Resource = { group: GROUP, version: VERSION, resource: RESOURCE };
export const SYNC_TARGETS_PATH = collectionPath(SYNC_TARGETS);
export const syncTargetPath = (name: string): string => objectPath(SYNC_TARGETS, '', name);

/** Milliseconds between two attempts to read it. */
const POLL_MS = 5_000;

export interface FindOptions {
  readonly name: string;
  /** The one that it has to have; absent: any. */
  readonly uid?: string | undefined;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/**
 * The SyncTarget that this syncer is for. Rejects when it is not there or has another uid; asks again when that cannot be found out, since
 * the rights to read it may come later than the syncer.
 */
export async function findSyncTarget(workspace: Client, options: FindOptions): Promise<SyncTarget> {
  const { name, uid, say, signal, clock = systemClock } = options;
  while (!signal.aborted) {
    const found = await attempt(workspace, name, say);
    if (found !== 'unknown') return checked(found, name, uid);
    await sleep(clock, POLL_MS, signal);
  }
  throw new Error(`was ended before the SyncTarget "${name}" was found`);
}

async function attempt(
  workspace: Client,
  name: string,
  say: (text: string) => void,
): Promise<SyncTarget | undefined | 'unknown'> {
  try {
    return await workspace.send<SyncTarget>('GET', syncTargetPath(name));
  } catch (error) {
    if (isRefused(error, 404)) return undefined;
    say(`${error instanceof Error ? error.message : String(error)}; trying again`);
    return 'unknown';
  }
}

function checked(found: SyncTarget | undefined, name: string, uid: string | undefined): SyncTarget {
  const ending = endingOf(found, name, uid);
  if (found === undefined || ending !== undefined) throw new Error(ending);
  return found;
}

/** Why there is nothing more to do for the SyncTarget with this uid; undefined: it is there. */
export function endingOf(found: SyncTarget | undefined, name: string, uid: string | undefined): string | undefined {
  if (found === undefined) return `there is no SyncTarget "${name}" (any more): its virtual workspaces are closed`;
  const present = found.metadata?.uid;
  if (uid === undefined || present === uid) return undefined;
  return `the SyncTarget "${name}" has the uid ${present}, not ${uid}: it was made again, and wants a syncer of its own`;
}

/** Whether anything has changed but what this syncer writes all the time. */
export const isNews = (previous: SyncTarget | undefined, target: SyncTarget): boolean =>
  !isDeepStrictEqual(previous && withoutHeartbeat(previous), withoutHeartbeat(target));

function withoutHeartbeat({ spec, status: { lastSyncerHeartbeatTime: _time, ...status } = {} }: SyncTarget): object {
  return { spec, status };
}
