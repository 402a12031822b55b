import { isDeepStrictEqual } from 'node:util';
import type { InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import {
  type BindingFacts,
  type IndexWriter,
  type LogicalClusterFacts,
  NOBODY,
  type RoleFacts,
  type WorkspaceObject,
} from '../index/facts.ts';
import { bindingFacts, logicalClusterFacts, roleFacts, workspaceFacts } from './parse-facts.ts';

export type Resource = 'clusterroles' | 'clusterrolebindings' | 'logicalclusters' | 'workspaces';

export const RESOURCES: readonly Resource[] = ['clusterroles', 'clusterrolebindings', 'logicalclusters', 'workspaces'];

/** All that is kept of an object of a shard. */
export interface Kept extends KubeObject {
  readonly cluster: string;
  readonly name: string;
  /** Absent: it decides nothing. */
  readonly facts?: RoleFacts | BindingFacts | LogicalClusterFacts | WorkspaceObject;
}

/** How the objects of one resource become facts of the index. */
export interface ResourceFeed {
  readonly path: string;
  /** Asked over all logical clusters, the path needs the identity of the resource's export at its end. */
  readonly needsIdentity: boolean;
  readonly keep: (object: KubeObject) => Kept;
  readonly write: (event: InformerEvent<Kept>) => void;
}

const RBAC = '/clusters/*/apis/rbac.authorization.k8s.io/v1';

/** Every logical cluster has one, of this name. */
const LOGICAL_CLUSTER_NAME = 'cluster';

/** `onUnusableGroups` is told of a logical cluster that comes to ask for groups that nobody can have, or for more than are looked at. */
export function resourceFeeds(
  shard: string,
  index: IndexWriter,
  onUnusableGroups: (cluster: string) => void = () => undefined,
): Readonly<Record<Resource, ResourceFeed>> {
  const logicalClusters = feed(
    '/clusters/*/apis/core.kcp.io/v1alpha1/logicalclusters',
    object => (object.metadata?.name === LOGICAL_CLUSTER_NAME ? logicalClusterFacts(object) : undefined),
    (cluster, _, facts) => index.logicalCluster(shard, cluster, facts),
  );
  return {
    clusterroles: feed(`${RBAC}/clusterroles`, roleFacts, (cluster, name, facts) => index.role(shard, cluster, name, facts)),
    clusterrolebindings: feed(`${RBAC}/clusterrolebindings`, bindingFacts, (cluster, name, facts) =>
      index.binding(shard, cluster, name, facts),
    ),
    logicalclusters: {
      ...logicalClusters,
      write(event) {
        const { object, previous } = event;
        if (event.type !== 'DELETED' && isUnusable(object) && !isUnusable(previous)) onUnusableGroups(object.cluster);
        logicalClusters.write(event);
      },
    },
    workspaces: {
      ...feed('/clusters/*/apis/tenancy.kcp.io/v1alpha1/workspaces', workspaceFacts, (cluster, name, object) =>
        index.workspace(shard, cluster, name, object),
      ),
      needsIdentity: true,
    },
  };
}

function feed<F extends NonNullable<Kept['facts']>>(
  path: string,
  factsOf: (object: KubeObject) => F | undefined,
  write: (cluster: string, name: string, facts: F | undefined) => void,
): ResourceFeed {
  return {
    path,
    needsIdentity: false,
    keep(object) {
      const facts = factsOf(object);
      return { cluster: clusterOf(object), name: object.metadata?.name ?? '', ...(facts && { facts }) };
    },
    write({ type, object, previous }) {
      const facts = type === 'DELETED' ? undefined : (object.facts as F | undefined);
      // Most changes of most objects are to what does not count here.
      if (!isDeepStrictEqual(facts, previous?.facts)) write(object.cluster, object.name, facts);
    },
  };
}

const isUnusable = (kept: Kept | undefined): boolean =>
  kept?.facts !== undefined && (kept.facts as LogicalClusterFacts).requiredGroups === NOBODY;
