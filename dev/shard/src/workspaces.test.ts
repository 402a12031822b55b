import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, create, eventually, patch, startShards, stopShards } from './two-shards.fixture.ts';

const TENANCY = '/apis/tenancy.kcp.io/v1alpha1';
const WORKSPACES = `/clusters/root${TENANCY}/workspaces`;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const LOGICAL_CLUSTER = '/apis/core.kcp.io/v1alpha1/logicalclusters/cluster';
const GROUPS = 'authorization.kcp.io/required-groups';
const OWNER = 'experimental.tenancy.kcp.io/owner';

beforeAll(async () => void (await startShards()));
afterAll(stopShards);

const workspace = (name: string, annotations: object = {}, spec: object = {}) => ({
  ...{ apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'Workspace' },
  metadata: { name, annotations },
  spec: { type: { name: 'universal', path: 'root' }, ...spec },
});

async function logicalClusterOf(name: string): Promise<string> {
  return eventually(async () => {
    const { spec } = (await ask(0, `${WORKSPACES}/${name}`)).json();
    expect(spec.cluster).toBeDefined();
    return spec.cluster as string;
  });
}

const asAdmin = (body: object) => ask('front proxy', WORKSPACES, { method: 'POST', body });

describe('the groups that a workspace requires', () => {
  test('are those of its logical cluster', async () => {
    const { metadata } = await create(0, WORKSPACES, workspace('grouped', { [GROUPS]: 'system:kcp:admin;team-1' }));
    expect(metadata.annotations[GROUPS]).toBe('system:kcp:admin;team-1');
    const cluster = await logicalClusterOf('grouped');
    const stored = (await ask('front proxy', `/clusters/${cluster}${LOGICAL_CLUSTER}`)).json();
    expect(stored.metadata.annotations[GROUPS]).toBe('system:kcp:admin;team-1');
  });

  test('are required of those that are created in it, whatever these ask for', async () => {
    const path = `/clusters/root${LOGICAL_CLUSTER}`;
    await patch(0, path, { metadata: { annotations: { [GROUPS]: 'team-1' } } });
    const below = await asAdmin(workspace('below', { [GROUPS]: 'mine' }));
    expect(below.json().metadata.annotations[GROUPS]).toBe('team-1');
    await patch(0, path, { metadata: { annotations: { [GROUPS]: null } } });
  });

  test('are not what anybody but masters says of them', async () => {
    const asked = await asAdmin(workspace('ungrouped', { [GROUPS]: 'mine' }));
    expect(asked.status).toBe(201);
    expect(asked.json().metadata.annotations[GROUPS]).toBeUndefined();
  });
});

describe('the owner of a workspace', () => {
  test('is who creates it, whatever is asked for, and anybody who may update it changes what is written of him', async () => {
    const asked = await asAdmin(workspace('owned', { [OWNER]: '{"username":"bob"}' }));
    expect(JSON.parse(asked.json().metadata.annotations[OWNER])).toMatchObject({ username: 'kcp-admin' });
    await logicalClusterOf('owned');
    const body = { metadata: { annotations: { [OWNER]: null } } };
    expect((await patch(0, `${WORKSPACES}/owned`, body)).json().metadata.annotations[OWNER]).toBeUndefined();
  });
});

describe('what becomes of a workspace', () => {
  test.each(['cluster', 'URL'])('is not for its creator to say: spec.%s', async field => {
    const asked = await asAdmin(workspace('placed', {}, { [field]: 'somewhere' }));
    const said = field === 'cluster' ? 'Cluster' : 'URL';
    expect(asked.status).toBe(403);
    expect(asked.json().message).toContain(`spec.${said} can only be set by system privileged users`);
  });

  test.each([
    [{ cluster: 'other' }, 422, 'spec.cluster: Invalid value: "other": cluster is immutable'],
    [{ cluster: null }, 422, 'spec: Invalid value: cluster cannot be unset'],
    [{ type: { name: 'organization' } }, 422, 'spec.type: Invalid value: name is immutable'],
    [{ URL: 'https://other' }, 403, 'spec.URL can only be changed by system privileged users'],
  ])('cannot be changed to %j', async (spec, status, message) => {
    if ((await ask(0, `${WORKSPACES}/kept`)).status === 404) await create(0, WORKSPACES, workspace('kept'));
    await logicalClusterOf('kept');
    const changes = { method: 'PATCH', body: { spec }, contentType: 'application/merge-patch+json' };
    const answer = await ask('front proxy', `${WORKSPACES}/kept`, changes);
    expect(answer.status).toBe(status);
    expect(answer.json().message).toContain(message);
  });
});

describe('a logical cluster that is marked inactive', () => {
  const INACTIVE = 'core.kcp.io/inactive';
  const mark = (value: string | null) =>
    patch(0, `/clusters/root${LOGICAL_CLUSTER}`, { metadata: { annotations: { [INACTIVE]: value } } });
  const phase = async () => (await ask(0, `/clusters/root${LOGICAL_CLUSTER}`)).json().status.phase;

  test('is closed even to masters, but for what makes it active again; until then its shard answers nothing of all logical clusters', async () => {
    const all = `/clusters/*${RBAC}/clusterroles`;
    const watch = ask(0, `${all}?watch=true&timeoutSeconds=60`);
    expect((await mark('true')).status).toBe(200);
    await eventually(async () => expect(await phase()).toBe('Inactive'));
    const refused = await ask(0, '/clusters/root/version');
    expect(refused.status).toBe(403);
    expect(refused.json().message).toBe('logicalclusters.core.kcp.io "root" is forbidden: logical cluster is marked inactive');
    expect((await ask(0, '/clusters/root/openapi/v3')).status).toBe(200);
    expect((await watch).status).toBe(200);
    expect((await ask(0, all)).status).toBe(504);
    expect((await ask(0, '/clusters/*/apis/core.kcp.io/v1alpha1/logicalclusters')).status).toBe(200);
    expect((await ask(1, all)).status).toBe(200);
    expect((await mark(null)).status).toBe(200);
    await eventually(async () => expect(await phase()).toBe('Ready'));
    expect((await ask(0, '/clusters/root/version')).status).toBe(200);
    expect((await ask(0, all)).status).toBe(200);
  });
});

describe('asked of all logical clusters, a shard has', () => {
  test.each(['clusterroles', 'clusterrolebindings'])('the %s of all, for masters', async resource => {
    const { items } = (await ask(0, `/clusters/*${RBAC}/${resource}`)).json();
    const clusters = items.map(
      (item: { metadata: { annotations: Record<string, string> } }) => item.metadata.annotations['kcp.io/cluster'],
    );
    expect(new Set(clusters)).toEqual(new Set(clusters).add('root').add('system:admin'));
    expect((await ask('front proxy', `/clusters/*${RBAC}/${resource}`)).status).toBe(403);
  });

  test('its workspaces under the identity of their export, on every shard', async () => {
    const { status } = (await ask(0, '/clusters/root/apis/apis.kcp.io/v1alpha2/apiexports/tenancy.kcp.io')).json();
    for (const shard of [0, 1] as const) {
      const answer = await ask(shard, `/clusters/*${TENANCY}/workspaces:${status.identityHash}`);
      expect(answer).toMatchObject({ status: 200 });
    }
  });

  test('all shards in the cache', async () => {
    const path = '/services/cache/shards/*/clusters/*/apis/core.kcp.io/v1alpha1/shards';
    const { items } = (await ask(0, path)).json();
    expect(items.map((item: { metadata: { name: string } }) => item.metadata.name).sort()).toEqual(['root', 'shard-1']);
  });
});
