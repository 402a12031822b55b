/** Whose objects a SyncTarget has: of its own workspace, and of those that have let it in, whatever is written on the others'. */
import { describe, expect } from '@jest/globals';
import { clusterOf, type KubeList } from '@kcp-vw/shared/kube/objects.ts';
import { eventually } from './support/eventually.ts';
import { bindExport, createExport } from './support/exports.ts';
import { masters, target } from './support/identities.ts';
import { COMPUTE, createConsumer, createSyncedNamespace, mark, NAMESPACES, syncingTest } from './support/syncing.ts';
import {
  configMap,
  configMapsIn,
  created,
  createReadySyncTarget,
  deletionOf,
  finalizerOf,
  labelOf,
  letServiceIn,
  seen,
  shownTo,
  stored,
} from './support/syncing-shown.ts';
import { expectedViewsOf } from './support/syncing-targets.ts';
import { uniqueSuffix } from './support/workspaces.ts';

describe.each(target.shards.map(shard => ({ on: shard.name, shard })))('a SyncTarget of a tenant on $on', ({ shard }) => {
  syncingTest(
    'sees and makes nothing elsewhere, whatever is written there, and whatever else of its workspace is bound there',
    async () => {
      const home = await createConsumer(shard, { targets: true });
      const other = await createConsumer(shard);
      const resource = { group: `e2e-${uniqueSuffix()}.dev`, plural: 'widgets', kind: 'Widget' };
      const exported = await createExport(home.path, { resources: [resource] });
      await letServiceIn(home.path, exported.name);
      const spec = { supportedAPIExports: [{ path: COMPUTE, export: 'kubernetes' }, { export: exported.name }] };
      const own = await createReadySyncTarget({ workspace: home.path, spec });
      const view = await shownTo(own, home);
      const { syncer, upsyncer } = expectedViewsOf(own, shard);
      const inOther = { syncer: syncer.at(`/clusters/${other.cluster}`), upsyncer: upsyncer.at(`/clusters/${other.cluster}`) };

      // The finalizer keeps the label from being cleared away.
      const assigned = { labels: { [labelOf(own)]: 'Sync' }, finalizers: [finalizerOf(own)] };
      const path = `${configMapsIn('default')}/secret`;
      (await other.masters.post(configMapsIn('default'), configMap('secret', assigned))).expect(201);
      const pod = {
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'brought', labels: { [labelOf(own)]: 'Upsync' } } },
        spec: { containers: [{ name: 'main', image: 'pause' }] },
      };
      (await other.masters.post('/api/v1/namespaces/default/pods', pod)).expect(201);
      const clustersIn = async (client: typeof syncer, collection: string): Promise<Set<string>> =>
        new Set((await client.get(collection)).expect(200).json<KubeList>().items.map(clusterOf));
      expect(await clustersIn(view.everywhere, '/api/v1/configmaps')).not.toContain(other.cluster);
      expect(await clustersIn(view.broughtEverywhere, '/api/v1/pods')).not.toContain(other.cluster);
      const brought = '/api/v1/namespaces/default/pods/brought';
      const refused = () => [
        inOther.syncer.get('/api'),
        inOther.syncer.get('/api/v1/configmaps'),
        inOther.syncer.get(path),
        inOther.syncer.mergePatch(path, { metadata: { finalizers: null } }),
        inOther.upsyncer.get(brought),
        inOther.upsyncer.post('/api/v1/namespaces/default/pods', { ...pod, metadata: { ...pod.metadata, name: 'made' } }),
        inOther.upsyncer.delete(brought),
      ];
      for (const reply of await Promise.all(refused())) reply.expect(403);
      // That is nobody's here, not even masters'.
      (await expectedViewsOf(own, shard, masters).syncer.get(`/clusters/${other.cluster}/api/v1/configmaps`)).expect(403);
      (await other.masters.get('/api/v1/namespaces/default/pods/made')).expect(404);
      expect(await stored(other, path)).toMatchObject({ metadata: { finalizers: [finalizerOf(own)] } });

      // What its owner has accepted for the compute export is not for whoever provides something else.
      await bindExport(other.path, exported);
      const widgets = `/apis/${resource.group}/v1/namespaces/default/widgets`;
      await eventually('the API', async () => (await other.masters.get(widgets)).expect(200));
      await created(home, configMapsIn('default'), configMap('after', assigned));
      await eventually('what came after it', async () =>
        expect(await clustersIn(view.everywhere, '/api/v1/configmaps')).toEqual(new Set([home.cluster])),
      );
      for (const reply of await Promise.all(refused())) reply.expect(403);
      expect(await clustersIn(view.broughtEverywhere, '/api/v1/pods')).not.toContain(other.cluster);
      await mark(other, path, { finalizers: null });
    },
  );

  syncingTest('is given no namespace of those who have not let it in', async () => {
    const home = await createConsumer(shard, { targets: true });
    const other = await createConsumer(shard);
    const spec = { supportedAPIExports: [{ path: COMPUTE, export: 'kubernetes' }] };
    const group = uniqueSuffix();
    const [own, everybodys] = await Promise.all([
      createReadySyncTarget({ workspace: home.path, spec, mark: group }),
      createReadySyncTarget({ mark: group }),
    ]);
    const view = await shownTo(everybodys, other);
    const asked = { 'placement.workload.kcp.io/selector': `e2e=${group}`, 'placement.workload.kcp.io/spread': '2' };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'asks-for-both', annotations: asked } };
    for (const consumer of [home, other]) (await consumer.owner.post(NAMESPACES, namespace)).expect(201);
    await seen(view.here, `${NAMESPACES}/asks-for-both`);
    await created(other, configMapsIn('asks-for-both'), configMap('settings'));
    await seen(view.here, `${configMapsIn('asks-for-both')}/settings`);
    const path = `${NAMESPACES}/asks-for-both`;
    await eventually('both where both may', async () =>
      expect((await stored(home, path)).metadata?.labels).toMatchObject({
        [labelOf(own)]: 'Sync',
        [labelOf(everybodys)]: 'Sync',
      }),
    );
    for (const one of [path, `${configMapsIn('asks-for-both')}/settings`]) {
      expect((await stored(other, one)).metadata?.labels).not.toHaveProperty([labelOf(own)]);
    }
    // Written by hand it is taken away again.
    const forced = await createSyncedNamespace(other, []);
    await mark(other, `${NAMESPACES}/${forced}`, { labels: { [labelOf(own)]: 'Sync' } });
    await eventually('its removal', async () =>
      expect((await stored(other, `${NAMESPACES}/${forced}`)).metadata?.annotations).toHaveProperty([deletionOf(own)]),
    );
  });
});
