/** Groups by which kcp knows its own (`pkg/authorization/bootstrap/policy.go`). */

/** May do everything in all workspaces. */
export const KCP_ADMIN_GROUP = 'system:kcp:admin';
/** Makes what a new workspace begins with. */
export const WORKSPACE_BOOTSTRAPPER_GROUP = 'system:kcp:tenancy:workspace-bootstrapper';
/** The scheduler, which makes LogicalClusters: nothing is asked of it. */
export const LOGICAL_CLUSTER_ADMIN_GROUP = 'system:kcp:logical-cluster-admin';
/**
 * The controllers of workspaces, which tend LogicalClusters: required groups are not asked of them. Through the front proxy they read and patch the
 * Workspace of a LogicalCluster to note its shard (`reconciler/core/logicalcluster`), as soon as it is there and in whatever phase: also when nobody may
 * enter it. So all workspaces are shown to them.
 */
export const EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP = 'system:kcp:external-logical-cluster-admin';
