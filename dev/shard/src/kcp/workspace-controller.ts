import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import { withCondition } from './conditions.ts';
import { DELETION_FINALIZER, type ShardFacts } from './logical-cluster-state.ts';
import type { Loopback } from './loopback.ts';
import { newClusterName } from './names.ts';
import { compact, type LogicalCluster, type Phase, type RecordedUser, type Workspace } from './objects.ts';
import {
  LOGICAL_CLUSTER_NAME,
  LOGICAL_CLUSTERS,
  OWNER_ANNOTATION,
  PHASE_LABEL,
  SHARD_ANNOTATION,
  TYPE_ANNOTATION,
  WORKSPACES,
} from './refs.ts';
import { canonicalPath, logicalClusterOf } from './workspace-paths.ts';
import { findType, initializersOf, terminatorsOf, typeClosure } from './workspace-types.ts';

const FINALIZER = 'core.kcp.io/logicalcluster';
const CLUSTER_ANNOTATION = 'internal.tenancy.kcp.io/cluster';

/** Moves a workspace on by one step: it gets a place, a logical cluster there, and shows the state of that one. */
export function reconcileWorkspace(objects: Loopback, cluster: string, name: string, facts: ShardFacts): void {
  const workspace = objects.get<Workspace>(WORKSPACES, cluster, name);
  if (workspace === undefined) return;
  if (workspace.metadata.deletionTimestamp) {
    if (reconcileDeletion(objects, cluster, workspace)) return;
  } else if (!workspace.spec?.cluster) {
    schedule(objects, cluster, workspace, facts);
    return;
  }
  reconcileStatus(objects, cluster, workspace);
}

/** Two steps, so that a logical cluster is never made whose name is not written down. */
function schedule(objects: Loopback, cluster: string, workspace: Workspace, facts: ShardFacts): void {
  const { metadata, spec } = workspace;
  const annotations = metadata.annotations ?? {};
  const chosen = annotations[CLUSTER_ANNOTATION];
  if (chosen === undefined) {
    objects.update(WORKSPACES, cluster, {
      ...workspace,
      metadata: {
        ...metadata,
        annotations: { ...annotations, [SHARD_ANNOTATION]: facts.shardName, [CLUSTER_ANNOTATION]: newClusterName() },
        labels: { ...metadata.labels, [PHASE_LABEL]: 'Scheduling' },
        finalizers: [...(metadata.finalizers ?? []), FINALIZER],
      },
    });
    return;
  }
  const path = `${canonicalPath(objects, cluster)}:${metadata.name}`;
  if (logicalClusterOf(objects, chosen) === undefined) createLogicalCluster(objects, cluster, workspace, { chosen, path }, facts);
  objects.update(WORKSPACES, cluster, {
    ...workspace,
    spec: { ...spec, cluster: chosen, URL: `${facts.externalURL}/clusters/${path}` },
  });
}

function createLogicalCluster(
  objects: Loopback,
  parent: string,
  workspace: Workspace,
  { chosen, path }: { readonly chosen: string; readonly path: string },
  { shardName }: ShardFacts,
): void {
  const { metadata, spec } = workspace;
  const type = findType(objects, spec?.type ?? {});
  if (type === undefined) throw new Error(`workspace type ${spec?.type?.path}:${spec?.type?.name} does not exist any more`);
  const types = typeClosure(objects, type);
  const initializers = initializersOf(types);
  const terminators = terminatorsOf(types);
  const owner = metadata.annotations?.[OWNER_ANNOTATION];
  const created: LogicalCluster = {
    metadata: {
      name: LOGICAL_CLUSTER_NAME,
      annotations: {
        [TYPE_ANNOTATION]: `${spec?.type?.path}:${spec?.type?.name}`,
        [SHARD_ANNOTATION]: shardName,
        [PATH_ANNOTATION]: path,
        'internal.apis.kcp.io/resource-bindings': '{}',
        ...(owner !== undefined && { [OWNER_ANNOTATION]: owner }),
      },
      finalizers: [DELETION_FINALIZER],
    },
    spec: compact({
      directlyDeletable: false,
      ...(owner !== undefined && { createdBy: JSON.parse(owner) as RecordedUser }),
      ...(initializers.length > 0 && { initializers }),
      ...(terminators.length > 0 && { terminators }),
      owner: {
        apiVersion: 'tenancy.kcp.io/v1alpha1',
        cluster: parent,
        name: metadata.name ?? '',
        resource: 'workspaces',
        uid: metadata.uid ?? randomUUID(),
      },
    }),
    status: { phase: 'Scheduling' },
  };
  objects.create(LOGICAL_CLUSTERS, chosen, created);
}

/** Deletes the logical cluster first and lets the workspace go when it has gone. True: there is nothing else to do with the workspace. */
function reconcileDeletion(objects: Loopback, cluster: string, workspace: Workspace): boolean {
  const { metadata, spec } = workspace;
  const name = spec?.cluster ?? metadata.annotations?.[CLUSTER_ANNOTATION] ?? '';
  const logicalCluster = logicalClusterOf(objects, name);
  if (logicalCluster === undefined) {
    const finalizers = (metadata.finalizers ?? []).filter(finalizer => finalizer !== FINALIZER);
    objects.update(WORKSPACES, cluster, { ...workspace, metadata: { ...metadata, finalizers } });
    return true;
  }
  if (!logicalCluster.metadata.deletionTimestamp) objects.delete(LOGICAL_CLUSTERS, name, LOGICAL_CLUSTER_NAME);
  return false;
}

function reconcileStatus(objects: Loopback, cluster: string, workspace: Workspace): void {
  const logicalCluster = logicalClusterOf(objects, workspace.spec?.cluster ?? '');
  const status = nextStatus(workspace, logicalCluster);
  const current = workspace.status?.phase;
  const phase = status?.phase ?? 'Scheduling';
  if (!isDeepStrictEqual(status, workspace.status)) objects.updateStatus(WORKSPACES, cluster, { ...workspace, status });
  if (workspace.metadata.labels?.[PHASE_LABEL] === phase && current === phase) return;
  const stored = objects.get<Workspace>(WORKSPACES, cluster, workspace.metadata.name ?? '');
  if (stored === undefined) return;
  const labels = { ...stored.metadata.labels, [PHASE_LABEL]: phase };
  objects.update(WORKSPACES, cluster, { ...stored, metadata: { ...stored.metadata, labels } });
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
