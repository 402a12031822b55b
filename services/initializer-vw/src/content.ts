import { type Identity, identity } from '@kcp-vw/shared/authn/identity.ts';
import { withLifecycleGroup } from '@kcp-vw/shared/authn/impersonation.ts';
import { perObject } from '@kcp-vw/shared/authn/per-object.ts';
import { notFound } from '@kcp-vw/shared/kube/errors.ts';
import { rulesAllow } from '@kcp-vw/shared/kube/rbac.ts';
import type { RequestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { type Answer, type Call, forward, refuse } from '@kcp-vw/shared/view/view.ts';
import { isPending, type Lifecycle, type LogicalCluster } from './lifecycle.ts';
import { parseLifecycleName, SYSTEM_CLUSTER } from './lifecycle-name.ts';
import type { LogicalClusters } from './logical-clusters.ts';
import type { WorkspaceTypes } from './workspace-types.ts';

/**
 * Access to a workspace's content while it waits for `name`: with the permissions that the WorkspaceType grants, as the caller, or
 * without such permissions as the workspace's owner. Decided for each request on the LogicalCluster as it is at that moment: a cached
 * one could grant access that is gone.
 */
export async function answerContent(
  lifecycle: Lifecycle,
  call: Call<LifecycleScope>,
  logicalClusters: LogicalClusters,
  workspaceTypes: WorkspaceTypes,
): Promise<Answer> {
  const { name, cluster } = call.scope;
  const state = await logicalClusters.read(cluster);
  if (state === undefined) return refuse(notFound({ group: 'core.kcp.io', resource: 'logicalclusters' }, 'cluster'));
  if (!isPending(lifecycle, name, state)) {
    return refuse({ code: 403, text: `${lifecycle.role} ${JSON.stringify(name)} cannot access this workspace` });
  }

  const access = accessMode(lifecycle, call, state, workspaceTypes);
  if ('refused' in access) return access.refused;
  return forward({
    as: access.as,
    until: end =>
      logicalClusters.whenNot(
        state,
        current => isPending(lifecycle, name, current),
        () => end(`the ${lifecycle.role} ${JSON.stringify(name)} is no longer pending`),
      ),
    because: access.because,
  });
}

/** Parameters of the lifecycle views' path. A type, not an interface: a scope is a plain record. */
export type LifecycleScope = {
  readonly name: string;
  readonly cluster: string;
};

type Access = { readonly as: Identity; readonly because: string } | { readonly refused: Answer };

function accessMode(
  lifecycle: Lifecycle,
  call: Call<LifecycleScope>,
  state: LogicalCluster,
  workspaceTypes: WorkspaceTypes,
): Access {
  const { role } = lifecycle;
  const { name } = call.scope;
  const quoted = JSON.stringify(name);
  const parsed = parseLifecycleName(name);
  if (parsed === undefined) return { refused: refuse({ code: 503, text: `malformed ${role} ${quoted}` }) };
  if (parsed.cluster === SYSTEM_CLUSTER) return asOwner(call, state, `${role} ${quoted} of kcp itself`);

  const type = workspaceTypes.find(parsed.cluster, parsed.type);
  if (type === undefined) {
    // Never as the owner: that would hand out cluster-admin on the word of a name that nothing confirms.
    return {
      refused: refuse({ code: 503, text: `${role} ${quoted}: its WorkspaceType is neither on this shard nor in the cache` }),
    };
  }
  const rules = type.spec?.[lifecycle.permissionsField] ?? [];
  if (rules.length === 0) return asOwner(call, state, `${role} ${quoted} has no ${lifecycle.permissionsField}`);
  if (!rulesAllow(rules, call.request)) {
    const miss = `no rule allows ${call.request.verb} on ${describe(call.request)}`;
    return { refused: refuse({ code: 403, text: `${role} ${quoted} denied by ${lifecycle.permissionsField}: ${miss}` }) };
  }
  return {
    as: withLifecycleGroup(call.caller, lifecycle.groupPrefix + name),
    because: `${lifecycle.permissionsField} of ${quoted} allow it`,
  };
}

function asOwner(call: Call<LifecycleScope>, state: LogicalCluster, why: string): Access {
  const owner = ownerOf(state);
  if (owner === undefined) {
    const text = `LogicalCluster ${call.scope.cluster}|cluster had no createdBy recorded`;
    return { refused: refuse({ code: 500, text }) };
  }
  return {
    as: owner,
    because: `${why}: as the workspace's owner`,
  };
}

/** As recorded. Undefined without a name: impersonating nobody would be acting as ourselves, with masters' rights. */
const ownerOf = perObject(({ spec }: LogicalCluster): Identity | undefined => {
  const { username, groups = [], uid, extra } = spec?.createdBy ?? {};
  return username ? identity(username, groups, uid, extra) : undefined;
});

function describe(request: RequestInfo): string {
  if (!request.isResourceRequest) return request.path;
  const resource = [request.apiGroup || 'core', request.resource, request.subresource].filter(Boolean).join('/');
  const name = request.name ? ` (${request.name})` : '';
  return resource + name + (request.namespace ? ` in namespace ${request.namespace}` : '');
}
