/** Workspaces as the physical clusters of SyncTargets: with the kinds that syncers bring, and a test in the place of their controllers. */

import { customResources } from '@kcp-vw/example-deployment-splitter/custom-resources.ts';
import type { KubeList, KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { TargetShard } from '../target.ts';
import type { Client, Credentials } from './client.ts';
import { eventually } from './eventually.ts';
import { createServiceAccount } from './service-accounts.ts';
import { NAMESPACES } from './syncing.ts';
import { adminIn, createParent } from './workspaces.ts';

const CUSTOM_RESOURCES = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const DEPLOYMENTS = '/apis/apps/v1/deployments';

/** A copy of a Deployment. */
export type Copy = KubeObject & {
  readonly spec?: { readonly replicas?: number; readonly template?: { readonly metadata?: KubeObject['metadata'] } };
  readonly status?: DeploymentStatus;
};

export interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly unavailableReplicas?: number;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** Where a syncer brings objects to. */
export interface PhysicalCluster {
  /** The path of the workspace. */
  readonly workspace: string;
  readonly admin: Client;
  /** An account that may do what a syncer has to. */
  readonly syncer: Credentials & { readonly token: string };
}

/** Makes a workspace on the shard that has Deployments and Pods of its own, and an account for a syncer. */
export async function createPhysicalCluster(shard: Pick<TargetShard, 'name'>): Promise<PhysicalCluster> {
  const workspace = await createParent(shard.name);
  const admin = adminIn(workspace);
  for (const object of customResources()) {
    await eventually(`definition ${object.metadata?.name}`, async () =>
      (await admin.post(CUSTOM_RESOURCES, object)).expect(201, 409),
    );
  }
  for (const path of [DEPLOYMENTS, '/api/v1/pods']) {
    await eventually(`${path} to be served`, async () => (await admin.get(path)).expect(200), 60_000);
  }
  const { name, credentials } = await createServiceAccount(workspace);
  const rules = [{ apiGroups: ['', 'apps'], resources: ['*'], verbs: ['*'] }];
  const roleRef = { apiGroup: RBAC.slice('/apis/'.length, -'/v1'.length), kind: 'ClusterRole', name };
  const subjects = [{ kind: 'ServiceAccount', namespace: 'default', name }];
  const apiVersion = RBAC.slice('/apis/'.length);
  (await admin.post(`${RBAC}/clusterroles`, { apiVersion, kind: 'ClusterRole', metadata: { name }, rules })).expect(201);
  const binding = { apiVersion, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects };
  (await admin.post(`${RBAC}/clusterrolebindings`, binding)).expect(201);
  return { workspace, admin, syncer: credentials };
}

/** The namespace that the syncer of a SyncTarget has made for one upstream; undefined: there is none. */
export async function namespaceIn(
  { admin }: PhysicalCluster,
  { cluster, namespace, uid }: { readonly cluster: string; readonly namespace: string; readonly uid: string },
): Promise<KubeObject | undefined> {
  const { items } = (await admin.get(NAMESPACES)).expect(200).json<KubeList>();
  return items.find(({ metadata }) => {
    const locator = JSON.parse(metadata?.annotations?.['kcp.io/namespace-locator'] ?? '{}') as Partial<Locator>;
    return locator.cluster === cluster && locator.namespace === namespace && locator.syncTarget?.uid === uid;
  });
}

interface Locator {
  readonly cluster: string;
  readonly namespace: string;
  readonly syncTarget: { readonly uid: string };
}

export async function deploymentsOf({ admin }: PhysicalCluster): Promise<readonly Copy[]> {
  return (await admin.get(DEPLOYMENTS)).expect(200).json<{ readonly items: readonly Copy[] }>().items;
}

/** What the controllers of a cluster say of a Deployment of which so many pods do not get ready. */
export function statusOf({ metadata, spec }: Copy, missing = 0): DeploymentStatus {
  const replicas = spec?.replicas ?? 0;
  const ready = Math.max(0, replicas - missing);
  return {
    observedGeneration: Number(metadata?.generation),
    ...{ replicas, updatedReplicas: replicas, readyReplicas: ready, availableReplicas: ready },
    ...(replicas > ready && { unavailableReplicas: replicas - ready }),
    conditions: [
      { type: 'Available', status: replicas > ready ? 'False' : 'True' },
      { type: 'Progressing', status: 'True' },
    ],
  };
}

/** Says it of each of the cluster's Deployments that there is now. One that goes meanwhile, or changes, is told of the next time. */
export async function reportAll(cluster: PhysicalCluster, missing = 0): Promise<void> {
  for (const copy of await deploymentsOf(cluster)) {
    const { namespace, name } = copy.metadata ?? {};
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}/status`;
    (await cluster.admin.put(path, { ...copy, status: statusOf(copy, missing) })).expect(200, 404, 409);
  }
}
