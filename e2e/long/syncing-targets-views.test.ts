/** Which views SyncTargets have, who is let in, what their API is, and when they end. */
import { describe, expect } from '@jest/globals';
import type { Client } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { bindExport, createExport, grantRules } from '../support/exports.ts';
import { atVirtualWorkspaces, masters, target } from '../support/identities.ts';
import type { Status, Table } from '../support/kube.ts';
import { createServiceAccount } from '../support/service-accounts.ts';
import { COMPUTE, createConsumer, createSyncedNamespace, mark, NAMESPACES, syncingTest } from '../support/syncing.ts';
import {
  created,
  createReadySyncTarget,
  letServiceIn,
  seen,
  service,
  servicesIn,
  shownTo,
  specDiffOf,
  takeOn,
} from '../support/syncing-shown.ts';
import {
  acceptResources,
  beat,
  createSyncer,
  createSyncTarget,
  deleteSyncTarget,
  expectedViewsOf,
  SYNC_TARGETS,
  storedSyncTarget,
  viewsOf,
} from '../support/syncing-targets.ts';
import { adminIn, createParent, uniqueSuffix } from '../support/workspaces.ts';

const READ_AND_WRITE = ['get', 'list', 'patch', 'update', 'watch'];
const MAKE_TOO = ['create', 'delete', ...READ_AND_WRITE];
const OF_STATUS = ['get', 'patch', 'update'];

interface Discovered {
  readonly resources: readonly { readonly name: string; readonly verbs: readonly string[]; readonly namespaced: boolean }[];
}

/** Group version and resource, with the verbs in alphabetical order. */
async function discovered(view: Client): Promise<Record<string, readonly string[]>> {
  const { versions } = (await view.get('/api')).expect(200).json<{ versions: readonly string[] }>();
  const groups = (await view.get('/apis')).expect(200).json<{ groups: { versions: { groupVersion: string }[] }[] }>().groups;
  const paths = [
    ...versions.map(version => `/api/${version}`),
    ...groups.flatMap(group => group.versions.map(({ groupVersion }) => `/apis/${groupVersion}`)),
  ];
  const all: Record<string, readonly string[]> = {};
  for (const path of paths) {
    // The core group is always named, and has nothing where nothing of it is accepted.
    const reply = (await view.get(path)).expect(200, ...(path === '/api/v1' ? [404] : []));
    const { resources = [] } = reply.json<Partial<Discovered>>();
    for (const { name, verbs } of resources) all[`${path} ${name}`] = [...verbs].sort();
  }
  return all;
}

const withVerbs = (verbs: readonly string[], ...names: readonly string[]) =>
  Object.fromEntries(names.map(name => [name, name.endsWith('/status') ? OF_STATUS : verbs]));

const BUILT_IN = withVerbs(
  READ_AND_WRITE,
  ...['configmaps', 'namespaces', 'namespaces/status', 'secrets', 'serviceaccounts'].map(name => `/api/v1 ${name}`),
);

const OF_COMPUTE = withVerbs(
  READ_AND_WRITE,
  ...['services', 'services/status', 'persistentvolumes', 'persistentvolumes/status'].map(name => `/api/v1 ${name}`),
  ...['deployments', 'deployments/status'].map(name => `/apis/apps/v1 ${name}`),
  ...['ingresses', 'ingresses/status'].map(name => `/apis/networking.k8s.io/v1 ${name}`),
);

const BROUGHT = withVerbs(
  MAKE_TOO,
  ...['pods', 'pods/status', 'persistentvolumes', 'persistentvolumes/status'].map(name => `/api/v1 ${name}`),
);

describe.each(target.shards.map(shard => ({ on: shard.name, shard })))('the views of SyncTargets on $on', ({ shard }) => {
  syncingTest('have an API of each target, by what it accepts, with the verbs of each view', async () => {
    const one = await createSyncTarget();
    const other = await createSyncTarget();
    await acceptResources(one);
    await acceptResources(other, ['services', 'deployments']);
    const [views, others] = [await viewsOf(one, shard), await viewsOf(other, shard)];
    await eventually('the resources of both', async () => {
      for (const cluster of ['*', one.cluster]) {
        expect(await discovered(views.syncer.at(`/clusters/${cluster}`))).toEqual({ ...BUILT_IN, ...OF_COMPUTE });
        expect(await discovered(views.upsyncer.at(`/clusters/${cluster}`))).toEqual(BROUGHT);
      }
      const names = [
        '/api/v1 services',
        '/api/v1 services/status',
        '/apis/apps/v1 deployments',
        '/apis/apps/v1 deployments/status',
      ];
      expect(await discovered(others.syncer.at('/clusters/*'))).toEqual({ ...BUILT_IN, ...withVerbs(READ_AND_WRITE, ...names) });
      expect(await discovered(others.upsyncer.at('/clusters/*'))).toEqual({});
    });
    // What is not accepted any more is not there any more.
    const { status } = await storedSyncTarget(other);
    const syncedResources = status?.syncedResources?.map(entry =>
      entry.resource === 'services' ? { ...entry, state: 'Incompatible' } : entry,
    );
    (await adminIn(COMPUTE).mergePatch(`${SYNC_TARGETS}/${other.name}/status`, { status: { syncedResources } })).expect(200);
    await eventually('the end of services', async () => {
      (await others.syncer.at('/clusters/*').get('/api/v1/services')).expect(404);
      expect(Object.keys(await discovered(others.syncer.at('/clusters/*')))).not.toContain('/api/v1 services');
    });
    // A shard may be about to serve it only (429).
    await eventually('deployments', async () =>
      (await others.syncer.at('/clusters/*').get('/apis/apps/v1/deployments')).expect(200),
    );
  });

  syncingTest('have what exports of others offer, whose providers let the service in', async () => {
    const provider = await createParent();
    const resource = { group: `e2e-${uniqueSuffix()}.dev`, plural: 'cowboys', kind: 'Cowboy' };
    const exported = await createExport(provider, { resources: [resource] });
    await letServiceIn(provider, exported.name);
    const one = await createSyncTarget({ spec: { supportedAPIExports: [{ path: provider, export: exported.name }] } });
    const consumer = await createConsumer(shard);
    await bindExport(consumer.path, exported);
    await beat(one);
    await acceptResources(one, ['cowboys']);
    const { here, everywhere } = await shownTo(one, consumer);
    const names = ['v1', 'v1alpha1'].flatMap(version =>
      ['cowboys', 'cowboys/status'].map(name => `/apis/${resource.group}/${version} ${name}`),
    );
    await eventually('cowboys', async () =>
      expect(await discovered(everywhere)).toEqual({ ...BUILT_IN, ...withVerbs(READ_AND_WRITE, ...names) }),
    );
    const namespace = await createSyncedNamespace(consumer, [one]);
    const collection = `/apis/${resource.group}/v1/namespaces/${namespace}/cowboys`;
    const cowboy = { apiVersion: `${resource.group}/v1`, kind: 'Cowboy', metadata: { name: 'joe' }, spec: { text: 'howdy' } };
    const path = await created(consumer, collection, cowboy);
    // The scheduler follows the other export, too.
    expect(await seen(here, path)).toMatchObject({ spec: cowboy.spec });
    await takeOn(here, path, one);
    const older = path.replace('/v1/', '/v1alpha1/');
    expect((await here.get(older)).expect(200).json()).toMatchObject({
      apiVersion: `${resource.group}/v1alpha1`,
      spec: cowboy.spec,
    });
    (await here.get(servicesIn(namespace))).expect(404);
  });

  syncingTest('answer their syncers alone', async () => {
    const [one, other] = [await createReadySyncTarget(), await createReadySyncTarget()];
    const stranger = await createServiceAccount(COMPUTE);
    const { syncer, upsyncer } = await viewsOf(one, shard);
    const elsewhere = await viewsOf(one, shard, other.syncer);
    const asStranger = await viewsOf(one, shard, stranger.credentials);
    const paths = ['/clusters/*/api/v1/namespaces', '/clusters/*/api', '/clusters/*/apis', '/clusters/*/version'];
    for (const view of [syncer, upsyncer])
      await eventually('access', async () => (await view.get('/clusters/*/api')).expect(200));
    for (const path of paths) {
      for (const refused of [elsewhere.syncer, elsewhere.upsyncer, asStranger.syncer, asStranger.upsyncer]) {
        (await refused.get(path)).expect(403);
      }
    }
    // A second account with the role is let in; the first is not for that.
    const second = await createSyncer(COMPUTE, one.name);
    const asSecond = await viewsOf(one, shard, second.credentials);
    await eventually('the second syncer', async () => (await asSecond.syncer.get('/clusters/*/api')).expect(200));
    (await asStranger.syncer.get('/clusters/*/api')).expect(403);
    // To read the SyncTarget is not to be its syncer.
    const reader = { kind: 'User', name: stranger.globalName } as const;
    await grantRules(COMPUTE, reader, [
      { apiGroups: ['workload.kcp.io'], resources: ['synctargets'], verbs: ['get', 'list', 'watch'] },
    ]);
    (await asStranger.syncer.get('/clusters/*/api')).expect(403);
  });

  syncingTest('are nowhere but at the URLs', async () => {
    const one = await createReadySyncTarget();
    const { cluster, name, uid } = one;
    await eventually('access', async () => (await (await viewsOf(one, shard)).syncer.get('/clusters/*/api')).expect(200));
    const away = [
      `/services/syncer/${cluster}/${name}/00000000-0000-0000-0000-000000000000/clusters/*`,
      `/services/syncer/${COMPUTE}/${name}/${uid}/clusters/*`,
      `/services/syncer/${cluster}/other-${name}/${uid}/clusters/*`,
      `/services/syncer/${cluster}/${name}/${uid}/clusters/${COMPUTE}`,
      `/services/syncer/${cluster}/${name}/clusters/*`,
      `/services/syncer/${cluster}/${name}/${uid}`,
    ];
    for (const path of away) {
      (await atVirtualWorkspaces(one.syncer, shard).get(`${path}/api/v1/namespaces`)).expect(403);
      (await atVirtualWorkspaces(masters, shard).get(`${path}/api/v1/namespaces`)).expect(404);
    }
    (await atVirtualWorkspaces({ name: 'nobody', token: 'no.such.token' }, shard).get(`${away[0]}/api`)).expect(401);
  });

  syncingTest('end with their SyncTarget, and are not those of its namesake', async () => {
    const one = await createReadySyncTarget();
    const consumer = await createConsumer(shard);
    const { everywhere, broughtEverywhere } = await shownTo(one, consumer);
    const namespace = await createSyncedNamespace(consumer, [one]);
    const watches = await Promise.all([
      everywhere.watch('/api/v1/services'),
      everywhere.watch(NAMESPACES),
      broughtEverywhere.watch('/api/v1/pods'),
    ]);
    await watches[1]?.until('the namespace', ({ object }) => object.metadata?.name === namespace);
    await deleteSyncTarget(one);
    for (const watch of watches) {
      const { object } = await watch.until('the end', ({ type }) => type === 'ERROR');
      expect(object).toMatchObject({ code: 410, reason: 'Expired' });
      await watch.untilEnded(10_000);
    }
    await eventually('the end of access', async () => (await everywhere.get(NAMESPACES)).expect(403));
    const again = await createReadySyncTarget({ name: one.name });
    expect(again.uid).not.toBe(one.uid);
    expect(again.key).toBe(one.key);
    await shownTo(again, consumer);
    (await expectedViewsOf(one, shard, again.syncer).syncer.get('/clusters/*/api/v1/services')).expect(403);
    (await everywhere.get(NAMESPACES)).expect(403);
  });

  syncingTest('keep from all others what cannot be shown, and say so on the SyncTarget', async () => {
    const one = await createReadySyncTarget();
    const consumer = await createConsumer(shard);
    const { here, everywhere } = await shownTo(one, consumer);
    const namespace = await createSyncedNamespace(consumer, [one]);
    const [good, bad] = await Promise.all(['good', 'bad'].map(name => created(consumer, servicesIn(namespace), service(name))));
    if (good === undefined || bad === undefined) throw new Error('there are two');
    for (const path of [good, bad]) await seen(here, path);
    await mark(consumer, bad, { annotations: { [specDiffOf(one)]: '[{"op":"replace","path":"/nosuch/field","value":1}]' } });
    const namesIn = async (client: Client): Promise<string[]> =>
      (await client.get('/api/v1/services'))
        .expect(200)
        .json<{ items: { metadata: { name: string } }[] }>()
        .items.map(({ metadata }) => metadata.name);
    expect(await namesIn(here)).toEqual(['good']);
    expect(await namesIn(everywhere)).toEqual(['good']);
    expect((await here.get(bad)).expect(500).json<Status>().message).toContain('services "bad" cannot be shown');
    (await here.mergePatch(`${bad}/status`, { status: { loadBalancer: {} } })).expect(500);
    const condition = async () => (await storedSyncTarget(one)).status?.conditions?.find(({ type }) => type === 'ObjectsShown');
    await eventually('the condition', async () =>
      expect(await condition()).toMatchObject({
        ...{ status: 'False', reason: 'BrokenObjects' },
        message: expect.stringContaining(`${consumer.cluster}/${namespace}/services/bad`),
      }),
    );
    await mark(consumer, bad, { annotations: { [specDiffOf(one)]: null } });
    expect((await namesIn(here)).sort()).toEqual(['bad', 'good']);
    await eventually('the end of the condition', async () => expect(await condition()).toBeUndefined());
  });

  syncingTest('are shown as tables, of what the syncer sees', async () => {
    const one = await createReadySyncTarget();
    const consumer = await createConsumer(shard);
    const { here, everywhere } = await shownTo(one, consumer);
    const namespace = await createSyncedNamespace(consumer, [one]);
    const path = await created(consumer, servicesIn(namespace), service('seen'));
    await seen(here, path);
    await mark(consumer, path, { annotations: { [specDiffOf(one)]: '[{"op":"replace","path":"/type","value":"NodePort"}]' } });
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    for (const [client, asked] of [
      [everywhere, '/api/v1/services'],
      [here, path],
    ] as const) {
      const { columnDefinitions, rows } = (await client.get(asked, { accept })).expect(200).json<Table>();
      expect(columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Type', 'Cluster-IP', 'External-IP', 'Age']);
      expect(rows).toHaveLength(1);
      expect(rows[0]?.cells.slice(0, 2)).toEqual(['seen', 'NodePort']);
    }
  });
});
