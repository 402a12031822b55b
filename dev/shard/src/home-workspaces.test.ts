import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { homeClusterOf } from '@kcp-vw/shared/target/home-cluster.ts';
import { ask, eventually, patch, startShards, stopShards } from './two-shards.fixture.ts';

const TENANCY = '/apis/tenancy.kcp.io/v1alpha1';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const HOME = `/clusters/root${TENANCY}/workspaces/~`;
const LOGICAL_CLUSTER = '/apis/core.kcp.io/v1alpha1/logicalclusters/cluster';

beforeAll(async () => void (await startShards()));
afterAll(stopShards);

const as = (user: number) => ({ token: `user-${user}-token` });
const placeOf = (user: number): string => `/clusters/${homeClusterOf(`user-${user}`)}`;

/** Nobody binds the APIs that the workspace is to have: then it is ready without them. */
async function finish(user: number): Promise<void> {
  await eventually(async () => {
    const { status } = (await ask(0, placeOf(user) + LOGICAL_CLUSTER)).json();
    expect(status.initializers).toEqual(['system:apibindings']);
  });
  expect((await patch(0, `${placeOf(user)}${LOGICAL_CLUSTER}/status`, { status: { initializers: null } })).status).toBe(200);
}

describe('the workspace ~ of root', () => {
  test('is to be asked for again while it is made, and then is a workspace that leads to the home of who asks', async () => {
    expect(await ask('front proxy', HOME, as(1))).toMatchObject({ status: 429, text: 'Creating the home workspace\n' });
    expect((await ask('front proxy', HOME, as(1))).status).toBe(429);
    await finish(1);
    const home = await eventually(async () => {
      const answer = await ask('front proxy', HOME, as(1));
      expect(answer.status).toBe(200);
      return answer.json();
    });
    expect(home).toEqual({
      kind: 'Workspace',
      apiVersion: 'tenancy.kcp.io/v1alpha1',
      metadata: { name: 'cluster', creationTimestamp: expect.any(String) },
      spec: { cluster: homeClusterOf('user-1'), URL: expect.stringContaining(placeOf(1)) },
      status: { phase: 'Ready', conditions: expect.anything() },
    });
  });

  test('is the home of its user, who finds it by his name and is its administrator', async () => {
    const logicalCluster = (await ask('front proxy', `/clusters/user:user-1${LOGICAL_CLUSTER}`, as(1))).json();
    const { annotations } = logicalCluster.metadata;
    expect(annotations).toMatchObject({ 'kcp.io/path': 'user:user-1', 'internal.tenancy.kcp.io/type': 'root:home' });
    expect(logicalCluster.spec).toMatchObject({ createdBy: { username: 'user-1' }, directlyDeletable: false });
    expect(logicalCluster.spec.owner).toBeUndefined();
    const binding = (await ask(0, `${placeOf(1)}${RBAC}/clusterrolebindings/workspace-admin`)).json();
    expect(binding).toMatchObject({ roleRef: { name: 'cluster-admin' }, subjects: [{ kind: 'User', name: 'user-1' }] });
    expect((await ask('front proxy', `/clusters/user:user-1${LOGICAL_CLUSTER}`, as(2))).status).toBe(403);
  });

  test('is in no list', async () => {
    const { items } = (await ask(0, `/clusters/root${TENANCY}/workspaces`)).json();
    expect(items).toEqual([]);
  });

  test('is not made for whom may not create it, and that is said of creating', async () => {
    const binding = `/clusters/root${RBAC}/clusterrolebindings/system:kcp:configured-group:home-clusterworkspace-create`;
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'team-1' }];
    expect((await patch(0, binding, { subjects })).status).toBe(200);
    const refused = await ask('front proxy', HOME, as(2));
    expect(refused.status).toBe(403);
    expect(refused.json().message).toBe(
      'workspaces.tenancy.kcp.io "~" is forbidden: User "user-2" cannot create resource "workspaces" in API group "tenancy.kcp.io" at the cluster scope: workspace access not permitted',
    );
    expect((await ask(0, placeOf(2) + LOGICAL_CLUSTER)).status).toBe(404);
    // Whoever has one keeps it.
    expect((await ask('front proxy', HOME, as(1))).status).toBe(200);
  });
});
