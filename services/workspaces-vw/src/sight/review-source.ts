import { createHash } from 'node:crypto';
import { ANONYMOUS, type Caller } from '@kcp-vw/shared/authn/identity.ts';
import { perObject } from '@kcp-vw/shared/authn/per-object.ts';
import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Snapshot, WorkspaceIndex } from '../index/snapshot.ts';
import type { TimeOfDay } from './creator.ts';
import { createIndexSight } from './index-sight.ts';
import { type RecordSettings, ReviewRecord } from './review-record.ts';
import { ReviewRecords } from './review-records.ts';
import { type ReviewerOf, review, type Target } from './review-target.ts';
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
  /** Callers, each with a parent, of whom it is kept what they may enter; default 1,000. Those with open watches stay. */
  readonly mostRecords?: number;
  /** Answers that are kept for all callers together; default 200,000. */
  readonly mostAnswers?: number;
  readonly now?: TimeOfDay;
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
  const { index, reviewerOf, log, clock = systemClock, now = Date.now } = options;
  const turns = new Turns(options.concurrency ?? 32, options.mostWaiting ?? 10_000);
  const watched = new Set<ReviewRecord>();
  const bounds = { mostRecords: options.mostRecords ?? 1000, mostAnswers: options.mostAnswers ?? 200_000 };
  const records = new ReviewRecords<ReviewRecord>(bounds, index);
  const settings: RecordSettings = {
    index,
    turns,
    clock,
    interval: options.interval ?? 5_000,
    staleAfter: options.staleAfter ?? 60_000,
    mostCandidates: options.mostCandidates ?? 10_000,
    onError: err => log.warn({ err }, 'who may enter which workspaces could not be reviewed'),
    watched,
    records,
    now,
  };

  function recordOf(caller: Caller, viewer: Viewer, parent: string | undefined): ReviewRecord {
    const key = `${digestOf(caller)} ${parent ?? '*'}`;
    const ask = (target: Target): Promise<boolean> =>
      review(reviewerOf, caller, target, target.isMount ? target.name : undefined);
    return records.use(key, caller.name, () => new ReviewRecord(settings, { key, viewer, parent, ask }));
  }

  async function isGateOpen(caller: Caller, viewer: Viewer, parent: string | undefined): Promise<boolean> {
    const entrance = parent === undefined ? undefined : index.entrance(parent);
    if (!entrance?.open) return false;
    if (viewer.in(entrance.cluster).isLocalServiceAccount) return true;
    return turns.take(caller.name, () => review(reviewerOf, caller, entrance));
  }

  return {
    async sightOf(caller, parent) {
      const viewer = viewerOf(caller);
      if (viewer.seesEverything) return createIndexSight(index, viewer, now);
      const isOpen = await isGateOpen(caller, viewer, parent);
      const record = recordOf(caller, viewer, parent);
      record.isGateOpen = isOpen;
      // Who is nobody costs one review, and not one for each of the workspaces.
      if (isOpen || caller.name !== ANONYMOUS) await record.refresh();
      return sightOf(index, record, parent, isOpen);
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
    *list(parent, isPast = () => false) {
      for (const seen of record.list(isPast)) if (isWithin(parent, seen.snapshot)) yield seen;
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
