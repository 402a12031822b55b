/** The view of an APIExport, as its provider's controllers use it: its own resource in all workspaces that bind it. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import {
  bindExport,
  type CreatedExport,
  createExport,
  createSchema,
  deleteExport,
  grantContent,
  updateExport,
  viewOfExport,
} from './support/exports.ts';
import { anonymous, masters, user } from './support/identities.ts';
import type { KubeObject, List, Status, Table } from './support/kube.ts';
import { deviationTest } from './support/suite.ts';
import { adminIn, createParent, uniqueSuffix } from './support/workspaces.ts';

const GROUP = `e2e-${uniqueSuffix()}.dev`;
const WIDGETS = { group: GROUP, plural: 'widgets', kind: 'Widget' };
const GADGETS = { group: GROUP, plural: 'gadgets', kind: 'Gadget' };
const ALL = `/clusters/*/apis/${GROUP}/v1/widgets`;
const ALL_VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

const clusterOf = (object: KubeObject): string => object.metadata?.annotations?.['kcp.io/cluster'] ?? '';
const names = (list: List<KubeObject>): string[] => list.items.map(({ metadata }) => metadata?.name ?? '').sort();
const widget = (name: string, text = 'hello', metadata: object = {}): KubeObject & { spec: object } => ({
  ...{ apiVersion: `${GROUP}/v1`, kind: 'Widget', spec: { text } },
  metadata: { name, namespace: 'default', ...metadata },
});

interface Consumer {
  readonly path: string;
  readonly cluster: string;
}

/** A workspace with the export bound and one widget of its own. */
async function createConsumer(exported: CreatedExport, name: string): Promise<Consumer> {
  const path = await createParent();
  await bindExport(path, exported);
  const widgets = adminIn(path).at(`/apis/${GROUP}/v1/namespaces/default/widgets`);
  const stored = await eventually(`widget ${name}`, async () => (await widgets.post('', widget(name))).expect(201, 409));
  const object = stored.status === 201 ? stored : (await widgets.get(`/${name}`)).expect(200);
  return { path, cluster: clusterOf(object.json<KubeObject>()) };
}

let exported: CreatedExport;
let one: Consumer;
let two: Consumer;
let provider: Client;
const outsider = (): Client => viewOfExport(exported, user(2));
const of = ({ cluster }: Consumer, version = 'v1'): string =>
  `/clusters/${cluster}/apis/${GROUP}/${version}/namespaces/default/widgets`;

beforeAll(async () => {
  exported = await createExport(await createParent(), { resources: [WIDGETS] });
  [one, two] = await Promise.all([createConsumer(exported, 'first'), createConsumer(exported, 'second')]);
  provider = viewOfExport(exported, user(1));
  await adminIn(exported.parent).post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'access' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:kcp:workspace:access' },
    subjects: ['user-1', 'user-2'].map(name => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })),
  });
  await grantContent(exported, 'user-1', ALL_VERBS);
  await eventually('access', async () => (await provider.get(ALL)).expect(200));
  await eventually('both widgets', async () => {
    expect(names((await provider.get(ALL)).json())).toEqual(['first', 'second']);
  });
}, 120_000);

describe('the view of an export', () => {
  test('shows the objects of all logical clusters at once, each with where it is', async () => {
    const list = (await provider.get(ALL)).expect(200).json<List<KubeObject>>();
    expect(list.items.map(clusterOf).sort()).toEqual([one.cluster, two.cluster].sort());
    expect(list.metadata.resourceVersion).toMatch(/^\d+$/);
  });

  test('shows the objects of one logical cluster', async () => {
    const list = (await provider.get(of(one))).expect(200).json<List<KubeObject>>();
    expect(names(list)).toEqual(['first']);
    expect(names((await provider.get(`/clusters/${one.cluster}/apis/${GROUP}/v1/widgets`)).json())).toEqual(['first']);
  });

  test('serves every version of the resource', async () => {
    const found = (await provider.get(`${of(one, 'v1alpha1')}/first`)).expect(200).json<KubeObject>();
    expect(found.apiVersion).toBe(`${GROUP}/v1alpha1`);
  });

  deviationTest('has aggregated discovery for clients that ask for that first', async () => {
    const type = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const reply = (await provider.get('/clusters/*/apis', { Accept: `${type},application/json` })).expect(200);
    expect(reply.headers['content-type']).toBe(type);
    const { items } = reply.json<{ items: { metadata: { name: string } }[] }>();
    expect(items.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(['apis.kcp.io', GROUP]));
  });

  test('gives tables with the columns of the schema', async () => {
    const Accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const table = (await provider.get(of(one), { Accept })).expect(200).json<Table>();
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Text']);
    expect(table.rows.map(({ cells }) => cells)).toEqual([['first', 'hello']]);
  });

  test('lets the provider write where the export is bound', async () => {
    const name = `mine-${uniqueSuffix()}`;
    const created = (await provider.post(of(one), widget(name))).expect(201).json<KubeObject & { spec: object }>();
    const updated = (await provider.put(`${of(one)}/${name}`, { ...created, spec: { text: 'changed' } })).expect(200);
    expect(updated.json<{ spec: object }>().spec).toEqual({ text: 'changed' });
    (await provider.mergePatch(`${of(one)}/${name}`, { spec: { number: 3 } })).expect(200);
    (await provider.jsonPatch(`${of(one)}/${name}`, [{ op: 'replace', path: '/spec/text', value: 'again' }])).expect(200);
    const status = (await provider.mergePatch(`${of(one)}/${name}/status`, { status: { text: 'seen' } })).expect(200);
    expect(status.json()).toMatchObject({ spec: { text: 'again', number: 3 }, status: { text: 'seen' } });
    (await provider.delete(`${of(one)}/${name}`)).expect(200);
    (await provider.get(`${of(one)}/${name}`)).expect(404);
  });

  test('creates by server-side apply', async () => {
    const name = `applied-${uniqueSuffix()}`;
    (await provider.apply(`${of(one)}/${name}`, 'e2e', widget(name))).expect(200, 201);
    (await provider.delete(`${of(one)}/${name}`)).expect(200);
  });

  test('watches all logical clusters', async () => {
    const name = `watched-${uniqueSuffix()}`;
    const { metadata } = (await provider.get(ALL)).json<List<KubeObject>>();
    const watch = await provider.watch(`${ALL}?resourceVersion=${metadata.resourceVersion}`);
    (await provider.post(of(two), widget(name))).expect(201);
    (await provider.delete(`${of(two)}/${name}`)).expect(200);
    const deleted = await watch.until(
      'the end of it',
      ({ type, object }) => type === 'DELETED' && object.metadata?.name === name,
    );
    expect(clusterOf(deleted.object)).toBe(two.cluster);
    watch.close();
  });

  test('streams a list with a bookmark at its end', async () => {
    const query = 'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
    const watch = await provider.watch(`${ALL}?${query}`);
    await watch.until('the end of the initial events', ({ type }) => type === 'BOOKMARK');
    expect(watch.events.filter(({ type }) => type === 'ADDED').map(({ object }) => clusterOf(object))).toEqual(
      expect.arrayContaining([one.cluster, two.cluster]),
    );
    watch.close();
  });

  test('always has its own bindings, to be read', async () => {
    const path = '/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings';
    const bindings = (await provider.get(path)).expect(200).json<List<KubeObject>>();
    expect(bindings.items.map(clusterOf).sort()).toEqual([one.cluster, two.cluster].sort());
    const binding = `/clusters/${one.cluster}/apis/apis.kcp.io/v1alpha2/apibindings/${bindings.items[0]?.metadata?.name}`;
    (await provider.mergePatch(binding, { metadata: { labels: { mine: 'now' } } })).expect(403);
  });
});

describe('another export of the same resource', () => {
  // Asked for metadata over all logical clusters, a kcp shard forgets the identity, and shows the objects of every export of that name.
  test('shares nothing with it, in whatever form it is asked for', async () => {
    const other = await createExport(await createParent(), { resources: [WIDGETS] });
    await createConsumer(other, 'foreign');
    const foreign = viewOfExport(other, masters);
    await eventually('the foreign widget', async () => expect(names((await foreign.get(ALL)).json())).toEqual(['foreign']));
    const own = names((await provider.get(ALL)).json());
    expect(own).not.toContain('foreign');
    const metadata = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
    for (const Accept of [metadata, `${metadata},application/json`, `application/json,${metadata}`]) {
      expect(names((await provider.get(ALL, { Accept })).expect(200).json())).toEqual(own);
      expect(names((await foreign.get(ALL, { Accept })).expect(200).json())).toEqual(['foreign']);
    }
    const query = 'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
    const Accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
    const watch = await foreign.watch(`${ALL}?${query}`, { Accept });
    await watch.until('the end of the initial events', ({ type }) => type === 'BOOKMARK');
    watch.close();
    const added = watch.events.filter(({ type }) => type === 'ADDED');
    expect(added.map(({ object }) => object.metadata?.name)).toEqual(['foreign']);
  });
});

describe('who may not use the content of an export', () => {
  test('is refused with the words of the API server, and not told why', async () => {
    const refused = (await outsider().get(ALL)).expect(403).json<Status>();
    expect(refused.message).toBe(
      `widgets.${GROUP} is forbidden: User "user-2" cannot list resource "widgets" in API group "${GROUP}" at the cluster scope: access denied`,
    );
    (await outsider().get(`${of(one)}/first`)).expect(403);
    (await outsider().get('/clusters/*/apis')).expect(403);
    (await viewOfExport(exported, anonymous).get(ALL)).expect(403);
  });

  test('has each verb from its grant alone', async () => {
    const revoke = await grantContent(exported, 'user-2', ['get', 'list']);
    await eventually('the grant', async () => (await outsider().get(of(one))).expect(200));
    (await outsider().get(`${of(one)}/first`)).expect(200);
    (await outsider().post(of(one), widget('refused'))).expect(403);
    (await outsider().mergePatch(`${of(one)}/first`, {})).expect(403);
    (await outsider().delete(`${of(one)}/first`)).expect(403);
    (await outsider().get(`${of(one)}?watch=true&timeoutSeconds=1`)).expect(403);
    await revoke();
    await eventually('the end of the grant', async () => (await outsider().get(of(one))).expect(403), 40_000);
  });

  test('is refused for workspaces that have not bound the export', async () => {
    const stranger = await createParent();
    const { metadata } = (await adminIn(stranger).get('/apis/core.kcp.io/v1alpha1/logicalclusters/cluster')).json<KubeObject>();
    const cluster = metadata?.annotations?.['kcp.io/cluster'] ?? '';
    (await provider.get(`/clusters/${cluster}/apis/${GROUP}/v1/widgets`)).expect(403);
  });
});

describe('paths and requests that cannot be served', () => {
  test.each([
    ['a wildcard request in a namespace', `/clusters/*/apis/${GROUP}/v1/namespaces/default/widgets`, 400],
    ['a wildcard request for one object', `${ALL}/first`, 404],
    ['a resource that is not in the export', `/clusters/*/apis/${GROUP}/v1/nothings`, 404],
    ['a built-in resource that is not claimed', '/clusters/*/api/v1/secrets', 404],
    ['a label selector that does not parse', `${ALL}?labelSelector=%28`, 400],
    ['a limit that is no number', `${ALL}?limit=abc`, 400],
  ])('%s is refused', async (_, path, status) => {
    expect((await viewOfExport(exported, masters).get(path)).status).toBe(status);
  });

  test.each([
    ['nothing', '', 'application/json', 400],
    ['no JSON', '{"apiVersion":', 'application/json', 400],
    ['plain text', 'hello', 'text/plain', 415],
  ])('a create with %s is refused', async (_, body, contentType, status) => {
    expect((await provider.send('POST', of(one), { body, contentType })).status).toBe(status);
  });

  test('a body of more than 3 MiB is refused', async () => {
    const body = widget('large', 'x'.repeat(3 * 1024 * 1024));
    expect((await provider.send('POST', of(one), { body })).status).toBe(413);
  });
});

describe('when the export changes', () => {
  test('a watch of what changes ends, and one of what stays goes on', async () => {
    const parent = await createParent();
    const changing = await createExport(parent, { resources: [WIDGETS, GADGETS] });
    const consumer = await createParent();
    await bindExport(consumer, changing);
    const view = viewOfExport(changing, masters);
    await eventually('both resources', async () => {
      (await view.get(ALL)).expect(200);
      (await view.get(ALL.replace('widgets', 'gadgets'))).expect(200);
    });
    const [widgets, gadgets] = await Promise.all([view.watch(ALL), view.watch(ALL.replace('widgets', 'gadgets'))]);
    const schema = await createSchema(parent, GADGETS, 'v2');
    const resource = (plural: string, name: string) => ({ group: GROUP, name: plural, schema: name, storage: { crd: {} } });
    const resources = [resource('widgets', `v1.widgets.${GROUP}`), resource('gadgets', schema)];
    await updateExport(changing, { spec: { resources } });
    await gadgets.untilEnded(20_000);
    expect(widgets.ended).toBe(false);
    widgets.close();
  });

  deviationTest('its deletion ends its watches', async () => {
    const doomed = await createExport(await createParent(), { resources: [GADGETS] });
    await bindExport(await createParent(), doomed);
    const view = viewOfExport(doomed, masters);
    const path = ALL.replace('widgets', 'gadgets');
    await eventually('the resource', async () => (await view.get(path)).expect(200));
    const watch = await view.watch(path);
    await deleteExport(doomed);
    await watch.untilEnded(20_000);
    expect((await view.get(path)).status).toBe(404);
  });

  deviationTest('nobody who comes before the first binding is sent away, or misses it', async () => {
    const fresh = await createExport(await createParent(), { resources: [GADGETS] });
    const view = viewOfExport(fresh, masters);
    const path = ALL.replace('widgets', 'gadgets');
    const empty = (await view.get(path)).expect(200).json<List<KubeObject>>();
    expect({ ...empty, metadata: {} }).toEqual({ apiVersion: `${GROUP}/v1`, kind: 'GadgetList', metadata: {}, items: [] });
    const query = 'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
    const streamed = await view.watch(`${path}?${query}`);
    await streamed.until('the end of nothing', ({ type }) => type === 'BOOKMARK');
    const resumed = await view.watch(`${path}?resourceVersion=${empty.metadata.resourceVersion}`);
    const consumer = await createParent();
    await bindExport(consumer, fresh);
    const gadget = { ...widget('gadget'), kind: 'Gadget' };
    const gadgets = adminIn(consumer).at(`/apis/${GROUP}/v1/namespaces/default/gadgets`);
    await eventually('a gadget', async () => (await gadgets.post('', gadget)).expect(201, 409));
    for (const watch of [streamed, resumed]) {
      await watch.until('the gadget', ({ type, object }) => type === 'ADDED' && object.metadata?.name === 'gadget');
      watch.close();
    }
  });
});
