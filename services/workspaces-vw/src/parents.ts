import { homeClusterOf } from '@kcp-vw/shared/target/home-cluster.ts';
import type { WorkspaceIndex } from './index/snapshot.ts';

/** Where the path of a home workspace begins: `user:<name>`. */
const HOMES = 'user';

/**
 * The logical cluster that a path leads to, as kcp's front proxy finds it: the name of one, or that of a home, then names of workspaces. Undefined
 * where it leads nowhere: to no workspace, to a mount, to a logical cluster that no shard has.
 */
export function clusterAt(path: string, index: Pick<WorkspaceIndex, 'find' | 'entrance'>): string | undefined {
  const [first = '', ...names] = path.split(':');
  let cluster = first === HOMES && names.length > 0 ? homeClusterOf(names.shift() as string) : first;
  for (const name of names) {
    const child = index.find(cluster, name)?.object.spec?.cluster;
    if (!child) return undefined;
    cluster = child;
  }
  return index.entrance(cluster) && cluster;
}
