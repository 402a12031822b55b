import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
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

const RESOURCE_PATH = '/apis/tenancy.kcp.io/v1alpha1/workspacetypes';
/** The cache server needs no identity: it holds the system's own resources only. */
export const CACHED_WORKSPACE_TYPES_PATH = `/services/cache/shards/*/clusters/*${RESOURCE_PATH}`;

export const localWorkspaceTypesPath = (identity: string): string => `/clusters/*${RESOURCE_PATH}:${identity}`;
