import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import type { Reader } from './loopback.ts';
import type { LogicalCluster, Workspace } from './objects.ts';
import { LOGICAL_CLUSTER_NAME, LOGICAL_CLUSTERS, WORKSPACES } from './refs.ts';

const SEGMENT = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/** Whether the text can name a logical cluster or lead to one: `1abc`, `root:team:app`, `system:admin`. */
export const isClusterPath = (text: string): boolean => text.split(':').every(segment => SEGMENT.test(segment));

/** A logical cluster's name is one segment, or begins with `system:`; anything else is a path of workspaces. */
export const isClusterName = (text: string): boolean => !text.includes(':') || text.startsWith('system:');

/** Follows a path from workspace to workspace to the name of a logical cluster; undefined when a step does not exist. */
export function resolveClusterPath(objects: Reader, path: string): string | undefined {
  if (isClusterName(path)) return path;
  const [first = '', ...names] = path.split(':');
  let cluster: string | undefined = first;
  for (const name of names) {
    if (cluster === undefined || !logicalClusterExists(objects, cluster)) return undefined;
    cluster = objects.get<Workspace>(WORKSPACES, cluster, name)?.spec?.cluster;
  }
  return cluster;
}

export const logicalClusterExists = (objects: Reader, cluster: string): boolean =>
  objects.get(LOGICAL_CLUSTERS, cluster, LOGICAL_CLUSTER_NAME) !== undefined;

export const logicalClusterOf = (objects: Reader, cluster: string): LogicalCluster | undefined =>
  objects.get<LogicalCluster>(LOGICAL_CLUSTERS, cluster, LOGICAL_CLUSTER_NAME);

/** The path that people know a logical cluster by; its name where it has none. */
export function canonicalPath(objects: Reader, cluster: string): string {
  const found: KubeObject | undefined = logicalClusterOf(objects, cluster);
  return found?.metadata?.annotations?.[PATH_ANNOTATION] ?? cluster;
}
