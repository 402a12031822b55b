import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { PolicyRule } from '@kcp-vw/shared/kube/rbac.ts';
import { GROUP, RESOURCE } from '../controllers/sync-target.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io';
const apiVersion = `${RBAC_GROUP}/v1`;
const APIS_GROUP = 'apis.kcp.io';

/** SyncTargets are read and told of their URLs, resources and health; reviews are made. */
export const WORKLOAD_VERBS = ['get', 'list', 'watch', 'patch', 'create'];
/** What syncers do goes upstream as the service, and so does scheduling. */
export const COMPUTE_VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

/** `rbac.authorization.k8s.io/v1 Subject`. */
export type Subject =
  | { readonly kind: 'User' | 'Group'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly name: string; readonly namespace: string };

/** A ClusterRole, and a ClusterRoleBinding of the same name. */
export const grant = (name: string, rules: readonly PolicyRule[], subjects: readonly Subject[]): readonly KubeObject[] => [
  { apiVersion, kind: 'ClusterRole', metadata: { name }, rules },
  {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name },
    subjects: subjects.map(subject => (subject.kind === 'ServiceAccount' ? subject : { apiGroup: RBAC_GROUP, ...subject })),
  },
];

/**
 * What the service needs of an export: where it is served, what it exports, and its objects in all workspaces, with these verbs.
 */
export const serviceRules = (exported: string, contentVerbs: readonly string[]): readonly PolicyRule[] => [
  {
    apiGroups: [APIS_GROUP],
    resources: ['apiexports', 'apiexportendpointslices', 'apiresourceschemas'],
    verbs: ['get', 'list', 'watch'],
  },
  { apiGroups: [APIS_GROUP], resources: ['apiexports/content'], resourceNames: [exported], verbs: contentVerbs },
];

/** For those who may have the API of an export in their workspaces. */
export const bindRules = (exported: string): readonly PolicyRule[] => [
  { apiGroups: [APIS_GROUP], resources: ['apiexports'], resourceNames: [exported], verbs: ['bind'] },
];

/**
 * What the syncer of one SyncTarget may, for the workspace of the SyncTarget: be its syncer, read it, and write its status. It
 * needs no rights in the workspaces whose objects it syncs.
 */
export const syncerRoles = (syncTarget: string, subjects: readonly Subject[]): readonly KubeObject[] =>
  grant(
    `syncer:${syncTarget}`,
    [
      // List and watch are for those who ask with fieldSelector=metadata.name=<SyncTarget>.
      { apiGroups: [GROUP], resources: [RESOURCE], resourceNames: [syncTarget], verbs: ['sync', 'get', 'list', 'watch'] },
      { apiGroups: [GROUP], resources: [`${RESOURCE}/status`], resourceNames: [syncTarget], verbs: ['get', 'update', 'patch'] },
    ],
    subjects,
  );
