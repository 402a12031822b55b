import { createHash } from 'node:crypto';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { perObject } from '@kcp-vw/shared/authn/per-object.ts';
import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Snapshot, WorkspaceIndex } from '../index/snapshot.ts';
import { createIndexSight } from './index-sight.ts';
import { type RecordSettings, ReviewRecord } from './review-record.ts';
import { type ReviewerOf, review } from './review-target.ts';
import type { AccessSource, Sight } from './sight.ts';
import { Turns } from './turns.ts';
import type { Viewer } from './viewer.ts';
import { viewerOf } from './viewer-of.ts';

export interface ReviewSourceOptions {
  readonly index: WorkspaceIndex;
  /**
   * Who is asked about the logical clusters of a shard. Answers that he keeps are as old as he keeps them: a refusal that he believes for
   * long hides from a creator what he has just created.
   */
  readonly reviewerOf: ReviewerOf;
  readonly log: Pick<Logger, 'warn'>;
  readonly clock?: Clock;
  /** Milliseconds between two reviews while somebody watches; default 5,000. */
  readonly interval?: number;
  /** Milliseconds that an allowing answer counts while none can be had; default 60,000. */
  readonly staleAfter?: number;
  /** Reviews under way; default 32. */
  readonly concurrency?: number;
  /** Reviews that wait for their turn; default 10,000. */
  readonly mostWaiting?: number;
  /** Workspaces that are reviewed for one list; default 10,000. */
  readonly mostCandidates?: number;
  /** Callers, each with a parent, of whom it is kept what they may enter; default 1,000. The least recently used goes first; those with open watches stay. */
  readonly mostRecords?: number;
}

export interface ReviewSource extends AccessSource {
  /** Nothing is reviewed any more unless it is asked for. */
  stop(): void;
  /** For metrics. */
  stats(): { readonly records: number; readonly watched: number; readonly waiting: number };
}

/**
 * For installations with an authorizer besides RBAC, a webhook: the index does not know who may enter what, and each workspace is reviewed
 * for each caller (SubjectAccessReview). What changes there is noticed as late as the next review.
 */
export function createReviewSource(options: ReviewSourceOptions): ReviewSource {
  const { index, reviewerOf, log, clock = systemClock, mostRecords = 1000 } = options;
  const turns = new Turns(options.concurrency ?? 32, options.mostWaiting ?? 10_000);
  const watched = new Set<ReviewRecord>();
  let forgottenAt = -1n;
  const settings: RecordSettings = {
    index,
    turns,
    clock,
    interval: options.interval ?? 5_000,
    staleAfter: options.staleAfter ?? 60_000,
    mostCandidates: options.mostCandidates ?? 10_000,
    onError: err => log.warn({ err }, 'who may enter which workspaces could not be reviewed'),
    watched,
    forgottenAt: () => forgottenAt,
  };
  // In the order of use: a Map keeps the order of insertion.
  const records = new Map<string, ReviewRecord>();

  function recordOf(caller: Caller, viewer: Viewer, parent: string | undefined): ReviewRecord {
    const key = `${digestOf(caller)} ${parent ?? '*'}`;
    const found = records.get(key);
    const record =
      found ??
      new ReviewRecord(settings, {
        viewer,
        parent,
        ask: target => review(reviewerOf, caller, target, target.isMount ? target.name : undefined),
      });
    records.delete(key);
    records.set(key, record);
    forgetOthers(record);
    return record;
  }

  /** Those that are watched stay: their callers will come again with what they have been told. */
  function forgetOthers(newest: ReviewRecord): void {
    for (const [key, record] of records) {
      if (records.size <= mostRecords) return;
      if (record === newest || record.isWatched) continue;
      records.delete(key);
      record.forget();
      forgottenAt = index.version;
    }
  }

  async function isGateOpen(caller: Caller, viewer: Viewer, parent: string | undefined): Promise<boolean> {
    const entrance = parent === undefined ? undefined : index.entrance(parent);
    if (!entrance?.open) return false;
    return viewer.in(entrance.cluster).isLocalServiceAccount || (await review(reviewerOf, caller, entrance));
  }

  return {
    async sightOf(caller, parent) {
      const viewer = viewerOf(caller);
      if (viewer.seesEverything) return createIndexSight(index, viewer);
      const record = recordOf(caller, viewer, parent);
      const [gate] = await Promise.all([isGateOpen(caller, viewer, parent), record.refresh()]);
      return sightOf(index, record, parent, gate);
    },
    stop() {
      for (const record of [...watched]) record.stop();
    },
    stats: () => ({ records: records.size, watched: watched.size, waiting: turns.waiting }),
  };
}

function sightOf(index: WorkspaceIndex, record: ReviewRecord, of: string | undefined, gate: boolean): Sight {
  const isWithin = (parent: string | undefined, snapshot: Snapshot | undefined): boolean =>
    (of === undefined || snapshot?.parent === of) && (parent === undefined || snapshot?.parent === parent);
  return {
    get version() {
      return index.version;
    },
    *list(parent) {
      for (const seen of record.list()) if (isWithin(parent, seen.snapshot)) yield seen;
    },
    get(parent, name) {
      const snapshot = index.find(parent, name);
      return isWithin(parent, snapshot) ? record.seen(snapshot) : undefined;
    },
    mayEnter: cluster => cluster === of && gate,
    watch: (version, parent, listener) =>
      record.watch(version, event => {
        if (isWithin(parent, event.snapshot)) listener(event);
      }),
  };
}

const digestOf = perObject(({ name, uid, groups, extra }: Caller): string => {
  const sorted = Object.entries(extra).sort(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([name, uid, groups, sorted]))
    .digest('base64');
});
