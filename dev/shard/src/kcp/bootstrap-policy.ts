import { GROUP_AUTHENTICATED, GROUP_MASTERS, GROUP_UNAUTHENTICATED } from '@kcp-vw/shared/authn/identity.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { PolicyRule } from '@kcp-vw/shared/kube/rbac.ts';
import { POLICY_SUBJECT_PREFIX } from './maximal-permission-policy.ts';
import { RBAC_GROUP } from './rbac.ts';

export const KCP_ADMIN_GROUP = 'system:kcp:admin';
export const BOOTSTRAPPER_GROUP = 'system:kcp:tenancy:workspace-bootstrapper';
export const LOGICAL_CLUSTER_ADMIN_GROUP = 'system:kcp:logical-cluster-admin';
export const EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP = 'system:kcp:external-logical-cluster-admin';
export const WORKSPACE_ACCESS_ROLE = 'system:kcp:workspace:access';

const READ = ['get', 'list', 'watch'];
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];
const DISCOVERY = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/healthz',
  '/livez',
  '/openapi',
  '/openapi/*',
  '/readyz',
  '/version',
  '/version/',
];
const PUBLIC = ['/healthz', '/livez', '/readyz', '/version', '/version/'];

/** The roles that count in every logical cluster; they are stored in `system:admin`. Those of Kubernetes that a workspace knows first. */
const CLUSTER_ROLES: Readonly<Record<string, readonly PolicyRule[]>> = {
  'cluster-admin': EVERYTHING,
  'system:discovery': [{ verbs: ['get'], nonResourceURLs: DISCOVERY }],
  'system:public-info-viewer': [{ verbs: ['get'], nonResourceURLs: PUBLIC }],
  'system:basic-user': [
    {
      verbs: ['create'],
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    },
    { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  ],
  'system:kcp:tenancy:reader': [
    { verbs: READ, apiGroups: ['tenancy.kcp.io'], resources: ['workspaces', 'workspacetypes'] },
    { verbs: READ, apiGroups: ['core.kcp.io'], resources: ['logicalclusters'] },
  ],
  [BOOTSTRAPPER_GROUP]: EVERYTHING,
  [LOGICAL_CLUSTER_ADMIN_GROUP]: [
    { verbs: ['*'], apiGroups: ['core.kcp.io'], resources: ['logicalclusters', 'logicalclusters/status'] },
    { verbs: ['delete', 'update', 'get'], apiGroups: ['tenancy.kcp.io'], resources: ['workspaces'] },
  ],
  [EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP]: [
    { verbs: ['delete', 'update', 'get'], apiGroups: ['core.kcp.io'], resources: ['logicalclusters', 'logicalclusters/status'] },
    { verbs: ['delete', 'update', 'patch', 'get'], apiGroups: ['tenancy.kcp.io'], resources: ['workspaces'] },
    { verbs: ['get'], apiGroups: [''], resources: ['serviceaccounts', 'secrets'] },
    { verbs: ['access'], nonResourceURLs: ['/'] },
    { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'] },
  ],
  [WORKSPACE_ACCESS_ROLE]: [{ verbs: ['access'], nonResourceURLs: ['/'] }],
};

/** Binding → role and groups. */
const CLUSTER_ROLE_BINDINGS: Readonly<Record<string, readonly [role: string, ...groups: string[]]>> = {
  'cluster-admin': ['cluster-admin', GROUP_MASTERS],
  'system:discovery': ['system:discovery', GROUP_AUTHENTICATED],
  'system:public-info-viewer': ['system:public-info-viewer', GROUP_AUTHENTICATED, GROUP_UNAUTHENTICATED],
  'system:basic-user': ['system:basic-user', GROUP_AUTHENTICATED],
  'system:kcp:admin:cluster-admin': ['cluster-admin', KCP_ADMIN_GROUP],
  [BOOTSTRAPPER_GROUP]: [BOOTSTRAPPER_GROUP, BOOTSTRAPPER_GROUP],
  [LOGICAL_CLUSTER_ADMIN_GROUP]: [LOGICAL_CLUSTER_ADMIN_GROUP, LOGICAL_CLUSTER_ADMIN_GROUP],
  [EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP]: [EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP, EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP],
};

const USE_TYPES: PolicyRule = {
  verbs: ['use'],
  apiGroups: ['tenancy.kcp.io'],
  resources: ['workspacetypes'],
  resourceNames: ['universal', 'organization', 'team'],
};

/** What everyone may do with the resources of root's exports, at most. */
const POLICIES: Readonly<Record<string, readonly PolicyRule[]>> = {
  tenancy: [
    {
      verbs: ['*'],
      apiGroups: ['tenancy.kcp.io'],
      resources: ['workspaces', 'workspaceauthenticationconfigurations', 'workspacetypes'],
    },
    { verbs: READ, apiGroups: ['tenancy.kcp.io'], resources: ['workspaces/status', 'workspacetypes/status'] },
  ],
  topology: [{ verbs: ['*'], apiGroups: ['topology.kcp.io'], resources: ['partitions', 'partitionsets'] }],
};
const policyRole = (which: string): string => `system:kcp:apiexport:${which}:maximal-permission-policy`;
const policyBinding = (which: string): string => `system:kcp:authenticated:apiexport:${which}:maximal-permission-policy`;

/** What `root` has besides: everyone who is authenticated may enter it, look around and use its workspace types. */
const ROOT_CLUSTER_ROLES: Readonly<Record<string, readonly PolicyRule[]>> = {
  'system:kcp:universal-workspacetype-use': [USE_TYPES],
  'system:kcp:home-clusterworkspace-create': [
    { verbs: ['get', 'create'], apiGroups: ['tenancy.kcp.io'], resources: ['workspaces'], resourceNames: ['~'] },
  ],
  ...Object.fromEntries(
    ['tenancy', 'topology'].map(group => [
      `system:kcp:apiexport:${group}:bind`,
      [{ verbs: ['bind'], apiGroups: ['apis.kcp.io'], resources: ['apiexports'], resourceNames: [`${group}.kcp.io`] }],
    ]),
  ),
  ...Object.fromEntries(Object.entries(POLICIES).map(([name, rules]) => [policyRole(name), rules])),
  [policyRole('kcp-admin')]: [{ verbs: ['*'], apiGroups: ['tenancy.kcp.io'], resources: ['*'] }],
};

const ROOT_CLUSTER_ROLE_BINDINGS: Readonly<Record<string, readonly [role: string, ...groups: string[]]>> = {
  'system:kcp:tenancy:authenticated:access': [WORKSPACE_ACCESS_ROLE, GROUP_AUTHENTICATED],
  'system:kcp:authenticated:tenancy:reader': ['system:kcp:tenancy:reader', GROUP_AUTHENTICATED],
  'system:kcp:authenticated:universal-workspacetype-use': ['system:kcp:universal-workspacetype-use', GROUP_AUTHENTICATED],
  'system:kcp:configured-group:home-clusterworkspace-create': ['system:kcp:home-clusterworkspace-create', GROUP_AUTHENTICATED],
  'system:kcp:authenticated:apiexport:tenancy:bind': ['system:kcp:apiexport:tenancy:bind', GROUP_AUTHENTICATED],
  'system:kcp:authenticated:apiexport:topology:bind': ['system:kcp:apiexport:topology:bind', GROUP_AUTHENTICATED],
  ...Object.fromEntries(
    Object.keys(POLICIES).map(name => [
      policyBinding(name),
      [policyRole(name), POLICY_SUBJECT_PREFIX + GROUP_AUTHENTICATED] as const,
    ]),
  ),
  [policyBinding('kcp-admin')]: [policyRole('kcp-admin'), POLICY_SUBJECT_PREFIX + KCP_ADMIN_GROUP],
};

export interface PolicyObjects {
  readonly clusterRoles: readonly KubeObject[];
  readonly clusterRoleBindings: readonly KubeObject[];
}

export const bootstrapPolicy = (): PolicyObjects => policyObjects(CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS);

export const rootPolicy = (): PolicyObjects => policyObjects(ROOT_CLUSTER_ROLES, ROOT_CLUSTER_ROLE_BINDINGS);

function policyObjects(
  roles: Readonly<Record<string, readonly PolicyRule[]>>,
  bindings: Readonly<Record<string, readonly [role: string, ...groups: string[]]>>,
): PolicyObjects {
  return {
    clusterRoles: Object.entries(roles).map(([name, rules]) => ({
      apiVersion: `${RBAC_GROUP}/v1`,
      kind: 'ClusterRole',
      metadata: { name },
      rules,
    })),
    clusterRoleBindings: Object.entries(bindings).map(([name, [role, ...groups]]) =>
      clusterRoleBinding(
        name,
        role,
        groups.map(group => ({ kind: 'Group', name: group })),
      ),
    ),
  };
}

/** A ClusterRoleBinding of a ClusterRole to users and groups. */
export const clusterRoleBinding = (
  name: string,
  role: string,
  subjects: readonly { readonly kind: 'User' | 'Group'; readonly name: string }[],
): KubeObject => ({
  apiVersion: `${RBAC_GROUP}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: role },
  subjects: subjects.map(subject => ({ apiGroup: RBAC_GROUP, ...subject })),
});
