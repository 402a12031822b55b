import { badRequest } from '@kcp-vw/shared/kube/errors.ts';
import { restOf, type Target } from '@kcp-vw/shared/target/target.ts';
import { isClusterPath } from './workspace-paths.ts';

/** A target taken apart: the logical cluster it is about, and what is asked of that one. */
export interface ClusterTarget {
  /** A name, a path, `*`; undefined where the target names none. */
  readonly cluster: string | undefined;
  readonly rest: Target;
}

/** Reads `/clusters/<cluster>/…` below `skip` segments. Throws a StatusError 400 for what can be no logical cluster. */
export function clusterTarget(target: Target, skip = 0): ClusterTarget {
  const [first, cluster] = target.segments.slice(skip);
  if (first !== 'clusters' || cluster === undefined) return { cluster: undefined, rest: restOf(target, skip) };
  if (cluster !== '*' && !isClusterPath(cluster)) {
    throw badRequest(`invalid cluster: ${JSON.stringify(cluster)} does not match the regex`);
  }
  return { cluster, rest: restOf(target, skip + 2) };
}
