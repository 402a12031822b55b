import { isDeepStrictEqual } from 'node:util';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { resourceKey } from '../store/definition.ts';
import type { Change } from '../store/event-log.ts';
import { namespaceObject } from '../store/kubernetes-resources.ts';
import { reconcileDeletionOf } from './deletion-controller.ts';
import { reconcileLogicalCluster, reconcileOwner } from './logical-cluster-controller.ts';
import type { ShardFacts } from './logical-cluster-state.ts';
import type { Loopback } from './loopback.ts';
import { isOfEveryNamespace, reconcileNamespaceContents } from './namespace-contents.ts';
import type { LogicalCluster, Workspace } from './objects.ts';
import type { OtherShards } from './other-shards.ts';
import { API_BINDINGS, LOGICAL_CLUSTERS, NAMESPACES, SECRETS, SHARDS, WORKSPACE_TYPES, WORKSPACES } from './refs.ts';
import { queueMarks, reconcileMark } from './replication-marks.ts';
import { reconcileAccountSecret } from './service-account-secrets.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import { WorkQueue } from './work-queue.ts';
import { reconcileWorkspace } from './workspace-controller.ts';
import { logicalClusterOf } from './workspace-paths.ts';
import { reconcileWorkspaceType } from './workspace-type-controller.ts';

/** The initializer of the type `universal`, which the shard itself takes care of. */
const UNIVERSAL = 'root:universal';

export interface ControllersOptions {
  readonly objects: Loopback;
  readonly others: OtherShards;
  readonly facts: ShardFacts;
  /** PEM: what verifies the shard, which every namespace tells. */
  readonly certificates: string;
  readonly tokens: ServiceAccountTokens;
  readonly onError: (error: unknown, what: string) => void;
}

const KEY = {
  apiBindings: resourceKey(API_BINDINGS),
  logicalClusters: resourceKey(LOGICAL_CLUSTERS),
  namespaces: resourceKey(NAMESPACES),
  secrets: resourceKey(SECRETS),
  shards: resourceKey(SHARDS),
  workspaces: resourceKey(WORKSPACES),
  workspaceTypes: resourceKey(WORKSPACE_TYPES),
};

const keyOf = (cluster: string, name: string): string => `${cluster}|${name}`;

function split(key: string): [cluster: string, name: string] {
  const bar = key.indexOf('|');
  return [key.slice(0, bar), key.slice(bar + 1)];
}

export interface Controllers {
  /** Has a workspace looked at again, whose logical cluster has changed. */
  lookAtWorkspace(cluster: string, name: string): void;
  stop(): void;
}

/** Starts everything that makes a shard of a store: what follows changes, a moment later. */
export function startControllers({ objects, others, facts, certificates, tokens, onError }: ControllersOptions): Controllers {
  const queue = (name: string, work: (key: string) => void): WorkQueue =>
    new WorkQueue(work, { onError: (error, key) => onError(error, `${name} ${key}`) });
  const logicalClusters = queue('logical cluster', cluster => reconcileLogicalCluster(objects, cluster, facts));
  const owners = queue('owner of', cluster => reconcileOwner(objects, cluster));
  const bootstrapper = queue('bootstrapping of', cluster => bootstrapUniversal(objects, cluster));
  const workspaces = queue('workspace', key => reconcileWorkspace(objects, others, ...split(key)));
  const namespaces = queue('contents of namespace', key => reconcileNamespaceContents(objects, ...split(key), certificates));
  const secrets = queue('token of', key => {
    const [cluster, namespace = '', name = ''] = key.split('|');
    reconcileAccountSecret(objects, cluster ?? '', { namespace, name }, { tokens, certificates });
  });
  const types = queue('workspace type', key => reconcileWorkspaceType(objects, ...split(key)));
  const marks = queue('mark of', key => reconcileMark(objects, key));
  const deletions: WorkQueue = queue('deletion of', cluster => {
    const again = reconcileDeletionOf(objects, cluster);
    if (again !== undefined) deletions.addAfter(cluster, again);
  });

  const onLogicalCluster = ({ type, cluster, object }: Change): void => {
    for (const one of [logicalClusters, owners, bootstrapper, deletions]) one.add(cluster);
    const owner = (object as LogicalCluster).spec?.owner;
    if (owner) others.tellOwner(owner.cluster, owner.name);
    if (type === 'DELETED') objects.registry.removeCluster(cluster);
  };

  const stopListening = objects.store.onChange(change => {
    const { type, resource, cluster, name, object } = change;
    queueMarks(marks, objects, change);
    if (isOfEveryNamespace(change)) namespaces.add(keyOf(cluster, object.metadata?.namespace ?? ''));
    if (resource === KEY.logicalClusters) onLogicalCluster(change);
    else if (resource === KEY.workspaces) workspaces.add(keyOf(cluster, name));
    else if (resource === KEY.namespaces && type === 'ADDED' && !cluster.startsWith('system:'))
      namespaces.add(keyOf(cluster, name));
    else if (resource === KEY.secrets) secrets.add([cluster, object.metadata?.namespace ?? '', name].join('|'));
    else if (resource === KEY.workspaceTypes) types.add(keyOf(cluster, name));
    else if (isBeingDeleted(objects, cluster)) {
      // Nothing is left after the bindings. Content that is made in the meantime goes, too.
      deletions.addAfter(cluster, resource === KEY.apiBindings && type === 'DELETED' ? 2 : 500);
    }
  });
  const addAll = (queue: WorkQueue, all: readonly KubeObject[]): void => {
    for (const object of all) queue.add(keyOf(clusterOf(object), object.metadata?.name ?? ''));
  };
  const stopListeningToCache = objects.cache.store.onChange(({ resource }) => {
    if (resource === KEY.shards) {
      addAll(types, objects.list(WORKSPACE_TYPES, '*'));
      addAll(workspaces, objects.list<Workspace>(WORKSPACES, '*').filter(isUnscheduled));
    }
  });
  return {
    lookAtWorkspace: (cluster, name) => workspaces.add(keyOf(cluster, name)),
    stop() {
      stopListening();
      stopListeningToCache();
      for (const one of [logicalClusters, owners, bootstrapper, workspaces, namespaces, secrets, types, marks, deletions])
        one.stop();
    },
  };
}

const isUnscheduled = ({ spec }: Workspace): boolean => !spec?.cluster;

const isBeingDeleted = (objects: Loopback, cluster: string): boolean =>
  Boolean(logicalClusterOf(objects, cluster)?.metadata.deletionTimestamp);

/** Gives a universal workspace its first namespaces and takes the initializer away. */
function bootstrapUniversal(objects: Loopback, cluster: string): void {
  const current = logicalClusterOf(objects, cluster);
  const initializers = current?.status?.initializers ?? [];
  if (current === undefined || !initializers.includes(UNIVERSAL)) return;
  for (const name of ['default', 'kube-system']) {
    if (objects.get(NAMESPACES, cluster, name) === undefined) objects.create(NAMESPACES, cluster, namespaceObject(name));
  }
  // The creation has told listeners, who may have changed this one.
  const latest = logicalClusterOf(objects, cluster) ?? current;
  const remaining = (latest.status?.initializers ?? []).filter(name => name !== UNIVERSAL);
  const { initializers: _all, ...rest } = latest.status ?? {};
  const status = { ...rest, ...(remaining.length > 0 && { initializers: remaining }) };
  if (!isDeepStrictEqual(status, latest.status)) objects.updateStatus(LOGICAL_CLUSTERS, cluster, { ...latest, status });
}
