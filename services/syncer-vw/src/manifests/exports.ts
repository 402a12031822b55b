import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';

/** The workspace of both exports, and of the service account that syncs, unless another is named. */
export const COMPUTE_WORKSPACE = 'root:compute';
/** SyncTargets. */
export const WORKLOAD_EXPORT = 'workload.kcp.io';
/** What SyncTargets support unless they say otherwise. */
export const COMPUTE_EXPORT = 'kubernetes';

export interface PermissionClaim {
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
}

/** Whether a syncer may see a SyncTarget is asked in the SyncTarget's workspace: this is how to ask there. */
export const WORKLOAD_CLAIMS: readonly PermissionClaim[] = [
  { group: 'authorization.k8s.io', resource: 'subjectaccessreviews', verbs: ['create'] },
];

/** What every syncer gets besides. Nothing of it is made or deleted: it is marked, and syncers put their finalizers on it. */
export const COMPUTE_CLAIMS: readonly PermissionClaim[] = ['configmaps', 'namespaces', 'secrets', 'serviceaccounts'].map(
  resource => ({
    group: '',
    resource,
    verbs: ['get', 'list', 'watch', 'update', 'patch'],
  }),
);

/** An APIExport of these schemas. */
export const exportOf = (
  name: string,
  schemas: readonly ApiResourceSchema[],
  permissionClaims: readonly PermissionClaim[],
): KubeObject => ({
  apiVersion: 'apis.kcp.io/v1alpha2',
  kind: 'APIExport',
  metadata: { name },
  spec: {
    resources: schemas.map(({ metadata, spec }) => ({
      group: spec?.group,
      name: spec?.names.plural,
      schema: metadata?.name,
      storage: { crd: {} },
    })),
    permissionClaims,
  },
});

/** Has the name of the export. All objects of the resources that it claims are accepted: what no SyncTarget is given, none sees. */
export const bindingTo = (
  workspace: string,
  exported: string,
  permissionClaims: readonly PermissionClaim[],
  name = exported,
): KubeObject => ({
  apiVersion: 'apis.kcp.io/v1alpha2',
  kind: 'APIBinding',
  metadata: { name },
  spec: {
    reference: { export: { path: workspace, name: exported } },
    permissionClaims: permissionClaims.map(claim => ({ ...claim, state: 'Accepted', selector: { matchAll: true } })),
  },
});
