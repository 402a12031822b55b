/** SyncTargets with their syncers, and where these find their views. */
import type { SyncTarget } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import { syncerRoles } from '@kcp-vw/syncer-vw/manifests/rbac.ts';
import type { SyncTargetKey } from '@kcp-vw/syncer-vw/transform/names.ts';
import { syncTargetKey } from '@kcp-vw/syncer-vw/transform/sync-target-key.ts';
import type { TargetShard } from '../target.ts';
import type { Client, Credentials } from './client.ts';
import { eventually } from './eventually.ts';
import { atFrontProxy, atVirtualWorkspaces, target } from './identities.ts';
import { createServiceAccount } from './service-accounts.ts';
import { COMPUTE, computeWorkspace } from './syncing.ts';
import { adminIn, uniqueSuffix } from './workspaces.ts';

const [root] = target.shards;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

export const SYNC_TARGETS = '/apis/workload.kcp.io/v1alpha1/synctargets';

/** A SyncTarget and its syncer, which has an account of its own beside it. */
export interface CreatedSyncTarget {
  /** The path of its workspace. */
  readonly workspace: string;
  /** Logical cluster. */
  readonly cluster: string;
  readonly name: string;
  readonly uid: string;
  readonly key: SyncTargetKey;
  /** Of its label `e2e`. */
  readonly mark: string;
  readonly syncer: Credentials & { readonly token: string };
}

export interface SyncTargetOptions {
  /** The path of its workspace; default: `root:compute`, whose targets reach every consumer. */
  readonly workspace?: string;
  readonly name?: string;
  readonly spec?: SyncTarget['spec'];
  /** Targets with the same one are a group for the scheduler; default: one of its own. */
  readonly mark?: string;
}

/**
 * Creates a SyncTarget, with an account that may be its syncer. No namespace comes to it but those that `createSyncedNamespace` brings,
 * and those that select it by its mark, unless `spec` says that it is unschedulable.
 */
export async function createSyncTarget(options: SyncTargetOptions = {}): Promise<CreatedSyncTarget> {
  const { workspace = COMPUTE, name = `e2e-${uniqueSuffix()}`, spec = {}, mark = uniqueSuffix() } = options;
  await computeWorkspace();
  const metadata = { name, labels: { e2e: mark } };
  const targets = adminIn(workspace).at(SYNC_TARGETS);
  const object = { apiVersion: 'workload.kcp.io/v1alpha1', kind: 'SyncTarget', metadata, spec };
  const created = await eventually(`creation of SyncTarget ${name}`, async () => (await targets.post('', object)).expect(201));
  const { uid = '', annotations } = created.json<SyncTarget>().metadata ?? {};
  const cluster = annotations?.['kcp.io/cluster'] ?? '';
  const { credentials } = await createSyncer(workspace, name);
  return { workspace, cluster, name, uid, key: syncTargetKey({ cluster, name }), mark, syncer: credentials };
}

/** An account that may be the syncer of a SyncTarget; there may be more than one. */
export async function createSyncer(workspace: string, syncTarget: string): ReturnType<typeof createServiceAccount> {
  const account = await createServiceAccount(workspace);
  const roles = syncerRoles(syncTarget, [{ kind: 'ServiceAccount', namespace: 'default', name: account.name }]);
  for (const role of roles) {
    const collection = role.kind === 'ClusterRole' ? 'clusterroles' : 'clusterrolebindings';
    const metadata = { name: `${role.metadata?.name}:${account.name}` };
    const roleRef = role.roleRef as object | undefined;
    const named = { ...role, metadata, ...(roleRef && { roleRef: { ...roleRef, name: metadata.name } }) };
    (await adminIn(workspace).post(`${RBAC}/${collection}`, named)).expect(201);
  }
  return account;
}

/** The SyncTarget as it is stored. */
export async function storedSyncTarget({ workspace, name }: CreatedSyncTarget): Promise<SyncTarget> {
  return (await adminIn(workspace).get(`${SYNC_TARGETS}/${name}`)).expect(200).json<SyncTarget>();
}

export async function deleteSyncTarget({ workspace, name }: CreatedSyncTarget): Promise<void> {
  (await adminIn(workspace).delete(`${SYNC_TARGETS}/${name}`)).expect(200);
}

/** Says as the syncer that it is alive: good for a minute. */
export async function beat({ workspace, name, syncer }: CreatedSyncTarget): Promise<void> {
  const path = `${SYNC_TARGETS}/${name}/status`;
  const patch = { status: { lastSyncerHeartbeatTime: new Date().toISOString() } };
  await eventually(`heartbeat of ${name}`, async () =>
    (await atFrontProxy(syncer).at(`/clusters/${workspace}`).mergePatch(path, patch)).expect(200),
  );
}

/** Says as the syncer that it takes these resources, once the service has named them; default: all that there are. */
export async function acceptResources(of: CreatedSyncTarget, resources?: readonly string[]): Promise<void> {
  const { workspace, name, syncer } = of;
  const path = `${SYNC_TARGETS}/${name}`;
  const client = atFrontProxy(syncer).at(`/clusters/${workspace}`);
  await eventually(`resources of SyncTarget ${name}`, async () => {
    const { metadata, status } = (await client.get(path)).expect(200).json<SyncTarget>();
    const known = status?.syncedResources ?? [];
    const isWanted = (resource: string): boolean => resources === undefined || resources.includes(resource);
    const missing = (resources ?? ['deployments']).filter(wanted => !known.some(({ resource }) => resource === wanted));
    if (missing.length > 0) throw new Error(`${missing} are not in ${JSON.stringify(status)}`);
    const syncedResources = known.map(one => (isWanted(one.resource) ? { ...one, state: 'Accepted' } : one));
    const patch = { metadata: { resourceVersion: metadata?.resourceVersion }, status: { syncedResources } };
    (await client.mergePatch(`${path}/status`, patch)).expect(200);
  });
}

/** The views of a SyncTarget on one shard. */
export interface SyncerViews {
  /** What to append paths to: `/clusters/*`. */
  readonly syncer: Client;
  readonly upsyncer: Client;
}

/** Waits until the SyncTarget tells where its views are on the shard, the root shard unless another one is given. */
export async function viewsOf(
  created: CreatedSyncTarget,
  shard: TargetShard = root,
  credentials: Credentials = created.syncer,
): Promise<SyncerViews> {
  const { port } = new URL(shard.virtualWorkspaceURL);
  const { syncerURL, upsyncerURL } = await eventually(`URLs of SyncTarget ${created.name}`, async () => {
    const { status } = await storedSyncTarget(created);
    const found = status?.virtualWorkspaces?.find(({ syncerURL }) => new URL(syncerURL).port === port);
    if (found === undefined) throw new Error(`none on ${shard.name}: ${JSON.stringify(status)}`);
    return found;
  });
  const at = (url: string): Client => atVirtualWorkspaces(credentials, shard).at(new URL(url).pathname);
  return { syncer: at(syncerURL), upsyncer: at(upsyncerURL) };
}

/** Where the views of a SyncTarget would be, though nobody has written it down yet. */
export function expectedViewsOf(
  { cluster, name, uid, syncer }: CreatedSyncTarget,
  shard: TargetShard = root,
  credentials: Credentials = syncer,
): SyncerViews {
  const at = (view: string): Client => atVirtualWorkspaces(credentials, shard).at(`/services/${view}/${cluster}/${name}/${uid}`);
  return { syncer: at('syncer'), upsyncer: at('upsyncer') };
}
