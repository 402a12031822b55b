import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { admin, atFrontProxy, atVirtualWorkspaces, certified, masters, user } from './support/identities.ts';
import type { ConfigMap, KubeObject, List, Status } from './support/kube.ts';
import { initializing, type Lifecycle, lifecycles } from './support/lifecycle.ts';
import { Scenario } from './support/scenario.ts';
import { deviationTest } from './support/suite.ts';
import { contentOf, createPending, removeOwnName, single, viewOf } from './support/views.ts';
import {
  adminIn,
  admit,
  createParent,
  createType,
  createWorkspace,
  grant,
  isReady,
  storedLogicalCluster,
  uniqueSuffix,
  workspaceWhere,
} from './support/workspaces.ts';

function namespace(name: string) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function configMap(name: string, data: Record<string, string> = { key: 'value' }) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

/** Runs `work` with the name of a namespace to create; again, with another, when kcp's own deletion of content came in between. */
async function undisturbed(lifecycle: Lifecycle, work: (namespace: string) => Promise<void>): Promise<void> {
  if (lifecycle === initializing) return work(`e2e-${uniqueSuffix()}`);
  await eventually('undisturbed work', () => work(`e2e-${uniqueSuffix()}`), 20_000);
}

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

describe.each(lifecycles)('the content of a workspace in $view, for a type without permissions of its own', lifecycle => {
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await Scenario.create(lifecycle);
    await admit(scenario.type.parent, 'user-1');
    await grant(scenario.type, 'user-1', lifecycle.verb);
    await eventually('access', async () => (await scenario.content(user(1)).get('/api/v1/namespaces')).expect(200));
  });

  test('can be created, read, listed, changed, watched and deleted by a user who has no right in it otherwise', async () => {
    const content = scenario.content(user(1));
    await undisturbed(lifecycle, async name => {
      (await content.post('/api/v1/namespaces', namespace(name))).expect(201);
      const maps = content.at(`/api/v1/namespaces/${name}/configmaps`);
      const watch = await maps.watch('');
      (await maps.post('', configMap('one'))).expect(201);
      await watch.until('the creation', ({ type, object }) => type === 'ADDED' && object.metadata?.name === 'one');
      const stored = (await maps.get('/one')).expect(200).json<ConfigMap>();
      expect(stored.data).toEqual({ key: 'value' });
      expect((await maps.put('/one', { ...stored, data: { key: 'put' } })).expect(200).json<ConfigMap>().data).toEqual({
        key: 'put',
      });
      expect((await maps.mergePatch('/one', { data: { key: 'patched' } })).expect(200).json<ConfigMap>().data).toEqual({
        key: 'patched',
      });
      expect((await maps.get('?fieldSelector=metadata.name%3Done')).expect(200).json<List<ConfigMap>>().items).toHaveLength(1);
      expect((await maps.get('?fieldSelector=metadata.name%3Dtwo')).expect(200).json<List<ConfigMap>>().items).toHaveLength(0);
      (await maps.delete('/one')).expect(200);
      await watch.until('the deletion', ({ type, object }) => type === 'DELETED' && object.metadata?.name === 'one');
    });
    (await atFrontProxy(user(1)).at(`/clusters/${scenario.cluster}`).get('/api/v1/namespaces')).expect(403);
  });

  test("is changed with the owner's rights: what the user could never grant is granted", async () => {
    const role = { metadata: { name: 'e2e-everything' }, rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] };
    (
      await scenario
        .content(user(1))
        .post(`${RBAC}/clusterroles`, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', ...role })
    ).expect(201);
  });

  test("passes the shard's own refusals on as they are", async () => {
    const status = (await scenario.content(user(1)).get('/api/v1/namespaces/nosuchnamespace')).expect(404).json<Status>();
    expect(status).toMatchObject({ kind: 'Status', reason: 'NotFound', message: 'namespaces "nosuchnamespace" not found' });
    (await scenario.content(user(1)).send('POST', '/api/v1/namespaces', { body: '{' })).expect(400);
    (await scenario.content(user(1)).get('/nosuchpath')).expect(404);
  });

  test('comes in whatever form the shard can give it', async () => {
    const content = scenario.content(user(1));
    const protobuf = (await content.get('/api/v1/namespaces', { Accept: 'application/vnd.kubernetes.protobuf' })).expect(200);
    expect(protobuf.headers['content-type']).toBe('application/vnd.kubernetes.protobuf');
    const table = (await content.get('/api/v1/namespaces', { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })).expect(
      200,
    );
    expect(table.json<KubeObject>().kind).toBe('Table');
  });

  test('is out of reach through the name of another type', async () => {
    const other = await Scenario.create(lifecycle, undefined, scenario.type.parent);
    const reply = (await contentOf(other.view(admin), scenario.cluster).get('/api/v1/namespaces')).expect(403);
    expect(reply.headers['content-type']).toContain('text/plain');
    expect(reply.text.trim()).toBe(`${lifecycle.noun} "${other.name}" cannot access this workspace`);
  });

  test('is out of reach in workspaces that wait for nobody, root included', async () => {
    const ready = await createWorkspace(scenario.type.parent, { path: 'root', name: 'universal' });
    await workspaceWhere('is Ready', scenario.type.parent, ready.metadata.name, isReady);
    for (const cluster of [ready.spec.cluster, 'root']) {
      const reply = (await contentOf(scenario.view(user(1)), cluster).get('/api/v1/namespaces')).expect(403);
      expect(reply.text.trim()).toBe(`${lifecycle.noun} "${scenario.name}" cannot access this workspace`);
    }
  });

  test('is out of reach for masters through a name that is malformed or that the workspace does not wait for', async () => {
    for (const name of ['nocolon', 'root:nosuchtype', 'system:nosuch']) {
      const reply = (await contentOf(viewOf(lifecycle, name, masters), scenario.cluster).get('/api/v1/namespaces')).expect(403);
      expect(reply.text.trim()).toBe(`${lifecycle.noun} "${name}" cannot access this workspace`);
    }
  });

  // kcp's Go server answers 500 when it does not find the logical cluster.
  deviationTest('of a workspace that does not exist is 404', async () => {
    for (const cluster of ['nosuchcluster', '']) {
      (await contentOf(scenario.view(user(1)), cluster).get('/api/v1/namespaces')).expect(404);
    }
  });

  test('is refused from the moment the own name has been removed', async () => {
    const leaving = await scenario.another();
    const content = leaving.content(user(1));
    (await content.get('/api/v1/namespaces')).expect(200);
    const watch = await leaving.wildcard(user(1)).watch('');
    await removeOwnName(lifecycle, leaving.view(user(1)), leaving.cluster, leaving.name);
    const isDeparture = ({ type, object }: { type: string; object: KubeObject }) =>
      type === 'DELETED' && object.metadata?.annotations?.['kcp.io/cluster'] === leaving.cluster;
    await watch.until('the departure', isDeparture);
    // A terminated workspace vanishes; how its absence is told differs between implementations.
    const allowed = lifecycle === initializing ? [403] : [403, 404, 500];
    (await content.get('/api/v1/namespaces')).expect(...allowed);
    (await content.post('/api/v1/namespaces', namespace('e2e-too-late'))).expect(...allowed);
    (await single(leaving.view(user(1)), leaving.cluster).get('')).expect(404);
    (await single(leaving.view(user(1)), leaving.cluster).mergePatch('/status', { status: {} })).expect(404);
  });

  // kcp's Go server lets a watch of content run on after the workspace has been handed over.
  deviationTest('stops flowing into open watches when the own name has been removed', async () => {
    const leaving = await scenario.another();
    const watch = await leaving.content(user(1)).watch('/api/v1/namespaces?timeoutSeconds=300');
    await removeOwnName(lifecycle, leaving.view(user(1)), leaving.cluster, leaving.name);
    await watch.untilEnded(10_000);
  });

  test('keeps flowing into open watches while the own name stands', async () => {
    const content = scenario.content(user(1));
    const watch = await content.watch('/api/v1/namespaces?timeoutSeconds=300');
    for (const number of [1, 2, 3]) {
      await sleep(2_000);
      const name = `e2e-watched-${number}`;
      (await content.post('/api/v1/namespaces', namespace(name))).expect(201);
      await watch.until(`the arrival of ${name}`, ({ object }) => object.metadata?.name === name, 5_000);
    }
    expect(watch.ended).toBe(false);
  });
});

describe('the owner in whose name content is changed', () => {
  test('is the recorded creator with its groups and extra fields, not the caller', async () => {
    const parent = await createParent();
    const type = await createType(parent, { initializer: true });
    const creator = certified('e2e-creator', ['e2e-team']);
    await admit(parent, 'e2e-creator');
    // A workspace may be created only by who may use its type and create workspaces beside it.
    const rules = [
      { verbs: ['use'], apiGroups: ['tenancy.kcp.io'], resources: ['workspacetypes'], resourceNames: [type.name] },
      { verbs: ['create', 'get'], apiGroups: ['tenancy.kcp.io'], resources: ['workspaces'] },
    ];
    const name = `${type.name}-creator`;
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'e2e-creator' }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
    (await adminIn(parent).post(`${RBAC}/clusterroles`, { metadata: { name }, rules })).expect(201);
    (await adminIn(parent).post(`${RBAC}/clusterrolebindings`, { metadata: { name }, roleRef, subjects })).expect(201);
    const { spec } = await createPending(initializing, type, atFrontProxy(creator));
    const { createdBy } = (await storedLogicalCluster(spec.cluster)).spec;
    expect(createdBy).toMatchObject({ username: 'e2e-creator', groups: expect.arrayContaining(['e2e-team']) });

    const content = contentOf(viewOf(initializing, type.lifecycleName, admin), spec.cluster);
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const answer = (await content.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', review)).expect(201);
    const { userInfo } = answer.json<{ status: { userInfo: unknown } }>().status as {
      userInfo: { username: string; groups: string[]; extra: object };
    };
    expect(userInfo).toMatchObject({ username: 'e2e-creator', groups: expect.arrayContaining(createdBy?.groups ?? ['none']) });
    expect(userInfo.extra).toMatchObject(createdBy?.extra ?? { none: [] });
    expect(userInfo.groups).not.toContain('system:masters');
  });
});

describe('a view of content', () => {
  test('does not exist under an unknown name of a view', async () => {
    (await atVirtualWorkspaces(user(1)).get('/services/nosuchview/root:universal/clusters/root/api')).expect(403);
    (await atVirtualWorkspaces(masters).get('/services/nosuchview/root:universal/clusters/root/api')).expect(404);
  });
});
