/** The resources that the shard itself works with. */
const ref = (group: string, resource: string): { readonly group: string; readonly resource: string } =>
  Object.freeze({ group, resource });

export const NAMESPACES = ref('', 'namespaces');
export const CONFIG_MAPS = ref('', 'configmaps');
export const SECRETS = ref('', 'secrets');
export const SERVICE_ACCOUNTS = ref('', 'serviceaccounts');
export const ROLES = ref('rbac.authorization.k8s.io', 'roles');
export const ROLE_BINDINGS = ref('rbac.authorization.k8s.io', 'rolebindings');
export const CLUSTER_ROLES = ref('rbac.authorization.k8s.io', 'clusterroles');
export const CLUSTER_ROLE_BINDINGS = ref('rbac.authorization.k8s.io', 'clusterrolebindings');
export const CUSTOM_RESOURCE_DEFINITIONS = ref('apiextensions.k8s.io', 'customresourcedefinitions');
export const LOGICAL_CLUSTERS = ref('core.kcp.io', 'logicalclusters');
export const SHARDS = ref('core.kcp.io', 'shards');
export const WORKSPACES = ref('tenancy.kcp.io', 'workspaces');
export const WORKSPACE_TYPES = ref('tenancy.kcp.io', 'workspacetypes');
export const API_EXPORTS = ref('apis.kcp.io', 'apiexports');
export const API_EXPORT_ENDPOINT_SLICES = ref('apis.kcp.io', 'apiexportendpointslices');
export const API_RESOURCE_SCHEMAS = ref('apis.kcp.io', 'apiresourceschemas');
export const API_CONVERSIONS = ref('apis.kcp.io', 'apiconversions');
export const API_BINDINGS = ref('apis.kcp.io', 'apibindings');
export const PARTITIONS = ref('topology.kcp.io', 'partitions');

export const ROOT = 'root';
/** The shard that has the logical cluster `root`. */
export const ROOT_SHARD = 'root';
/** Where the policy lies that counts in every logical cluster. */
export const LOCAL_ADMIN_CLUSTER = 'system:admin';
/** What a shard knows about itself. */
export const SHARD_CLUSTER = 'system:shard';

/** The only name that a LogicalCluster has. */
export const LOGICAL_CLUSTER_NAME = 'cluster';

export const TYPE_ANNOTATION = 'internal.tenancy.kcp.io/type';
export const SHARD_ANNOTATION = 'core.kcp.io/shard';
/** On objects that every shard must know: the API groups that want it. */
export const REPLICATE_ANNOTATION = 'internal.kcp.io/replicate';
export const OWNER_ANNOTATION = 'experimental.tenancy.kcp.io/owner';
export const PHASE_LABEL = 'tenancy.kcp.io/phase';

/** Initializer of workspaces whose types have default API bindings. */
export const API_BINDINGS_INITIALIZER = 'system:apibindings';
