import { randomInt, randomUUID } from 'node:crypto';
import { PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import { matchesLabels } from '@kcp-vw/shared/kube/selectors.ts';
import { withCondition } from './conditions.ts';
import { requirementsOf } from './label-selector.ts';
import { DELETION_FINALIZER } from './logical-cluster-state.ts';
import type { Loopback } from './loopback.ts';
import { newClusterName, shardHash } from './names.ts';
import { compact, type LogicalCluster, type RecordedUser, type Shard, type Workspace } from './objects.ts';
import type { OtherShards } from './other-shards.ts';
import {
  LOGICAL_CLUSTER_NAME,
  LOGICAL_CLUSTERS,
  OWNER_ANNOTATION,
  PHASE_LABEL,
  ROOT,
  SHARD_ANNOTATION,
  SHARDS,
  TYPE_ANNOTATION,
  WORKSPACES,
} from './refs.ts';
import { REQUIRED_GROUPS_ANNOTATION } from './required-groups.ts';
import { canonicalPath, logicalClusterOf } from './workspace-paths.ts';
import { findType, initializersOf, terminatorsOf, typeClosure } from './workspace-types.ts';

export const FINALIZER = 'core.kcp.io/logicalcluster';
export const CLUSTER_ANNOTATION = 'internal.tenancy.kcp.io/cluster';
const SHARD_HASH_ANNOTATION = 'internal.tenancy.kcp.io/shard';
const UNSCHEDULABLE_ANNOTATION = 'experimental.core.kcp.io/unschedulable';
const REGION_LABEL = 'region';

/** Gives a workspace its place. Two steps, so that a logical cluster is never made whose name and shard are not written down. */
export function schedule(objects: Loopback, others: OtherShards, cluster: string, workspace: Workspace): void {
  const { metadata, spec } = workspace;
  const chosen = metadata.annotations?.[CLUSTER_ANNOTATION];
  if (chosen === undefined) {
    choosePlace(objects, cluster, workspace);
    return;
  }
  const name = metadata.annotations?.[SHARD_ANNOTATION] ?? '';
  const shard = objects.cache.get<Shard>(SHARDS, ROOT, name);
  if (shard === undefined) {
    refuse(objects, cluster, workspace, `chosen shard "${name}" does not exist anymore`);
    return;
  }
  const path = `${canonicalPath(objects, cluster)}:${metadata.name}`;
  createLogicalCluster(objects, others.objectsOf(name), cluster, workspace, { chosen, path });
  const URL = `${shard.spec?.externalURL}/clusters/${path}`;
  objects.update(WORKSPACES, cluster, { ...workspace, spec: { ...spec, cluster: chosen, URL } });
}

function choosePlace(objects: Loopback, cluster: string, workspace: Workspace): void {
  const { metadata, spec } = workspace;
  const requirements = requirementsOf(spec?.location?.selector);
  const shards = objects.cache
    .list<Shard>(SHARDS, ROOT)
    .filter(shard => matchesLabels(requirements, shard.metadata.labels))
    .filter(shard => shard.metadata.annotations?.[UNSCHEDULABLE_ANNOTATION] === undefined);
  const shard = shards.length === 0 ? undefined : shards[randomInt(shards.length)];
  if (shard === undefined) {
    refuse(objects, cluster, workspace, 'No available shards to schedule the workspace');
    return;
  }
  const shardName = shard.metadata.name ?? '';
  const region = shard.metadata.labels?.[REGION_LABEL];
  objects.update(WORKSPACES, cluster, {
    ...workspace,
    metadata: {
      ...metadata,
      annotations: {
        ...metadata.annotations,
        [SHARD_ANNOTATION]: shardName,
        [SHARD_HASH_ANNOTATION]: shardHash(shardName),
        [CLUSTER_ANNOTATION]: newClusterName(),
      },
      labels: { ...metadata.labels, [PHASE_LABEL]: 'Scheduling', ...(region !== undefined && { [REGION_LABEL]: region }) },
      finalizers: [...(metadata.finalizers ?? []), FINALIZER],
    },
  });
}

/** The workspace waits: it is looked at again when a shard comes or changes. */
function refuse(objects: Loopback, cluster: string, workspace: Workspace, message: string): void {
  const reason = { status: 'False', severity: 'Error', reason: 'Unschedulable', message } as const;
  const conditions = withCondition(workspace.status?.conditions, { type: 'WorkspaceScheduled', ...reason });
  const phase = 'Unavailable';
  const refused = objects.updateStatus(WORKSPACES, cluster, { ...workspace, status: { ...workspace.status, phase, conditions } });
  const labels = { ...refused.metadata?.labels, [PHASE_LABEL]: phase };
  objects.update(WORKSPACES, cluster, { ...refused, metadata: { ...refused.metadata, labels } });
}

function createLogicalCluster(
  objects: Loopback,
  there: Loopback,
  parent: string,
  { metadata, spec }: Workspace,
  { chosen, path }: { readonly chosen: string; readonly path: string },
): void {
  if (logicalClusterOf(there, chosen) !== undefined) return;
  const type = findType(objects, spec?.type ?? {});
  if (type === undefined) throw new Error(`workspace type ${spec?.type?.path}:${spec?.type?.name} does not exist any more`);
  const types = typeClosure(objects, type);
  const initializers = initializersOf(types);
  const terminators = terminatorsOf(types);
  const owner = metadata.annotations?.[OWNER_ANNOTATION];
  const groups = metadata.annotations?.[REQUIRED_GROUPS_ANNOTATION];
  const created: LogicalCluster = {
    metadata: {
      name: LOGICAL_CLUSTER_NAME,
      annotations: {
        [TYPE_ANNOTATION]: `${spec?.type?.path}:${spec?.type?.name}`,
        [SHARD_ANNOTATION]: metadata.annotations?.[SHARD_ANNOTATION] ?? '',
        [PATH_ANNOTATION]: path,
        'internal.apis.kcp.io/resource-bindings': '{}',
        ...(owner !== undefined && { [OWNER_ANNOTATION]: owner }),
        ...(groups !== undefined && { [REQUIRED_GROUPS_ANNOTATION]: groups }),
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
  there.create(LOGICAL_CLUSTERS, chosen, created);
}
