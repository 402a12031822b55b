import { GROUP_MASTERS } from '@kcp-vw/shared/authn/identity.ts';
import type { Reviewer } from '@kcp-vw/shared/authz/reviewer.ts';
import { resourceNotServed } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { isClusterSegment } from '@kcp-vw/shared/target/cluster-name.ts';
import type { RequestInfo } from '@kcp-vw/shared/target/request-info.ts';
import {
  type Answer,
  allow,
  type Call,
  type Decision,
  defineView,
  deny,
  forward,
  refuse,
  transform,
  type View,
} from '@kcp-vw/shared/view/view.ts';
import { SINGLE_APIS, WILDCARD_APIS } from './apis.ts';
import { answerContent, type LifecycleScope } from './content.ts';
import { isSelected, type Lifecycle, type LogicalCluster, selectorFor, TERMINATING } from './lifecycle.ts';
import { parseLifecycleName } from './lifecycle-name.ts';
import type { LogicalClusters } from './logical-clusters.ts';
import { admitStatus } from './status-admission.ts';
import type { WorkspaceTypes } from './workspace-types.ts';

export interface LifecycleDependencies {
  /** Reaches the logical clusters of any shard. */
  readonly reviewer: Reviewer;
  readonly logicalClusters: LogicalClusters;
  readonly workspaceTypes: WorkspaceTypes;
  readonly ready: Readonly<Record<string, () => string | undefined>>;
}

/** The three parts of a lifecycle view: all LogicalClusters that wait for a name, one of them, and the content of its workspace. */
export type Part = 'all' | 'one' | 'content';

/** One lifecycle view: `/services/<view>/<name>/clusters/<cluster or *>`. */
export function lifecycleView(lifecycle: Lifecycle, dependencies: LifecycleDependencies): View<LifecycleScope> {
  return defineView<LifecycleScope>({
    name: lifecycle.view,
    path: '/:name/clusters/:cluster',
    resolve: scope => (isClusterSegment(scope.cluster) ? scope : undefined),
    apis: ({ cluster }, request) => APIS[partOf(lifecycle, cluster, request)],
    healthIsForwarded: ({ cluster }, request) => partOf(lifecycle, cluster, request) === 'content',
    // kcp's own tests compare it field by field.
    aggregatedDiscovery: false,
    authorize: call => authorize(lifecycle, call, dependencies.reviewer),
    answer: async call => {
      switch (partOf(lifecycle, call.scope.cluster, call.request)) {
        case 'all':
          return answerAll(lifecycle, call);
        case 'one':
          return answerOne(lifecycle, call, dependencies.logicalClusters);
        case 'content':
          return answerContent(lifecycle, call, dependencies.logicalClusters, dependencies.workspaceTypes);
      }
    },
    ready: dependencies.ready,
  });
}

const APIS = { all: WILDCARD_APIS, one: SINGLE_APIS, content: undefined };

export function partOf(lifecycle: Lifecycle, cluster: string, request: RequestInfo): Part {
  if (cluster === '*') return 'all';
  if (request.isResourceRequest) {
    return request.apiGroup === 'core.kcp.io' && plainResource(request) === 'logicalclusters' ? 'one' : 'content';
  }
  const isDiscovery = request.path !== '/' && request.path !== '/healthz';
  return isDiscovery && !lifecycle.contentDiscovery ? 'one' : 'content';
}

/** Without an identity: for one logical cluster a shard strips it after it has authorized, and serves the resource itself. */
const plainResource = ({ resource }: RequestInfo): string => resource.split(':', 1)[0] ?? '';

/** The owner of the WorkspaceType decides who may initialize (terminate): one review there, whatever is asked of the view. */
async function authorize(lifecycle: Lifecycle, { caller, scope }: Call<LifecycleScope>, reviewer: Reviewer): Promise<Decision> {
  if (caller.groups.includes(GROUP_MASTERS)) return allow(GROUP_MASTERS);
  const name = parseLifecycleName(scope.name);
  if (name === undefined) return deny(`malformed ${lifecycle.role} ${JSON.stringify(scope.name)}`);
  const { verb } = lifecycle;
  const resource = { group: 'tenancy.kcp.io', version: 'v1alpha1', resource: 'workspacetypes', verb, name: name.type };
  const { allowed } = await reviewer.review(name.cluster, { user: caller, resource });
  // The review's own reason may speak of roles and workspaces that the caller cannot see.
  return allowed ? allow(`may ${verb} ${name.cluster}:${name.type}`) : deny('access denied');
}

/** A: the shard applies the labels. What is being deleted has no label of its own, so that is looked at here, object by object. */
function answerAll(lifecycle: Lifecycle, { scope, request }: Call<LifecycleScope>): Answer {
  if (request.verb === 'get') return request.isResourceRequest ? refuse(resourceNotServed()) : SHARD_VERSION;
  const because = `LogicalClusters that wait for the ${lifecycle.role} ${JSON.stringify(scope.name)}`;
  const plan = { cluster: '*', select: selectorFor(lifecycle, scope.name), because };
  if (lifecycle !== TERMINATING) return forward(plan);
  return transform({
    ...plan,
    reads: 'metadata',
    object: object => (object.metadata?.deletionTimestamp ? object : undefined),
  });
}

/** B: read as it is on the shard, if it is in the selection; its status may be written within limits. */
function answerOne(
  lifecycle: Lifecycle,
  { scope, request }: Call<LifecycleScope>,
  logicalClusters: Pick<LogicalClusters, 'changing'>,
): Answer {
  if (!request.isResourceRequest) return SHARD_VERSION;
  return transform({
    cluster: scope.cluster,
    customKind: 'LogicalCluster',
    reads: 'metadata',
    object: object => (isSelected(lifecycle, scope.name, object as LogicalCluster) ? object : undefined),
    admit: (stored: KubeObject, proposed: KubeObject) => {
      const refused = admitStatus(lifecycle, scope.name, stored, proposed);
      if (refused === undefined) logicalClusters.changing(scope.cluster);
      return refused;
    },
    because: `the LogicalCluster of ${scope.cluster}, while it waits for the ${lifecycle.role} ${JSON.stringify(scope.name)}`,
  });
}

/** `/version` is the shard's, whatever logical cluster it is asked of. This one is on every shard. */
const SHARD_VERSION = forward({ cluster: 'system:admin', because: 'version of the shard' });
