/** What an export claims in the workspaces that bind it: reached as far as the consumer accepts, and no further. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import {
  accept,
  bindExport,
  type CreatedExport,
  createExport,
  decideClaims,
  grantContent,
  grantRules,
  reject,
  updateExport,
  viewOfExport,
} from './support/exports.ts';
import { masters, user } from './support/identities.ts';
import type { ConfigMap, KubeObject, List, Status } from './support/kube.ts';
import { deviationTest } from './support/suite.ts';
import { adminIn, createParent, uniqueSuffix } from './support/workspaces.ts';

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
const CONFIG_MAPS = { group: '', resource: 'configmaps', verbs: VERBS };
const SECRETS = { group: '', resource: 'secrets', verbs: ['get', 'list'] };
const SERVICE_ACCOUNTS = { group: '', resource: 'serviceaccounts', verbs: VERBS };
const EVENTS = { group: '', resource: 'events', verbs: VERBS };
const SELECTOR = {
  matchLabels: { team: 'blue' },
  matchExpressions: [{ key: 'stage', operator: 'In', values: ['test', 'live'] }],
};

const names = (list: List<KubeObject>): string[] => list.items.map(({ metadata }) => metadata?.name ?? '').sort();
const configMap = (name: string, labels: Record<string, string> = {}): ConfigMap => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', data: { from: 'test' } },
  metadata: { name, namespace: 'default', labels },
});

/** An export, one workspace that binds it with those claims, and a user who may do everything with its content. */
async function scenario(claims: readonly (typeof CONFIG_MAPS)[], accepted: Parameters<typeof bindExport>[2]) {
  const exported = await createExport(await createParent(), { claims });
  const consumer = await createParent();
  const binding = await bindExport(consumer, exported, accepted);
  const { metadata } = (await adminIn(consumer).get('/apis/core.kcp.io/v1alpha1/logicalclusters/cluster')).json<KubeObject>();
  const cluster = metadata?.annotations?.['kcp.io/cluster'] ?? '';
  await admitAndGrant(exported, 'user-1');
  const view = viewOfExport(exported, user(1));
  await eventually('access', async () => (await view.get('/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings')).expect(200));
  return { exported, consumer, binding, cluster, view, content: view.at(`/clusters/${cluster}`) };
}

async function admitAndGrant(exported: CreatedExport, name: string): Promise<void> {
  const access = [{ verbs: ['access'], nonResourceURLs: ['/'] }];
  await grantRules(exported.parent, { kind: 'User', name }, access);
  await grantContent(exported, name, VERBS);
}

type Scenario = Awaited<ReturnType<typeof scenario>>;
const MAPS = '/api/v1/namespaces/default/configmaps';

describe('a claim to all objects of a resource', () => {
  let it: Scenario;
  beforeAll(async () => {
    it = await scenario([CONFIG_MAPS, SECRETS, EVENTS], [accept(CONFIG_MAPS), accept(SECRETS), accept(EVENTS)]);
    (await adminIn(it.consumer).post(MAPS, configMap('theirs'))).expect(201);
    await eventually('the object in the view', async () => {
      expect(names((await it.view.get('/clusters/*/api/v1/configmaps')).json())).toContain('theirs');
    });
  }, 120_000);

  test('opens them to the verbs that both sides name', async () => {
    (await it.content.get(`${MAPS}/theirs`)).expect(200);
    (await it.content.post(MAPS, configMap('mine'))).expect(201);
    (await it.content.mergePatch(`${MAPS}/theirs`, { data: { seen: 'yes' } })).expect(200);
    (await it.content.get('/api/v1/namespaces/default/secrets')).expect(200);
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'mine' } };
    (await it.content.post('/api/v1/namespaces/default/secrets', secret)).expect(403);
    (await it.content.delete(`${MAPS}/mine`)).expect(200);
  });

  test('to events opens both of their groups', async () => {
    for (const group of ['/api/v1', '/apis/events.k8s.io/v1']) {
      (await it.content.get(`${group}/namespaces/default/events`)).expect(200);
      (await it.view.get(`/clusters/*${group}/events`)).expect(200);
    }
  });

  test('opens nothing of what is not claimed', async () => {
    (await it.content.get('/api/v1/namespaces/default/serviceaccounts')).expect(403);
    (await it.view.get('/clusters/*/api/v1/serviceaccounts')).expect(404);
  });

  test('that is claimed no more ends, with its watches', async () => {
    const watch = await it.view.watch('/clusters/*/api/v1/events');
    const others = await it.view.watch('/clusters/*/api/v1/configmaps');
    await updateExport(it.exported, { spec: { permissionClaims: [CONFIG_MAPS, SECRETS] } });
    await watch.untilEnded(20_000);
    expect(others.ended).toBe(false);
    others.close();
    await eventually('the end of the claim', async () => (await it.view.get('/clusters/*/api/v1/events')).expect(404));
  });

  test('that is rejected later shows nothing more, and refuses', async () => {
    await decideClaims(it.consumer, it.binding, [reject(CONFIG_MAPS), accept(SECRETS)]);
    await eventually('an empty list', async () => {
      expect(names((await it.view.get('/clusters/*/api/v1/configmaps')).json())).toEqual([]);
      (await it.content.get(MAPS)).expect(403);
    });
  });
});

describe('a claim that the consumer has limited to a selector', () => {
  let it: Scenario;
  let content: Client;
  beforeAll(async () => {
    it = await scenario([CONFIG_MAPS, SERVICE_ACCOUNTS], [accept(CONFIG_MAPS, SELECTOR)]);
    content = it.content;
    const own = adminIn(it.consumer).at(MAPS);
    (await own.post('', configMap('outside', { team: 'red', stage: 'live' }))).expect(201);
    (await own.post('', configMap('inside', { team: 'blue', stage: 'live' }))).expect(201);
    await eventually('the object in the view', async () => expect(names((await content.get(MAPS)).json())).toEqual(['inside']));
  }, 120_000);

  test('shows its objects, and for every verb no others', async () => {
    expect(names((await it.view.get('/clusters/*/api/v1/configmaps')).json())).toEqual(['inside']);
    (await content.get(`${MAPS}/inside`)).expect(200);
    (await content.get(`${MAPS}/outside`)).expect(404);
    (await content.put(`${MAPS}/outside`, configMap('outside', { team: 'blue', stage: 'live' }))).expect(404);
    (await content.mergePatch(`${MAPS}/outside`, { metadata: { labels: { team: 'blue' } } })).expect(404);
    expect((await content.delete(`${MAPS}/outside`)).status).toBeGreaterThanOrEqual(400);
    const stored = (await adminIn(it.consumer).get(`${MAPS}/outside`)).expect(200).json<ConfigMap>();
    expect(stored.metadata.labels).toMatchObject({ team: 'red' });
  });

  test('labels what is created, as far as only one label would do', async () => {
    const created = (await content.post(MAPS, configMap('labelled', { stage: 'test' }))).expect(201).json<ConfigMap>();
    expect(created.metadata.labels).toMatchObject({ team: 'blue', stage: 'test' });
    const refused = (await content.post(MAPS, configMap('unlabelled'))).expect(403).json<Status>();
    expect(refused.message).toBe('configmaps "unlabelled" is forbidden: object does not match required labels');
    (await content.delete(`${MAPS}/labelled`)).expect(200);
  });

  test('does not let its objects leave it', async () => {
    const labels = { team: 'green', stage: 'test' };
    const refused = (await content.post(MAPS, configMap('wrong', labels))).expect(403).json<Status>();
    expect(refused.message).toBe('configmaps "wrong" is forbidden: protected label team must have value blue');
    (await content.mergePatch(`${MAPS}/inside`, { metadata: { labels: { team: 'green' } } })).expect(403);
    (await content.mergePatch(`${MAPS}/inside`, { metadata: { labels: { stage: null } } })).expect(403);
    const dropped = (await content.mergePatch(`${MAPS}/inside`, { metadata: { labels: { team: null } } })).expect(200);
    expect(dropped.json<ConfigMap>().metadata.labels).toMatchObject({ team: 'blue' });
    const changed = (await content.mergePatch(`${MAPS}/inside`, { data: { more: 'yes' } })).expect(200).json<ConfigMap>();
    expect(changed.data).toEqual({ from: 'test', more: 'yes' });
  });

  test('holds for server-side apply, too', async () => {
    (await content.apply(`${MAPS}/applied`, 'e2e', configMap('applied', { stage: 'live' }))).expect(200, 201);
    expect(names((await content.get(MAPS)).json())).toEqual(['applied', 'inside']);
    (await content.apply(`${MAPS}/refused`, 'e2e', configMap('refused', { stage: 'other' }))).expect(403);
    (await adminIn(it.consumer).get(`${MAPS}/refused`)).expect(404);
    (await content.apply(`${MAPS}/outside`, 'e2e', configMap('outside', { stage: 'live' }))).expect(409);
  });

  test('is all that a collection is deleted of', async () => {
    (await content.delete(MAPS)).expect(200);
    await eventually('nothing in the view', async () => expect(names((await content.get(MAPS)).json())).toEqual([]));
    (await adminIn(it.consumer).get(`${MAPS}/outside`)).expect(200);
  });
});

describe('a claim to a resource of another export', () => {
  const group = `e2e-${uniqueSuffix()}.dev`;
  const resource = { group, plural: 'widgets', kind: 'Widget' };
  const all = `/clusters/*/apis/${group}/v1/widgets`;
  let owner: CreatedExport;
  let claiming: CreatedExport;
  let view: Client;
  let cluster: string;
  beforeAll(async () => {
    owner = await createExport(await createParent(), { resources: [resource], maximalPermissionPolicy: true });
    const claim = { group, resource: 'widgets', verbs: VERBS, identityHash: owner.identityHash };
    claiming = await createExport(await createParent(), { claims: [claim] });
    const consumer = await createParent();
    await grantRules(owner.parent, { kind: 'Group', name: 'system:authenticated' }, [
      { verbs: ['bind'], apiGroups: ['apis.kcp.io'], resources: ['apiexports'] },
    ]);
    const policy = [{ verbs: ['*'], apiGroups: [group], resources: ['*'] }];
    await grantRules(owner.parent, { kind: 'User', name: 'apis.kcp.io:binding:kcp-admin' }, policy);
    await grantRules(owner.parent, { kind: 'Group', name: 'apis.kcp.io:binding:system:kcp:admin' }, policy);
    await bindExport(consumer, owner);
    await bindExport(consumer, claiming, [accept(claim)]);
    const widget = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'theirs' }, spec: {} };
    const widgets = adminIn(consumer).at(`/apis/${group}/v1/namespaces/default/widgets`);
    const stored = await eventually('a widget', async () => (await widgets.post('', widget)).expect(201));
    cluster = stored.json<KubeObject>().metadata?.annotations?.['kcp.io/cluster'] ?? '';
    await admitAndGrant(claiming, 'user-1');
    view = viewOfExport(claiming, user(1));
    await eventually('the widget in the view', async () =>
      expect(names((await viewOfExport(claiming, masters).get(all)).expect(200).json())).toEqual(['theirs']),
    );
  }, 120_000);

  test('is refused while the policy of its owner does not allow it, and allowed once it does', async () => {
    const refused = (await view.get(all)).expect(403).json<Status>();
    expect(refused.message).toContain('cannot list resource "widgets"');
    expect(refused.message).toMatch(/: access denied$/);
    (await view.get(`/clusters/${cluster}/apis/${group}/v1/namespaces/default/widgets/theirs`)).expect(403);
    const subject = { kind: 'User' as const, name: 'apis.kcp.io:binding:user-1' };
    await grantRules(owner.parent, subject, [{ verbs: ['get', 'list'], apiGroups: [group], resources: ['widgets'] }]);
    await eventually('the policy', async () => expect(names((await view.get(all)).expect(200).json())).toEqual(['theirs']));
    (await view.get(`/clusters/${cluster}/apis/${group}/v1/namespaces/default/widgets/theirs`)).expect(200);
    (await view.delete(`/clusters/${cluster}/apis/${group}/v1/namespaces/default/widgets/theirs`)).expect(403);
  });
});

describe('a resource that the shard has by itself', () => {
  // A shard strips the identity from its name and serves its own: through an export of `secrets` kcp's own server shows everybody's.
  deviationTest.each([
    { group: '', plural: 'secrets', kind: 'Secret', path: '/api/v1/secrets' },
    { group: 'apis.kcp.io', plural: 'apiexports', kind: 'APIExport', path: '/apis/apis.kcp.io/v1/apiexports' },
    { group: 'core.kcp.io', plural: 'logicalclusters', kind: 'LogicalCluster', path: '/apis/core.kcp.io/v1/logicalclusters' },
  ])('is not to be had by exporting it: $plural', async ({ path, ...resource }) => {
    const exported = await createExport(await createParent(), { resources: [resource] });
    const view = viewOfExport(exported, masters);
    await eventually('the view', async () => (await view.get('/clusters/*/apis')).expect(200));
    (await view.get(`/clusters/*${path}`)).expect(404);
    (await view.get(`/clusters/*${path.replace('/v1/', '/v1alpha1/')}`)).expect(404);
  });
});
