import { forbiddenObject } from '@kcp-vw/shared/kube/errors.ts';
import type { StoreReader } from './loopback.ts';
import type { LogicalCluster } from './objects.ts';
import { LOGICAL_CLUSTERS } from './refs.ts';
import { logicalClusterOf } from './workspace-paths.ts';

const ANNOTATIONS = ['core.kcp.io/inactive', 'internal.kcp.io/inactive'];

const OPEN = ['/openapi', '/apis/core.kcp.io/v1alpha1/logicalclusters'];

/** What can be asked of an inactive logical cluster all the same: how else could it become active again? `path`: below `/clusters/<cluster>`. */
export const isOpenWhileInactive = (path: string): boolean => OPEN.some(prefix => path.startsWith(prefix));

export const isInactive = ({ metadata }: LogicalCluster): boolean =>
  ANNOTATIONS.some(annotation => metadata.annotations?.[annotation] === 'true');

/** Throws a StatusError 403, to masters as well, for a path in a logical cluster that is marked inactive. */
export function refuseInactive(objects: StoreReader, cluster: string, path: string): void {
  if (isOpenWhileInactive(path)) return;
  const logicalCluster = logicalClusterOf(objects, cluster);
  if (logicalCluster === undefined || !isInactive(logicalCluster)) return;
  throw forbiddenObject(LOGICAL_CLUSTERS, cluster, 'logical cluster is marked inactive');
}
