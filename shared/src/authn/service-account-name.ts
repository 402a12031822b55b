/** Service accounts by their user names, and what kcp adds to them (`staging/src/k8s.io/apiserver/pkg/authentication/serviceaccount`). */

export const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';

/**
 * Extra: the logical cluster that a service account lives in. Without it kcp takes an account for a local one in every workspace, and
 * with two values for a local one in both.
 */
export const CLUSTER_NAME_KEY = 'authentication.kcp.io/cluster-name';

/** Extra: where a user's rights count, `cluster:<name>`. */
export const SCOPES_KEY = 'authentication.kcp.io/scopes';

const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const NAMESPACE = new RegExp(`^${LABEL}$`);
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const SERVICE_ACCOUNT = new RegExp(`^${SERVICE_ACCOUNT_PREFIX}(${LABEL}):[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?$`);

export const isNamespaceName = (text: string): boolean => NAMESPACE.test(text);

/** Whether a text may be the name of a service account, a secret, a pod or a node. */
export const isObjectName = (text: string): boolean => text.length <= 253 && SUBDOMAIN.test(text);

/** The namespace in the user name of a service account; undefined when the name is none. */
export const namespaceOfServiceAccount = (name: string): string | undefined => SERVICE_ACCOUNT.exec(name)?.[1];

/** The groups of every service account of a namespace. */
export const serviceAccountGroups = (namespace: string): readonly string[] => [
  'system:serviceaccounts',
  `system:serviceaccounts:${namespace}`,
];

/** Grammar of kcp's `logicalcluster.Name`, those of the system left out: they are on every shard, so that an account there is nobody's. */
const WORKSPACE_CLUSTER = /^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/;

/** Whether a text is the name of a workspace's logical cluster, and so fit to stand in a path. */
export const isWorkspaceCluster = (text: string): boolean => WORKSPACE_CLUSTER.test(text);
