import { randomBytes } from 'node:crypto';
import type { Client } from './client.ts';
import { eventually } from './eventually.ts';
import { admin, atFrontProxy, atShard, masters } from './identities.ts';
import type { LogicalCluster, Workspace, WorkspaceType, WorkspaceTypeSpec } from './kube.ts';
import type { Lifecycle } from './lifecycle.ts';

const TENANCY = '/apis/tenancy.kcp.io/v1alpha1';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

export const LOGICAL_CLUSTERS = '/apis/core.kcp.io/v1alpha1/logicalclusters';

const adminAtFrontProxy = atFrontProxy(admin);
const mastersAtShard = atShard(masters);

/** Letters that make a name unique, so that runs on the same server do not meet. */
export function uniqueSuffix(): string {
  return Array.from(randomBytes(8), byte => String.fromCharCode(97 + (byte % 26))).join('');
}

/** Cluster-admin in one workspace, by path or by cluster name. */
export function adminIn(workspace: string): Client {
  return adminAtFrontProxy.at(`/clusters/${workspace}`);
}

/**
 * Creates a workspace and waits until it has a logical cluster; it may still be initializing. It is placed on the root shard, where most
 * tests look, unless another one is named.
 */
export async function createWorkspace(
  parent: string,
  type: { path: string; name: string },
  creator = adminAtFrontProxy,
  shard = 'root',
): Promise<Workspace> {
  const workspaces = creator.at(`/clusters/${parent}${TENANCY}/workspaces`);
  const name = `e2e-${uniqueSuffix()}`;
  const spec = { type, location: { selector: { matchLabels: { name: shard } } } };
  // A type is admitted only after the shard's informers have seen it and resolved what it extends.
  await eventually(`creation of a workspace of type ${type.name}`, async () =>
    (await workspaces.post('', { apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'Workspace', metadata: { name }, spec })).expect(
      201,
      409,
    ),
  );
  return workspaceWhere('has a logical cluster', parent, name, workspace => workspace.spec.cluster !== undefined);
}

/** Waits until the workspace is as wanted. */
export function workspaceWhere(
  description: string,
  parent: string,
  name: string,
  wanted: (workspace: Workspace) => boolean,
  timeout = 60_000,
): Promise<Workspace> {
  return eventually(
    `workspace ${parent}:${name} ${description}`,
    async () => {
      const workspace = (await adminIn(parent).get(`${TENANCY}/workspaces/${name}`)).expect(200).json<Workspace>();
      if (!wanted(workspace)) throw new Error(JSON.stringify({ spec: workspace.spec, status: workspace.status }));
      return workspace;
    },
    timeout,
  );
}

export function isReady(workspace: Workspace): boolean {
  return workspace.status.phase === 'Ready';
}

/** A workspace of type `universal` below root that is Ready, and its path. */
export async function createParent(shard?: string): Promise<string> {
  const { metadata } = await createWorkspace('root', { path: 'root', name: 'universal' }, adminAtFrontProxy, shard);
  await workspaceWhere('is Ready', 'root', metadata.name, isReady);
  return `root:${metadata.name}`;
}

export interface CreatedType {
  readonly parent: string;
  readonly name: string;
  /** The name of the initializer and of the terminator: the parent's logical cluster, a colon, the type's name. */
  readonly lifecycleName: string;
  readonly type: WorkspaceType;
}

/** Creates a workspace type and waits until its virtual workspace URLs are published. */
export async function createType(parent: string, spec: WorkspaceTypeSpec, prefix = 'type'): Promise<CreatedType> {
  const name = `${prefix}-${uniqueSuffix()}`;
  const types = adminIn(parent).at(`${TENANCY}/workspacetypes`);
  await eventually(`creation of workspace type ${name}`, async () =>
    (await types.post('', { apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'WorkspaceType', metadata: { name }, spec })).expect(
      201,
      409,
    ),
  );
  const type = await eventually(`publication of the URLs of workspace type ${name}`, async () => {
    const found = (await types.get(`/${name}`)).expect(200).json<WorkspaceType>();
    if ((found.status?.virtualWorkspaces ?? []).length === 0) throw new Error(JSON.stringify(found.status));
    return found;
  });
  const cluster = type.metadata.annotations?.['kcp.io/cluster'];
  if (cluster === undefined) throw new Error(`workspace type ${name} carries no annotation kcp.io/cluster`);
  return { parent, name, lifecycleName: `${cluster}:${name}`, type };
}

/** Makes `user` a member of the workspace. */
export async function admit(parent: string, user: string): Promise<void> {
  await bind(parent, user, 'system:kcp:workspace:access');
}

/** Grants `user` the verb on the workspace type; the returned function takes it away again. */
export async function grant(type: CreatedType, user: string, verb: Lifecycle['verb']): Promise<() => Promise<void>> {
  const name = `${type.name}-${verb}-${uniqueSuffix()}`;
  const rules = [{ verbs: [verb], apiGroups: ['tenancy.kcp.io'], resources: ['workspacetypes'], resourceNames: [type.name] }];
  (
    await adminIn(type.parent).post(`${RBAC}/clusterroles`, {
      apiVersion: RBAC.slice(6),
      kind: 'ClusterRole',
      metadata: { name },
      rules,
    })
  ).expect(201);
  const binding = await bind(type.parent, user, name);
  return async () => {
    (await adminIn(type.parent).delete(`${RBAC}/clusterrolebindings/${binding}`)).expect(200);
  };
}

async function bind(parent: string, user: string, role: string): Promise<string> {
  const name = `e2e-${user}-${uniqueSuffix()}`;
  const binding = {
    apiVersion: RBAC.slice(6),
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  };
  (await adminIn(parent).post(`${RBAC}/clusterrolebindings`, binding)).expect(201);
  return name;
}

/** The logical cluster behind a workspace as the shard stores it. */
export async function storedLogicalCluster(cluster: string): Promise<LogicalCluster> {
  return (await mastersAtShard.get(`/clusters/${cluster}${LOGICAL_CLUSTERS}/cluster`)).expect(200).json<LogicalCluster>();
}

/** Starts the deletion of a workspace. */
export async function deleteWorkspace(parent: string, name: string): Promise<void> {
  (await adminIn(parent).delete(`${TENANCY}/workspaces/${name}`)).expect(200, 202);
}

/** Waits until a workspace does not exist any more. */
export async function untilGone(parent: string, name: string): Promise<void> {
  await eventually(
    `disappearance of workspace ${parent}:${name}`,
    async () => (await adminIn(parent).get(`${TENANCY}/workspaces/${name}`)).expect(404),
    60_000,
  );
}
