import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { createWorkQueue, type WorkQueueStats } from '@kcp-vw/shared/informer/work-queue.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { intentKeys } from '../controllers/intent-keys.ts';
import { type Consumers, type KnownSyncTarget, reaches, type SyncTargets } from '../knowledge/knowledge.ts';
import type { SyncTargetKey } from '../transform/names.ts';
import { schedulingFacts } from './accepted.ts';
import { createOnce, type ErrorLog } from './error-log.ts';
import { scheduleNamespace } from './namespace-scheduler.ts';
import { describeKey, type FedObject, type ObjectFeeds, objectKey } from './object-feeds.ts';
import { scheduleObject } from './object-scheduler.ts';
import { isOfUnknown } from './vanished.ts';
import { isNamespaces } from './wanted-feeds.ts';

export interface SchedulerOptions {
  readonly feeds: ObjectFeeds;
  readonly targets: SyncTargets;
  readonly consumers: Consumers;
  readonly log: Pick<Logger, 'warn'>;
  readonly errors: ErrorLog;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly clock?: Clock;
}

export interface Controller {
  stats(): WorkQueueStats;
  /** Nothing is to be done now. */
  isIdle(): boolean;
  stop(): Promise<void>;
}

/** When to ask again whether everything is known that scheduling needs. */
const MISSING_MS = 1_000;
/** Changes that concern everything are gathered for so long. */
const GATHER_MS = 200;

/** Brings namespaces to targets, and what is in them. */
export function startScheduler(options: SchedulerOptions): Controller {
  const { feeds, targets, consumers, log, errors, now, clock = systemClock } = options;
  const isNew = createOnce();
  const facts = new Map<SyncTargetKey, string>();

  const queue = createWorkQueue({
    clock,
    onError: (key, err, attempt) => errors({ err, attempt, ...describeKey(key) }, 'not scheduled; trying again'),
    async work(key, signal) {
      const fed = feeds.find(key);
      if (fed === undefined) return undefined;
      if (targets.missing() !== undefined || consumers.missing() !== undefined) return { recheckAfterMs: MISSING_MS };
      if (!isNamespaces(fed.feed.resource)) return scheduleObject(fed, { feeds, targets, now }, signal);
      return scheduleNamespace(fed, { targets, consumers, now, onProblem }, signal);
    },
  });

  const onProblem = (namespace: FedObject['object'], problem: string): void => {
    const where = { cluster: clusterOf(namespace), namespace: namespace.metadata?.name ?? '' };
    if (isNew(JSON.stringify([where, problem]))) log.warn({ ...where, problem }, 'the namespace stays where it is');
  };

  const addAll = (isWanted: (fed: FedObject) => boolean): void => {
    for (const feed of feeds.list()) {
      for (const object of feed.informer.list()) if (isWanted({ feed, object })) queue.add(objectKey({ feed, object }));
    }
  };
  /** What concerns all namespaces or objects, together with what else does in this moment. */
  let gathered: { readonly cancel: () => void; readonly isWanted: ((fed: FedObject) => boolean)[] } | undefined;
  const addLater = (isWanted?: (fed: FedObject) => boolean): void => {
    gathered ??= {
      isWanted: [],
      cancel: clock.after(GATHER_MS, () => {
        const wanted = new Set(gathered?.isWanted);
        gathered = undefined;
        if (changed.size > 0) wanted.add(concernedBy([...changed.values()], consumers));
        changed.clear();
        addAll(fed => [...wanted].some(one => one(fed)));
      }),
    };
    if (isWanted && !gathered.isWanted.includes(isWanted)) gathered.isWanted.push(isWanted);
  };
  const everyNamespace = ({ feed }: FedObject): boolean => isNamespaces(feed.resource);
  /** Targets of which something has changed that decides over what they concern: what they accept decides over objects, too. */
  const changed = new Map<SyncTargetKey, KnownSyncTarget>();
  const isOrphan = (fed: FedObject): boolean => isOfUnknown(fed.object, targets);

  const stops = [
    feeds.onEvent((feed, { type, object }) => {
      if (type !== 'DELETED') queue.add(objectKey({ feed, object }));
      if (!isNamespaces(feed.resource)) return;
      const [cluster, name] = [clusterOf(object), object.metadata?.name ?? ''];
      for (const one of feeds.inNamespace(feed.base, cluster, name)) queue.add(objectKey(one));
      for (const one of feeds.withoutNamespace(feed.base, cluster)) queue.add(objectKey(one));
    }),
    targets.onChange(({ type, target }) => {
      if (type === 'DELETED') {
        facts.delete(target.key);
        changed.set(target.key, target);
        addLater(isOrphan);
        return;
      }
      const said = schedulingFacts(target.object);
      if (facts.get(target.key) === said) return;
      facts.set(target.key, said);
      changed.set(target.key, target);
      addLater();
    }),
    consumers.onChange(() => addLater(everyNamespace)),
  ];
  for (const { key, object } of targets.list()) facts.set(key, schedulingFacts(object));

  return {
    stats: () => queue.stats(),
    isIdle: () => queue.isIdle() && gathered === undefined,
    stop() {
      for (const stop of stops) stop();
      gathered?.cancel();
      return queue.stop();
    },
  };
}

/**
 * What is in logical clusters that one of the targets has to do with, or is on one of them. Everybody makes SyncTargets, and changes
 * them as often as he likes: what is of others is not looked at again for that.
 */
function concernedBy(
  targets: readonly KnownSyncTarget[],
  consumers: Pick<Consumers, 'letsIn'>,
): (fed: Pick<FedObject, 'object'>) => boolean {
  const keys = new Set(targets.map(({ key }) => key));
  const providers = [...new Set(targets.map(({ identity }) => identity.cluster))];
  const reached = new Map<string, boolean>();
  return ({ object }) => {
    const cluster = clusterOf(object);
    const isReached = reached.get(cluster) ?? providers.some(provider => reaches(consumers, { cluster: provider }, cluster));
    reached.set(cluster, isReached);
    return isReached || intentKeys(object).some(key => keys.has(key));
  };
}
