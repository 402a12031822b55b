import type { WorkOutcome } from '@kcp-vw/shared/informer/work-queue.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { intentKeys } from '../controllers/intent-keys.ts';
import { isNeverSynced, placedNamespace } from '../controllers/namespace-scheduling.ts';
import {
  type Expectation,
  expectationOfCluster,
  expectationOfNamespace,
  resourceSchedulingDecision,
} from '../controllers/resource-scheduling.ts';
import type { SyncTargets } from '../knowledge/knowledge.ts';
import { SYNC } from '../transform/names.ts';
import { accepts } from './accepted.ts';
import { type FedObject, type Feed, inCluster, type ObjectFeeds, pathOf } from './object-feeds.ts';
import { type Exchange, sendDelete, sendPatch } from './patch.ts';
import { isDeployment } from './slim.ts';
import { isOfUnknown, mayBeTarget, UNKNOWN_MS, vanishedFinalizersPatch } from './vanished.ts';
import { isVolumes } from './wanted-feeds.ts';

export interface ObjectSchedulerOptions {
  readonly feeds: Pick<ObjectFeeds, 'namespaces'>;
  readonly targets: Pick<SyncTargets, 'byKey' | 'complete'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const NOWHERE: Expectation = { keys: [], removals: new Map() };

/** Brings an object to the targets of its namespace. */
export async function scheduleObject(
  fed: FedObject,
  options: ObjectSchedulerOptions,
  signal: AbortSignal,
): Promise<WorkOutcome | undefined> {
  const { feed, object } = fed;
  const { targets, now } = options;
  const namespaces = options.feeds.namespaces(feed.base);
  // A namespace that has not been read yet must not look like one that is on no target. Nor must all of them, when a server that starts
  // says for a moment that it knows of none: what has a namespace is not there without any. What is deleted leaves wherever that is.
  const isKnown = namespaces?.informer.synced() && namespaces.size > 0;
  if (!namespaces || (!isKnown && !object.metadata?.deletionTimestamp)) return { recheckAfterMs: UNKNOWN_MS };
  const decision = resourceSchedulingDecision(object, expectation(fed, namespaces, targets), {
    isTarget: mayBeTarget(targets),
    // The coordinator admits deployments when each target has its share; volumes wait for whoever knows about storage.
    initialState: isDeployment(feed.resource) || isVolumes(feed.resource) ? '' : SYNC,
    now: now(),
  });
  const exchange: Exchange = { upstream: feed.upstream, signal };
  if (decision && 'patch' in decision) {
    const outcome = await sendPatch(exchange, pathOf(fed), decision.patch);
    if (outcome === 'changed' || outcome === 'gone') return { again: true };
  } else if (decision && isUpsynced(feed)) return deleteOrphan(fed, targets, exchange);
  return isOfUnknown(object, targets) && !targets.complete() ? { recheckAfterMs: UNKNOWN_MS } : undefined;
}

/** The finalizers of syncers first, which nobody else is left to take away. */
async function deleteOrphan(
  fed: FedObject,
  targets: ObjectSchedulerOptions['targets'],
  exchange: Exchange,
): Promise<WorkOutcome | undefined> {
  const patch = vanishedFinalizersPatch(fed.object, targets);
  if (patch) {
    const outcome = await sendPatch(exchange, pathOf(fed), patch);
    if (outcome === 'changed' || outcome === 'gone') return { again: true };
  }
  const { uid, deletionTimestamp } = fed.object.metadata ?? {};
  if (deletionTimestamp) return undefined;
  return (await sendDelete(exchange, pathOf(fed), uid)) === 'changed' ? { again: true } : undefined;
}

function expectation(fed: FedObject, namespaces: Feed, targets: ObjectSchedulerOptions['targets']): Expectation {
  const { feed, object } = fed;
  if (isOnlyUpsynced(feed)) return NOWHERE;
  const cluster = clusterOf(object);
  if (!feed.isNamespaced) {
    const placements = inCluster(namespaces, cluster).map(one => placedNamespace(one).current);
    return acceptedOf(fed, expectationOfCluster(placements), targets);
  }
  const name = object.metadata?.namespace ?? '';
  const namespace = isNeverSynced(name) ? undefined : namespaces.informer.get(cluster, name);
  if (namespace === undefined) return NOWHERE;
  const expected = expectationOfNamespace(namespace);
  return acceptedOf(fed, namespace.metadata?.deletionTimestamp ? staying(expected, object) : expected, targets);
}

/**
 * An object comes only to targets that accept its resource: others would hold a share of it that they cannot see. It does not leave
 * those that accept it no longer, which may be for the moment only.
 */
const acceptedOf = (
  { feed, object }: FedObject,
  expected: Expectation,
  targets: ObjectSchedulerOptions['targets'],
): Expectation => {
  const current = intentKeys(object);
  const isComing = (key: string): boolean => {
    const target = targets.byKey(key);
    return target !== undefined && accepts(target.object, feed);
  };
  return { ...expected, keys: expected.keys.filter(key => current.includes(key) || isComing(key)) };
};

/** What is in a namespace that is being deleted goes nowhere any more. */
const staying = (expected: Expectation, object: KubeObject): Expectation => {
  const current = intentKeys(object);
  return { ...expected, keys: expected.keys.filter(key => current.includes(key)) };
};

/** Targets make them, and so they end with their target. A label alone must not delete anything else. */
const isUpsynced = ({ resource }: Feed): boolean => isVolumes(resource) || isOnlyUpsynced({ resource });

/** No syncer is given them. */
const isOnlyUpsynced = ({ resource: { group, resource } }: Pick<Feed, 'resource'>): boolean =>
  group === '' && (resource === 'pods' || resource === 'endpoints');
