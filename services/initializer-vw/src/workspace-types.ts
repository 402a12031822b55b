import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { WorkspaceType } from './lifecycle.ts';

/** WorkspaceTypes by the logical cluster they live in and their name. */
export interface WorkspaceTypes {
  find(cluster: string, name: string): WorkspaceType | undefined;
}

/** First the shard's own, then those that other shards have replicated into the cache. */
export function workspaceTypesOf(
  local: () => Informer<WorkspaceType> | undefined,
  cached: Informer<WorkspaceType>,
): WorkspaceTypes {
  return { find: (cluster, name) => local()?.get(cluster, name) ?? cached.get(cluster, name) };
}

/** Only what decides over content is kept of each type. */
export function slimWorkspaceType(type: WorkspaceType): WorkspaceType {
  const { initializerPermissions, terminatorPermissions } = type.spec ?? {};
  const { name, uid, resourceVersion, annotations } = type.metadata ?? {};
  return {
    metadata: {
      ...(name !== undefined && { name }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      annotations: { 'kcp.io/cluster': annotations?.['kcp.io/cluster'] ?? '' },
    },
    spec: {
      ...(initializerPermissions && { initializerPermissions }),
      ...(terminatorPermissions && { terminatorPermissions }),
    },
  };
}

const GROUP = 'tenancy.kcp.io';
const RESOURCE_PATH = `/apis/${GROUP}/v1alpha1/workspacetypes`;
/** The cache server needs no identity: it holds the system's own resources only. */
export const CACHED_WORKSPACE_TYPES_PATH = `/services/cache/shards/*/clusters/*${RESOURCE_PATH}`;

export const localWorkspaceTypesPath = (identity: string): string => `/clusters/*${RESOURCE_PATH}:${identity}`;

const IDENTITIES_PATH = '/clusters/system:shard/api/v1/namespaces/default/configmaps/apiexport-identity-cache';
const EXPORT_PATH = `/clusters/root/apis/apis.kcp.io/v1alpha2/apiexports/${GROUP}`;

/**
 * The identity hash of the tenancy APIExport, without which a wildcard request for its resources is not served: from the shard's own
 * record, else from the export in `root`. Undefined while the shard has neither; rejects with an `UpstreamError`.
 */
export async function tenancyIdentity(shard: Upstream): Promise<string | undefined> {
  const recorded = await read(shard, IDENTITIES_PATH);
  const fromRecord = (recorded?.data as Record<string, string> | undefined)?.[GROUP];
  if (fromRecord) return fromRecord;
  const exported = await read(shard, EXPORT_PATH);
  return (exported?.status as { identityHash?: string } | undefined)?.identityHash || undefined;
}

async function read(shard: Upstream, path: string): Promise<KubeObject | undefined> {
  const { status, body } = await requestJson<KubeObject>(shard, { method: 'GET', path });
  return status === 200 ? body : undefined;
}
