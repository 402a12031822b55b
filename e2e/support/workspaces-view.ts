/** The view `workspaces`: the roads that lead to it, who is let into a workspace, and what kcp itself says of that. */
import { describe } from '@jest/globals';
import type { TargetShard } from '../target.ts';
import { Client, type Credentials } from './client.ts';
import { eventually } from './eventually.ts';
import { admin, atShard, atVirtualWorkspaces, certified, masters, target } from './identities.ts';
import type { List, Workspace } from './kube.ts';
import { createWorkspace, isReady, LOGICAL_CLUSTERS, uniqueSuffix, workspaceWhere } from './workspaces.ts';

export const WORKSPACES = '/apis/tenancy.kcp.io/v1alpha1/workspaces';

/** All logical clusters, in the place of a parent. */
export const EVERYWHERE = '*';

/** Whether the target has the view; kcp's own binary has not. */
export const hasWorkspacesView = target.transparentFrontProxyURL !== undefined;
export const describeWorkspacesView: typeof describe.skip = hasWorkspacesView ? describe : describe.skip;

/** What the view serves of a parent, who is a path, the name of a logical cluster, or `*`: `.get(WORKSPACES)`, `.get('/version')`. */
export const viewOfWorkspaces = (caller: Credentials, parent: string, shard = target.shards[0]): Client =>
  atVirtualWorkspaces(caller, shard).at(`/services/workspaces/${parent}`);

/** The same by the URL that front proxies of kcp look into: they refuse a parent that does not exist. */
export const viewOfWorkspacesInClusters = (caller: Credentials, parent: string, shard = target.shards[0]): Client =>
  atVirtualWorkspaces(caller, shard).at(`/services/workspaces/clusters/${parent}`);

/** The parent at the front proxy of kcp that leads to the view for its workspaces, and to its shard for all else. Throws without the view. */
export function transparently(caller: Credentials, parent: string): Client {
  const { transparentFrontProxyURL } = target;
  if (transparentFrontProxyURL === undefined)
    throw new Error('the target has no front proxy that leads to the view of workspaces');
  return new Client(transparentFrontProxyURL, target.servingAuthority, caller).at(`/clusters/${parent}`);
}

/** The parent at a front proxy of kcp that knows nothing of the view. */
export const plainly = (caller: Credentials, parent: string): Client =>
  new Client(target.plainFrontProxyURL ?? target.frontProxyURL, target.servingAuthority, caller).at(`/clusters/${parent}`);

export interface Road {
  readonly road: string;
  readonly to: (caller: Credentials, parent: string) => Client;
}

/** For `test.each`: all roads lead to the same workspaces. */
export const ROADS: readonly Road[] = [
  { road: 'the URL of the view', to: viewOfWorkspaces },
  { road: 'its URL with /clusters', to: viewOfWorkspacesInClusters },
  { road: "kcp's front proxy", to: transparently },
];

export const namesIn = ({ items }: List<Workspace>): string[] => items.map(({ metadata }) => metadata.name);

/** The names of the workspaces that the caller is shown, in the order in which they come. */
export async function shownNames(caller: Credentials, parent: string, to: Road['to'] = viewOfWorkspaces): Promise<string[]> {
  return namesIn((await to(caller, parent).get(WORKSPACES)).expect(200).json<List<Workspace>>());
}

/**
 * Whether kcp lets the caller into a logical cluster. Everybody who is authenticated may read `/version` by the policy that holds everywhere,
 * so that the answer tells who may enter and nothing else; of an inactive one only OpenAPI is open to those who may. The answer may be a
 * moment old: the front proxy and the shard hear of changes one after the other.
 */
export async function entersByKcp(caller: Credentials, cluster: string): Promise<boolean> {
  const there = plainly(caller, cluster);
  const version = (await there.get('/version')).expect(200, 401, 403);
  if (!version.text.includes('is marked inactive')) return version.status === 200;
  return (await there.get('/openapi/v3')).expect(200, 401, 403).status === 200;
}

/** All workspaces of a parent, as kcp shows them to its administrator. */
export async function storedWorkspaces(parent: string): Promise<readonly Workspace[]> {
  return (await plainly(admin, parent).get(WORKSPACES)).expect(200).json<List<Workspace>>().items;
}

/** The oracle: the names of the workspaces of a parent that kcp lets the caller into, sorted. Those without a logical cluster are none. */
export async function oracleOf(caller: Credentials, parent: string): Promise<string[]> {
  const placed = (await storedWorkspaces(parent)).filter(({ spec }) => spec.cluster !== undefined);
  const entered = await Promise.all(placed.map(({ spec }) => entersByKcp(caller, spec.cluster)));
  return placed
    .filter((_, i) => entered[i])
    .map(({ metadata }) => metadata.name)
    .sort();
}

/** Waits until the caller is shown what kcp lets him into, and resolves with the names. Throws with both lists when that takes too long. */
export function untilShownAsByKcp(caller: Credentials, parent: string, to: Road['to'] = viewOfWorkspaces): Promise<string[]> {
  return eventually(`agreement with kcp on what ${caller.name} may enter in ${parent}`, async () => {
    const [shown, expected] = await Promise.all([shownNames(caller, parent, to), oracleOf(caller, parent)]);
    if (shown.join() !== expected.join()) throw new Error(`shown: ${shown.join()}; by kcp: ${expected.join()}`);
    return shown;
  });
}

const BINDINGS = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** The role that lets into a logical cluster, and gives nothing else. */
export const ACCESS_ROLE = 'system:kcp:workspace:access';

/** Of a ClusterRoleBinding. */
export type Subject =
  | { readonly apiGroup: string; readonly kind: 'User' | 'Group'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly namespace: string; readonly name: string };

export const userSubject = (name: string): Subject => ({ apiGroup: RBAC_GROUP, kind: 'User', name });
export const groupSubject = (name: string): Subject => ({ apiGroup: RBAC_GROUP, kind: 'Group', name });
/** In the namespace `default` of the logical cluster with the binding. */
export const accountSubject = (name: string): Subject => ({ kind: 'ServiceAccount', namespace: 'default', name });

/** Gives somebody a role in a logical cluster, by default the one to enter it. The returned function takes it away again. */
export async function letIn(cluster: string, subject: Subject, role = ACCESS_ROLE): Promise<() => Promise<void>> {
  const name = `e2e-${uniqueSuffix()}`;
  const roleRef = { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: role };
  const binding = {
    apiVersion: `${RBAC_GROUP}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef,
    subjects: [subject],
  };
  const bindings = plainly(admin, cluster).at(BINDINGS);
  (await bindings.post('', binding)).expect(201);
  return async () => {
    (await bindings.delete(`/${name}`)).expect(200);
  };
}

/** Has a logical cluster require groups of whoever wants to enter, or require none any more. */
export async function requireGroups(
  cluster: string,
  groups: string | null,
  shard: Pick<TargetShard, 'shardURL'> = target,
): Promise<void> {
  const logicalCluster = atShard(masters, shard).at(`/clusters/${cluster}${LOGICAL_CLUSTERS}/cluster`);
  const patch = { metadata: { annotations: { 'authorization.kcp.io/required-groups': groups } } };
  (await logicalCluster.mergePatch('', patch)).expect(200);
}

/** Somebody whom no one else meets, with a certificate. */
export const somebody = (name: string, groups: readonly string[] = []): Credentials =>
  certified(`${name}-${uniqueSuffix()}`, groups);

/** A workspace that is Ready, of type `universal`, on the root shard unless another one is named. */
export async function createReady(parent: string, shard?: TargetShard): Promise<Workspace> {
  const { metadata } = await createWorkspace(parent, { path: 'root', name: 'universal' }, undefined, shard?.name);
  return workspaceWhere('is Ready', parent, metadata.name, isReady);
}
