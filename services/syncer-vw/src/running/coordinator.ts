import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import { createWorkQueue, type WorkOutcome } from '@kcp-vw/shared/informer/work-queue.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { deploymentSplitPatch, isSplitAlike } from '../controllers/deployment-split.ts';
import { areReportsAlike, deploymentStatusPatch } from '../controllers/deployment-status.ts';
import type { MergePatch } from '../controllers/merge-patch.ts';
import { BrokenObject } from '../transform/broken-object.ts';
import { createOnce, type ErrorLog, shortened } from './error-log.ts';
import { describeKey, type FedObject, type ObjectFeeds, objectKey, pathOf } from './object-feeds.ts';
import { sendPatch } from './patch.ts';
import type { Controller } from './scheduler.ts';
import { isDeployment, slimmed } from './slim.ts';

export interface CoordinatorOptions {
  readonly feeds: Pick<ObjectFeeds, 'find' | 'onEvent'>;
  readonly log: Pick<Logger, 'warn'>;
  readonly errors: ErrorLog;
  readonly clock?: Clock;
}

/** Divides the replicas of Deployments among their targets, and adds up what these report. */
export function startCoordinator({ feeds, log, errors, clock = systemClock }: CoordinatorOptions): Controller {
  const isNew = createOnce();
  const queue = createWorkQueue({
    clock,
    onError: (key, err, attempt) => errors({ err, attempt, ...describeKey(key) }, 'not coordinated; trying again'),
    async work(key, signal) {
      const fed = feeds.find(key);
      return fed && coordinate(fed, problem => onBroken(fed.object, problem), signal);
    },
  });

  const onBroken = ({ metadata = {}, ...object }: KubeObject, problem: string): void => {
    const where = { cluster: clusterOf({ metadata, ...object }), namespace: metadata.namespace, deployment: metadata.name };
    if (isNew(JSON.stringify([where, metadata.uid, problem]))) {
      log.warn(shortened({ ...where, problem }), 'the deployment is left as it is until it changes');
    }
  };

  const stop = feeds.onEvent((feed, event) => {
    if (isDeployment(feed.resource) && event.type !== 'DELETED' && matters(event)) {
      queue.add(objectKey({ feed, object: event.object }));
    }
  });
  return {
    stats: () => queue.stats(),
    isIdle: () => queue.isIdle(),
    stop() {
      stop();
      return queue.stop();
    },
  };
}

async function coordinate(
  fed: FedObject,
  onBroken: (problem: string) => void,
  signal: AbortSignal,
): Promise<WorkOutcome | undefined> {
  const { feed } = fed;
  const slim = slimmed(feed.resource);
  let current = fed.object;
  for (const decide of [split, deploymentStatusPatch]) {
    const patch = unlessBroken(() => decide(current), onBroken);
    if (patch === undefined) continue;
    const outcome = await sendPatch({ upstream: feed.upstream, signal }, pathOf(fed), patch);
    if (outcome === 'changed' || outcome === 'gone') return { again: true };
    current = slim(outcome.stored);
  }
  return undefined;
}

const split = (deployment: KubeObject): MergePatch | undefined => deploymentSplitPatch(deployment, { admitPending: true });

/** What cannot be read is as it is until somebody changes it, and then it is looked at again. */
function unlessBroken<T>(decide: () => T, onBroken: (problem: string) => void): T | undefined {
  try {
    return decide();
  } catch (error) {
    if (!(error instanceof BrokenObject)) throw error;
    onBroken(error.message);
    return undefined;
  }
}

/** Most changes of a Deployment are those of its status, which this very service writes. */
function matters({ object, previous }: InformerEvent<KubeObject>): boolean {
  if (previous === undefined) return true;
  const isAlike = unlessBroken(
    // Somebody may have changed the shares themselves: of ours nothing is left to be done.
    () => isSplitAlike(previous, object) && areReportsAlike(previous, object) && split(object) === undefined,
    () => undefined,
  );
  // What cannot be compared may have become readable.
  return isAlike !== true;
}
