import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { RawHeaders } from '@kcp-vw/shared/listener/headers.ts';
import { hasEncodedSlash, type Target } from '@kcp-vw/shared/target/target.ts';
import { SERVICES } from '@kcp-vw/shared/view/path-pattern.ts';

/** A resource of every logical cluster that a view answers for in the place of shards. */
interface TransparentPath {
  readonly view: string;
  /** The segments behind `/clusters/<cluster>`, decoded. Names and subresources may follow. */
  readonly resource: readonly string[];
}

/** What kcp-front-proxy may be told, in its mapping, to send here; it leaves the path as the client wrote it. */
const TRANSPARENT_PATHS: readonly TransparentPath[] = [
  { view: 'workspaces', resource: ['apis', 'tenancy.kcp.io', 'v1alpha1', 'workspaces'] },
];

/**
 * The view that answers for a path which does not name it. All logical clusters at once are nobody's view: informers of shards ask for them.
 * A slash that is encoded makes one segment of two: such a path is another one to whoever decodes it first, and none of these.
 */
export function transparentViewOf({ segments }: Target): string | undefined {
  const [root, cluster = '*', ...rest] = segments;
  if (root !== 'clusters' || cluster === '*' || hasEncodedSlash(cluster)) return undefined;
  return TRANSPARENT_PATHS.find(({ resource }) => resource.every((segment, i) => rest[i] === segment))?.view;
}

/** The request target by which a view gets what was sent to such a path: every byte of it stays, the query's too. */
export const urlInView = (view: string, url: string): string => `/${SERVICES}/${view}${url}`;

/**
 * The refusal of a request that was for a view, said so that a user of `kubectl --as` can make something of it: kcp-front-proxy passes
 * `Impersonate-*` on, and shards would have taken it.
 */
export function explainImpersonation(error: StatusError, view: string, headers: RawHeaders): StatusError {
  const isAsked = headers.some((name, i) => i % 2 === 0 && name.toLowerCase().startsWith('impersonate-'));
  if (error.code !== 403 || !isAsked) return error;
  const message = `${error.message}; ${view} shows each caller his own view, impersonation (--as) is not possible on it`;
  return new StatusError('Forbidden', message, error.status.details, { cause: error });
}
