import { PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import { homeClusterOf } from '@kcp-vw/shared/target/home-cluster.ts';
import type { Reader, StoreReader } from './loopback.ts';
import type { LogicalCluster, Workspace } from './objects.ts';
import { LOGICAL_CLUSTER_NAME, LOGICAL_CLUSTERS, WORKSPACES } from './refs.ts';

const SEGMENT = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/** Whether the text can name a logical cluster or lead to one: `1abc`, `root:team:app`, `system:admin`. */
export const isClusterPath = (text: string): boolean => text.split(':').every(segment => SEGMENT.test(segment));

/** A logical cluster's name is one segment, or begins with `system:`; anything else is a path of workspaces. */
export const isClusterName = (text: string): boolean => !text.includes(':') || text.startsWith('system:');

/**
 * Follows a path from workspace to workspace to the name of a logical cluster. Undefined when a step does not exist on this shard: kcp's
 * shards have no idea of the workspaces of others. A name is not looked for.
 */
export function resolveClusterPath(objects: Reader, path: string): string | undefined {
  return isClusterName(path) ? path : findCluster([objects], path)?.cluster;
}

export interface FoundCluster<Shard> {
  readonly shard: Shard;
  readonly cluster: string;
}

/**
 * Follows a path, or a name, over all the shards to the logical cluster and the one that has it. It leads to no system cluster: every
 * shard has its own.
 */
export function findCluster<Shard extends StoreReader>(shards: readonly Shard[], path: string): FoundCluster<Shard> | undefined {
  const on = (cluster: string | undefined): FoundCluster<Shard> | undefined => {
    const shard = cluster ? shards.find(one => logicalClusterExists(one, cluster)) : undefined;
    return shard && { shard, cluster: cluster ?? '' };
  };
  const [first, ...names] = withHomeResolved(path.split(':'));
  return names.reduce(
    (found, name) => found && on(found.shard.get<Workspace>(WORKSPACES, found.cluster, name)?.spec?.cluster),
    on(first),
  );
}

/** `user:<name>` is another name for the logical cluster of a home workspace. */
function withHomeResolved(segments: readonly string[]): readonly string[] {
  const [first, user, ...others] = segments;
  return first === 'user' && user !== undefined ? [homeClusterOf(user), ...others] : segments;
}

export const logicalClusterExists = (objects: StoreReader, cluster: string): boolean =>
  objects.get(LOGICAL_CLUSTERS, cluster, LOGICAL_CLUSTER_NAME) !== undefined;

export const logicalClusterOf = (objects: StoreReader, cluster: string): LogicalCluster | undefined =>
  objects.get<LogicalCluster>(LOGICAL_CLUSTERS, cluster, LOGICAL_CLUSTER_NAME);

/** The path that people know a logical cluster by; its name where it has none. */
export function canonicalPath(objects: Reader, cluster: string): string {
  const found = objects.find<LogicalCluster>(LOGICAL_CLUSTERS, cluster, LOGICAL_CLUSTER_NAME);
  return found?.metadata.annotations?.[PATH_ANNOTATION] ?? cluster;
}
