import { isDeepStrictEqual } from 'node:util';
import { withCondition } from './conditions.ts';
import { ownerAnnotation } from './logical-cluster-state.ts';
import type { Loopback } from './loopback.ts';
import type { LogicalCluster, Phase, Workspace } from './objects.ts';
import type { OtherShards } from './other-shards.ts';
import { LOGICAL_CLUSTER_NAME, LOGICAL_CLUSTERS, PHASE_LABEL, SHARD_ANNOTATION, WORKSPACES } from './refs.ts';
import { CLUSTER_ANNOTATION, FINALIZER, schedule } from './scheduling.ts';
import { logicalClusterOf } from './workspace-paths.ts';

/** Moves a workspace on by one step: it gets a place, a logical cluster there, and shows the state of that one. */
export function reconcileWorkspace(objects: Loopback, others: OtherShards, cluster: string, name: string): void {
  const workspace = objects.get<Workspace>(WORKSPACES, cluster, name);
  if (workspace === undefined) return;
  if (workspace.metadata.deletionTimestamp) {
    if (reconcileDeletion(objects, others, cluster, workspace)) return;
  } else if (!workspace.spec?.cluster) {
    schedule(objects, others, cluster, workspace);
    return;
  }
  reconcileStatus(objects, others, cluster, workspace);
}

/** The objects of the shard that the workspace has been placed on; undefined before that. */
function objectsThere(others: OtherShards, { metadata }: Workspace): Loopback | undefined {
  const shard = metadata.annotations?.[SHARD_ANNOTATION];
  return shard === undefined ? undefined : others.objectsOf(shard);
}

/** Deletes the logical cluster first and lets the workspace go when it has gone. True: there is nothing else to do with the workspace. */
function reconcileDeletion(objects: Loopback, others: OtherShards, cluster: string, workspace: Workspace): boolean {
  const { metadata, spec } = workspace;
  const name = spec?.cluster ?? metadata.annotations?.[CLUSTER_ANNOTATION] ?? '';
  const there = objectsThere(others, workspace);
  const logicalCluster = there && logicalClusterOf(there, name);
  if (there === undefined || logicalCluster === undefined) {
    const finalizers = (metadata.finalizers ?? []).filter(finalizer => finalizer !== FINALIZER);
    objects.update(WORKSPACES, cluster, { ...workspace, metadata: { ...metadata, finalizers } });
    return true;
  }
  if (!logicalCluster.metadata.deletionTimestamp) there.delete(LOGICAL_CLUSTERS, name, LOGICAL_CLUSTER_NAME);
  return false;
}

function reconcileStatus(objects: Loopback, others: OtherShards, cluster: string, workspace: Workspace): void {
  const there = objectsThere(others, workspace);
  const logicalCluster = there && logicalClusterOf(there, workspace.spec?.cluster ?? '');
  const status = nextStatus(workspace, logicalCluster);
  const current = workspace.status?.phase;
  const phase = status?.phase ?? 'Scheduling';
  if (!isDeepStrictEqual(status, workspace.status)) objects.updateStatus(WORKSPACES, cluster, { ...workspace, status });
  if (workspace.metadata.labels?.[PHASE_LABEL] === phase && current === phase) return;
  const stored = objects.get<Workspace>(WORKSPACES, cluster, workspace.metadata.name ?? '');
  if (stored === undefined) return;
  const { metadata } = stored;
  const labels = { ...metadata.labels, [PHASE_LABEL]: phase };
  const annotations = { ...metadata.annotations, ...ownerAnnotation(stored) };
  objects.update(WORKSPACES, cluster, { ...stored, metadata: { ...metadata, labels, annotations } });
}

/** What a workspace shows of its logical cluster. */
export function nextStatus(workspace: Workspace, logicalCluster: LogicalCluster | undefined): Workspace['status'] {
  const { status = {}, metadata } = workspace;
  if (logicalCluster === undefined) return status;
  const { initializers = [], terminators = [] } = logicalCluster.status ?? {};
  const isWaiting = initializers.length > 0 || logicalCluster.status?.phase !== 'Ready';
  const scheduled = withCondition(status.conditions, { type: 'WorkspaceScheduled', status: 'True' });
  const conditions = metadata.deletionTimestamp
    ? (status.conditions ?? [])
    : withCondition(
        scheduled,
        isWaiting
          ? {
              type: 'WorkspaceInitialized',
              status: 'False',
              severity: 'Info',
              reason: 'InitializerExists',
              message: `Initializers still exist: [${initializers.join(' ')}]`,
            }
          : { type: 'WorkspaceInitialized', status: 'True' },
      );
  const { initializers: _initializers, terminators: _terminators, ...rest } = status;
  return {
    ...rest,
    phase: workspacePhase(workspace, logicalCluster),
    conditions,
    ...(initializers.length > 0 && { initializers }),
    ...(terminators.length > 0 && { terminators }),
  };
}

function workspacePhase({ metadata, status }: Workspace, { status: of = {} }: LogicalCluster): Phase {
  const { terminators = [], initializers = [], phase } = of;
  if (metadata.deletionTimestamp) return terminators.length > 0 ? 'Terminating' : 'Deleting';
  if (status?.phase === 'Ready') return 'Ready';
  return phase === 'Ready' && initializers.length === 0 ? 'Ready' : 'Initializing';
}
