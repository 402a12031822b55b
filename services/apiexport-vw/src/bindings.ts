import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { AcceptableClaim, ApiBinding, ApiExport, ExportKey, PermissionClaim } from './apis-kcp-io.ts';
import { claimableApis, claimedAs } from './claimable-apis.ts';

/** Only what decides over access is kept of each binding. */
export function slimBinding(binding: KubeObject): ApiBinding {
  const { metadata, spec, status } = binding as ApiBinding;
  const { name, uid, resourceVersion } = metadata ?? {};
  return Object.freeze({
    metadata: {
      ...(name !== undefined && { name }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      annotations: { 'kcp.io/cluster': clusterOf(binding) },
    },
    spec: { ...(spec?.reference && { reference: spec.reference }), permissionClaims: spec?.permissionClaims ?? [] },
    status: {
      ...(status?.apiExportClusterName && { apiExportClusterName: status.apiExportClusterName }),
      ...(status?.phase && { phase: status.phase }),
      boundResources: (status?.boundResources ?? []).map(({ group, resource }) => ({ group, resource })),
    },
  });
}

/** Names of the indexes that the informer of bindings needs, and their keys. */
export const BINDING_INDEXES = { cluster: (binding: ApiBinding): string[] => [clusterOf(binding)] };

/**
 * The binding by which a logical cluster has invited an export in. Until its status names the export's logical cluster, its spec may do so.
 * Of several the first by name counts.
 */
export function bindingOf(
  bindings: Pick<Informer<ApiBinding>, 'byIndex'>,
  cluster: string,
  exported: ExportKey,
): ApiBinding | undefined {
  const found = bindings.byIndex('cluster', cluster).filter(({ spec, status }) => {
    const reference = spec?.reference?.export;
    return reference?.name === exported.name && (status?.apiExportClusterName || reference.path) === exported.cluster;
  });
  return found.sort((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1))[0];
}

/**
 * Whether the binding makes it the export's own resource. One that the shard has by itself never is, whatever an export calls its schemas and
 * a binding has bound: it is claimed, or not to be had.
 */
export function isBound({ status }: ApiBinding, group: string, resource: string): boolean {
  if (claimableApis({ group, resource }) !== undefined) return false;
  return (status?.boundResources ?? []).some(bound => bound.group === group && bound.resource === resource);
}

/** The claims to a resource that the binding accepts. */
export function acceptedClaims({ spec }: ApiBinding, group: string, resource: string): readonly AcceptableClaim[] {
  const as = claimedAs(group, resource);
  return (spec?.permissionClaims ?? []).filter(
    claim => claim.state === 'Accepted' && (claim.group ?? '') === as.group && claim.resource === as.resource,
  );
}

/** The verbs that both sides name. Literally: `*` on one side and `get` on the other have nothing in common. */
export function agreedVerbs(exported: ApiExport, accepted: PermissionClaim): readonly string[] {
  const same = (a: PermissionClaim, b: PermissionClaim): boolean =>
    (a.group ?? '') === (b.group ?? '') && a.resource === b.resource && (a.identityHash ?? '') === (b.identityHash ?? '');
  const asked = exported.spec?.permissionClaims?.find(claim => same(claim, accepted));
  return (accepted.verbs ?? []).filter(verb => asked?.verbs?.includes(verb));
}
