import type { TargetShard } from '../target.ts';
import type { Client, Credentials } from './client.ts';
import { eventually } from './eventually.ts';
import { atVirtualWorkspaces, masters } from './identities.ts';
import type { List, LogicalCluster, Workspace } from './kube.ts';
import { type Lifecycle, terminating } from './lifecycle.ts';
import { type CreatedType, createWorkspace, deleteWorkspace, isReady, LOGICAL_CLUSTERS, workspaceWhere } from './workspaces.ts';

/** The lifecycle view of one initializer or terminator, as one identity; the root shard's, unless another one is given. */
export function viewOf(lifecycle: Lifecycle, lifecycleName: string, credentials: Credentials, shard?: TargetShard): Client {
  return atVirtualWorkspaces(credentials, shard).at(`/services/${lifecycle.view}/${lifecycleName}`);
}

/** All logical clusters that wait for the name. */
export function wildcard(view: Client): Client {
  return view.at(`/clusters/*${LOGICAL_CLUSTERS}`);
}

/** The content of one workspace that waits for the name. */
export function contentOf(view: Client, cluster: string): Client {
  return view.at(`/clusters/${cluster}`);
}

/** The logical cluster of one workspace that waits for the name. */
export function single(view: Client, cluster: string): Client {
  return contentOf(view, cluster).at(`${LOGICAL_CLUSTERS}/cluster`);
}

/** The names of the logical clusters in a list, sorted. */
export function clustersIn(list: List<LogicalCluster>): string[] {
  return list.items.map(item => item.metadata.annotations?.['kcp.io/cluster'] ?? '').sort();
}

export async function listClusters(view: Client): Promise<string[]> {
  return clustersIn((await wildcard(view).get('')).expect(200).json<List<LogicalCluster>>());
}

/** Waits until the view shows the logical cluster; its labels follow its status a moment later. */
export async function untilShown(
  lifecycle: Lifecycle,
  lifecycleName: string,
  cluster: string,
  shard?: TargetShard,
): Promise<void> {
  const view = viewOf(lifecycle, lifecycleName, masters, shard);
  await eventually(`appearance of ${cluster} in the view of ${lifecycleName}`, async () => {
    const clusters = await listClusters(view);
    if (!clusters.includes(cluster)) throw new Error(`it shows ${clusters.join(', ')}`);
  });
}

/** Creates a workspace of the type and brings it to where the lifecycle view shows it: initializing, or being deleted. */
export async function createPending(
  lifecycle: Lifecycle,
  type: CreatedType,
  creator?: Client,
  shard?: TargetShard,
): Promise<Workspace> {
  const workspace = await createWorkspace(type.parent, { path: type.parent, name: type.name }, creator, shard?.name);
  const { name } = workspace.metadata;
  if (lifecycle === terminating) {
    await workspaceWhere('is Ready', type.parent, name, isReady);
    await deleteWorkspace(type.parent, name);
  } else {
    // The shard's own initializer must have finished, or its changes would get between a test's reads and writes.
    await workspaceWhere('waits for its own type only', type.parent, name, ({ status }) => {
      return status.phase === 'Initializing' && status.initializers?.includes(type.lifecycleName) === true;
    });
  }
  await untilShown(lifecycle, type.lifecycleName, workspace.spec.cluster, shard);
  return workspace;
}

/** Takes the view's own name from the status, as its owner does when the work is done. */
export async function removeOwnName(lifecycle: Lifecycle, view: Client, cluster: string, lifecycleName: string): Promise<void> {
  const path = single(view, cluster);
  await eventually(`removal of ${lifecycleName} from ${cluster}`, async () => {
    const current = (await path.get('')).expect(200).json<LogicalCluster>();
    const remaining = (current.status[lifecycle.list] ?? []).filter(name => name !== lifecycleName);
    const patch = { metadata: { resourceVersion: current.metadata.resourceVersion }, status: { [lifecycle.list]: remaining } };
    (await path.mergePatch('/status', patch)).expect(200);
  });
}
