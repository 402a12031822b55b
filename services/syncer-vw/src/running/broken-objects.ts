import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { createWorkQueue } from '@kcp-vw/shared/informer/work-queue.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { keysAfter } from '../controllers/intent-keys.ts';
import { type Consumers, reaches, type SyncTargets } from '../knowledge/knowledge.ts';
import { asSeen } from '../transform/as-seen.ts';
import { STATE_LABEL, SYNC, type SyncTargetKey, specDiffAnnotation, stateLabel } from '../transform/names.ts';
import { type BrokenOfTarget, createBrokenRegister } from './broken-register.ts';
import type { ErrorLog } from './error-log.ts';
import { describeKey, type FedObject, type ObjectFeeds, objectKey, pathOf } from './object-feeds.ts';
import { readObject } from './patch.ts';
import type { Controller } from './scheduler.ts';

export interface BrokenObjectsOptions {
  readonly feeds: Pick<ObjectFeeds, 'find' | 'list' | 'onEvent' | 'missing'>;
  readonly targets: Pick<SyncTargets, 'byKey' | 'onChange'>;
  readonly consumers: Pick<Consumers, 'letsIn'>;
  readonly errors: ErrorLog;
  readonly clock?: Clock;
}

export interface BrokenObjects extends Controller {
  of(target: SyncTargetKey): BrokenOfTarget | undefined;
  /** Whether all has been looked at, so that a target without broken objects has none. */
  isComplete(): boolean;
  /** Told the key of a target for which something has changed. */
  onChange(listener: (target: SyncTargetKey) => void): () => void;
}

/**
 * Knows which objects views cannot show, and why. It asks of every object what views ask of it: nobody has to report, and what is mended
 * is known as soon as it is.
 */
export function startBrokenObjects(options: BrokenObjectsOptions): BrokenObjects {
  const { feeds, targets, consumers, errors, clock = systemClock } = options;
  const register = createBrokenRegister();
  const listeners = new Set<(target: SyncTargetKey) => void>();
  let wasComplete = false;

  const queue = createWorkQueue({
    clock,
    onError: (key, err, attempt) => errors({ err, attempt, ...describeKey(key) }, 'not known whether it can be shown'),
    async work(key, signal) {
      const fed = feeds.find(key);
      const reasons = fed ? await reasonsOf(fed, signal) : new Map<SyncTargetKey, string>();
      for (const target of register.set(nameOf(key), reasons)) tell(target);
      return undefined;
    },
  });
  const tell = (target: SyncTargetKey): void => {
    if (register.isToBeReadAgain(target)) lookAtAllOf(target);
    for (const listener of [...listeners]) listener(target);
  };
  const lookAtAllOf = (target: SyncTargetKey): void => {
    for (const feed of feeds.list()) {
      for (const object of feed.informer.list()) if (isOn(object, target)) queue.add(objectKey({ feed, object }));
    }
  };

  /** Why it is not shown, to those that would be shown it. */
  const reasonsOf = async (fed: FedObject, signal: AbortSignal): Promise<ReadonlyMap<SyncTargetKey, string>> => {
    const cluster = clusterOf(fed.object);
    const keys = keysAfter(STATE_LABEL, fed.object.metadata?.labels).filter(key => {
      const target = targets.byKey(key);
      return isOn(fed.object, key) && target !== undefined && reaches(consumers, target.identity, cluster);
    });
    if (!keys.some(key => isSuspect(fed.object, key))) return new Map();
    // What is followed lacks most of the object.
    const object = await readObject({ upstream: fed.feed.upstream, signal }, pathOf(fed));
    return new Map(object ? keys.flatMap(key => reasonOf(object, key)) : []);
  };

  const stops = [
    feeds.onEvent((feed, { type, object, previous }) => {
      const key = objectKey({ feed, object });
      const isMarked = [object, ...(previous ? [previous] : [])].some(
        one => keysAfter(STATE_LABEL, one.metadata?.labels).length > 0,
      );
      if (isMarked || (type !== 'ADDED' && register.has(nameOf(key)))) queue.add(key);
    }),
    targets.onChange(({ type, target: { key } }) => {
      if (type === 'DELETED') register.forget(key);
      if (type === 'ADDED') lookAtAllOf(key);
    }),
  ];

  return {
    of: target => register.of(target),
    isComplete() {
      wasComplete ||= feeds.missing() === undefined && queue.isIdle();
      return wasComplete;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stats: () => queue.stats(),
    isIdle: () => queue.isIdle(),
    stop() {
      for (const stop of stops) stop();
      return queue.stop();
    },
  };
}

const isOn = ({ metadata }: KubeObject, key: SyncTargetKey): boolean => metadata?.labels?.[stateLabel(key)] === SYNC;

/** Whether the part of it that is known does not show that all is well. */
const isSuspect = (slim: KubeObject, key: SyncTargetKey): boolean =>
  'broken' in asSeen(slim, key) ||
  (slim.spec === undefined && slim.metadata?.annotations?.[specDiffAnnotation(key)] !== undefined);

function reasonOf(object: KubeObject, key: SyncTargetKey): readonly (readonly [SyncTargetKey, string])[] {
  const seen = asSeen(object, key);
  return 'broken' in seen ? [[key, seen.broken]] : [];
}

/** For people: where it is, and what. */
function nameOf(key: string): string {
  const { feed = '', cluster, namespace, object } = describeKey(key);
  const resource = feed.slice(feed.lastIndexOf('/') + 1);
  return [cluster, ...(namespace ? [namespace] : []), resource, object].join('/');
}
