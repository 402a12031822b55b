import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import type { ExportReference } from './api-objects.ts';
import type { Authorize } from './authorizer.ts';
import type { Reader } from './loopback.ts';
import { API_EXPORTS, ROOT } from './refs.ts';

export interface AdmissionContext {
  readonly objects: Reader;
  readonly authorize: Authorize;
}

/**
 * The logical cluster of an export that is named in one. An export without a path is beside whoever names it, and root's may come later:
 * neither need exist.
 */
export function exportCluster({ objects }: AdmissionContext, cluster: string, { path = '', name }: ExportReference) {
  if (path === '') return cluster;
  if (path === ROOT) return ROOT;
  const found = objects.findByPath(API_EXPORTS, path, name);
  return found && clusterOf(found);
}

/** Whether the user may bind the export, asked in the logical cluster of the export. */
export function mayBind({ authorize }: AdmissionContext, cluster: string, user: Identity, name: string): boolean {
  const request = {
    isResourceRequest: true,
    path: '',
    verb: 'bind',
    apiGroup: 'apis.kcp.io',
    resource: 'apiexports',
    subresource: '',
    namespace: '',
    name,
  };
  return authorize(cluster, user, request, { deep: true }).allowed;
}

/** 403 of an admission plugin. */
export const refused = (resource: string, name: string, why: string): StatusError =>
  new StatusError('Forbidden', `${resource}.apis.kcp.io "${name}" is forbidden: ${why}`, {
    ...(name !== '' && { name }),
    group: 'apis.kcp.io',
    kind: resource,
  });
