import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { PolicyRule } from '@kcp-vw/shared/kube/rbac.ts';
import { lifecycleLabel } from './lifecycle-name.ts';

/** A `core.kcp.io/v1alpha1 LogicalCluster`, as far as it matters here. */
export interface LogicalCluster extends KubeObject {
  spec?: { createdBy?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> } };
  status?: { phase?: string; initializers?: unknown; terminators?: unknown };
}

/** A `tenancy.kcp.io/v1alpha1 WorkspaceType`, as far as it matters here. */
export interface WorkspaceType extends KubeObject {
  spec?: { initializerPermissions?: PolicyRule[]; terminatorPermissions?: PolicyRule[] };
}

/** What tells the two lifecycle views apart. Everything else is the same for both. */
export interface Lifecycle {
  /** The view's name. */
  readonly view: 'initializingworkspaces' | 'terminatingworkspaces';
  /** What a name stands for, as messages call it. */
  readonly role: 'initializer' | 'terminator';
  /** The verb on the WorkspaceType that its owner needs. */
  readonly verb: 'initialize' | 'terminate';
  readonly statusField: 'initializers' | 'terminators';
  readonly permissionsField: 'initializerPermissions' | 'terminatorPermissions';
  /** The shard takes requests of this group plus the name as authorized. */
  readonly groupPrefix: string;
  readonly labelPrefix: string;
  /** Labels beyond the name's own. */
  readonly labels: readonly string[];
  /** What labels cannot say. */
  readonly inPhase: (cluster: LogicalCluster) => boolean;
  /** API group of the 422's details. `tenancy.kcp.io` for initializing is kcp's quirk, and clients may match it. */
  readonly invalidGroup: string;
  /** Whether discovery of one logical cluster shows the workspace's own APIs, or `logicalclusters` alone. */
  readonly contentDiscovery: boolean;
}

const PHASE_LABEL = 'tenancy.kcp.io/phase';
const isDeleted = (cluster: LogicalCluster): boolean => Boolean(cluster.metadata?.deletionTimestamp);

export const INITIALIZING: Lifecycle = {
  view: 'initializingworkspaces',
  role: 'initializer',
  verb: 'initialize',
  statusField: 'initializers',
  permissionsField: 'initializerPermissions',
  groupPrefix: 'system:kcp:initializer:',
  labelPrefix: 'initializer.internal.kcp.io/',
  labels: [`${PHASE_LABEL}=Initializing`],
  inPhase: cluster => cluster.status?.phase === 'Initializing',
  invalidGroup: 'tenancy.kcp.io',
  contentDiscovery: true,
};

export const TERMINATING: Lifecycle = {
  view: 'terminatingworkspaces',
  role: 'terminator',
  verb: 'terminate',
  statusField: 'terminators',
  permissionsField: 'terminatorPermissions',
  groupPrefix: 'system:kcp:terminator:',
  labelPrefix: 'terminator.internal.kcp.io/',
  labels: [],
  inPhase: isDeleted,
  invalidGroup: 'core.kcp.io',
  contentDiscovery: false,
};

/** The label selector that kcp's shard can apply. */
export function selectorFor(lifecycle: Lifecycle, name: string): string {
  const { key, value } = lifecycleLabel(lifecycle.labelPrefix, name);
  return [...lifecycle.labels, `${key}=${value}`].join(',');
}

/** The same selection on one object, by its labels, as a list through the view would have it. */
export function isSelected(lifecycle: Lifecycle, name: string, cluster: LogicalCluster): boolean {
  const labels = cluster.metadata?.labels ?? {};
  const { key, value } = lifecycleLabel(lifecycle.labelPrefix, name);
  if (labels[key] !== value) return false;
  if (lifecycle === TERMINATING) return isDeleted(cluster);
  return labels[PHASE_LABEL] === 'Initializing';
}

/** Whether the name is still awaited by the logical cluster itself. Labels follow its status late, so content access asks this. */
export function isPending(lifecycle: Lifecycle, name: string, cluster: LogicalCluster): boolean {
  return lifecycle.inPhase(cluster) && (namesIn(lifecycle, cluster) ?? []).includes(name);
}

/** The list of names in the status; undefined when it is not a list of strings. */
export function namesIn(lifecycle: Lifecycle, cluster: LogicalCluster): readonly string[] | undefined {
  const names = cluster.status?.[lifecycle.statusField] ?? [];
  return Array.isArray(names) && names.every(name => typeof name === 'string') ? names : undefined;
}
