/** What a syncer is shown of the objects that are assigned to its SyncTarget, and what it may write to them. */
import { beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { clusterOf, type KubeList, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { eventually } from './support/eventually.ts';
import { target } from './support/identities.ts';
import type { Status } from './support/kube.ts';
import {
  COMPUTE,
  type Consumer,
  createConsumer,
  createSyncedNamespace,
  mark,
  NAMESPACES,
  setState,
  syncingTest,
} from './support/syncing.ts';
import {
  configMap,
  configMapsIn,
  created,
  createReadySyncTarget,
  deletionOf,
  finalizerOf,
  labelOf,
  letGo,
  report,
  type Shown,
  type Synced,
  seen,
  service,
  servicesIn,
  shownTo,
  softFinalizersOf,
  specDiffOf,
  stored,
  takeOn,
  unseen,
  viewDiffOf,
} from './support/syncing-shown.ts';
import { beat, type CreatedSyncTarget } from './support/syncing-targets.ts';
import { uniqueSuffix } from './support/workspaces.ts';

const RULES = 'experimental.summarizing.workload.kcp.io';
const REPORTED = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };

const namesIn = ({ items }: KubeList): string[] => items.map(({ metadata }) => metadata?.name ?? '').sort();

describe.each(target.shards.map(shard => ({ on: shard.name, shard })))('a syncer on $on', ({ shard }) => {
  let consumer: Consumer;
  let one: CreatedSyncTarget;
  let shown: Shown;
  /** Synced to the one SyncTarget. */
  let namespace: string;

  beforeAll(async () => {
    [one, consumer] = await Promise.all([createReadySyncTarget(), createConsumer(shard)]);
    shown = await shownTo(one, consumer);
    namespace = await createSyncedNamespace(consumer, [one]);
  }, 180_000);

  beforeEach(() => beat(one));

  /** A Service that the scheduler has assigned. */
  const assigned = async (metadata: KubeObject['metadata'] = {}): Promise<string> => {
    const path = await created(consumer, servicesIn(namespace), service(`e2e-${uniqueSuffix()}`, metadata));
    await seen(shown.here, path);
    return path;
  };

  syncingTest('is shown what its target is assigned in workspaces that have bound an export, of all and by name', async () => {
    const path = await assigned();
    const upstream = await stored(consumer, path);
    const { uid, name } = upstream.metadata ?? {};
    const all = (await shown.everywhere.get('/api/v1/services')).expect(200).json<KubeList>().items;
    const found = all.find(({ metadata }) => metadata?.uid === uid);
    // By this a syncer knows where to write.
    expect(clusterOf(found ?? {})).toBe(consumer.cluster);
    const byName = (await shown.here.get(path)).expect(200).json<Synced>();
    for (const one of [found, byName]) expect(one?.spec).toEqual(upstream.spec);
    expect(byName.metadata).toMatchObject({ uid, name });
    expect(byName.metadata?.resourceVersion).toBe(upstream.metadata?.resourceVersion);
    for (const collection of ['/api/v1/services', servicesIn(namespace)]) {
      expect(namesIn((await shown.here.get(collection)).expect(200).json<KubeList>())).toContain(name);
    }
    // The namespace comes along, with what Kubernetes puts into it.
    expect(await seen(shown.here, `${NAMESPACES}/${namespace}`)).toMatchObject({
      metadata: { labels: { [labelOf(one)]: 'Sync' } },
    });
    await seen(shown.here, `${configMapsIn(namespace)}/kube-root-ca.crt`);
    (await shown.here.get(`${NAMESPACES}/default`)).expect(404);
    expect(namesIn((await shown.here.get(NAMESPACES)).expect(200).json<KubeList>())).toEqual([namespace]);
  });

  syncingTest('is shown the objects of the workspace of its own target', async () => {
    const home = await createConsumer(shard, { targets: true });
    const spec = { supportedAPIExports: [{ path: COMPUTE, export: 'kubernetes' }] };
    const own = await createReadySyncTarget({ workspace: home.path, spec });
    const view = await shownTo(own, home);
    const synced = await createSyncedNamespace(home, [own]);
    const path = await created(home, servicesIn(synced), service('at-home'));
    await seen(view.here, path);
    await takeOn(view.here, path, own);
    await report(view.here, path, REPORTED);
    const upstream = await stored(home, path);
    const all = (await view.everywhere.get('/api/v1/services')).expect(200).json<KubeList>();
    expect(namesIn(all)).toEqual(['at-home']);
    for (const found of [all.items[0], (await view.here.get(path)).json<Synced>()]) {
      expect(found).toMatchObject({ metadata: { uid: upstream.metadata?.uid }, spec: upstream.spec, status: REPORTED });
    }
  });

  syncingTest('reports a status with its finalizer, which is upstream too, and changes no spec', async () => {
    const path = await assigned();
    // Whoever does not hold the object has nothing to say of it.
    const { message } = (await shown.here.mergePatch(`${path}/status`, { status: REPORTED })).expect(500).json<Status>();
    expect(message).toContain("syncer finalizer doesn't exist");
    const taken = await takeOn(shown.here, path, one);
    expect(taken.metadata?.finalizers).toEqual([finalizerOf(one)]);
    expect((await report(shown.here, path, REPORTED)).status).toEqual(REPORTED);
    const before = await stored(consumer, path);
    expect(before.status).toEqual(REPORTED);
    expect(before.metadata?.finalizers).toContain(finalizerOf(one));

    const change = {
      metadata: {
        labels: { color: 'red', [labelOf(one)]: null },
        annotations: { color: 'red', [specDiffOf(one)]: '[]' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'b' }],
        finalizers: [finalizerOf(one), 'e2e.dev/other'],
      },
      spec: { type: 'NodePort' },
      status: { loadBalancer: {} },
    };
    const answer = (await shown.here.mergePatch(path, change)).expect(200).json<Synced>();
    const after = await stored(consumer, path);
    expect(after).toEqual(before);
    const view = (await shown.here.get(path)).expect(200).json<Synced>();
    expect(answer).toEqual(view);
    expect(view.metadata?.resourceVersion).toBe(after.metadata?.resourceVersion);
    expect(view).toMatchObject({ spec: before.spec, status: REPORTED });
    // A status that is the syncer's own, and no other's, goes nowhere but into the status.
    (await shown.here.mergePatch(`${path}/status`, { spec: { type: 'NodePort' }, status: { loadBalancer: {} } })).expect(200);
    expect(await stored(consumer, path)).toMatchObject({ spec: before.spec, status: { loadBalancer: {} } });
  });

  syncingTest('is shown the spec that is its own', async () => {
    const path = await assigned();
    const { spec } = await stored(consumer, path);
    const diff = [
      { op: 'replace', path: '/type', value: 'NodePort' },
      { op: 'add', path: '/selector/zone', value: 'west' },
    ];
    await mark(consumer, path, { annotations: { [specDiffOf(one)]: JSON.stringify(diff) } });
    const own = { ...spec, type: 'NodePort', selector: { ...(spec?.selector as object), zone: 'west' } };
    expect((await seen(shown.here, path)).spec).toEqual(own);
    const all = (await shown.everywhere.get('/api/v1/services')).json<KubeList>().items;
    expect(all.find(({ metadata }) => path.endsWith(`/${metadata?.name}`))?.spec).toEqual(own);
    await takeOn(shown.here, path, one);
    await report(shown.here, path, REPORTED);
    expect(await stored(consumer, path)).toMatchObject({ spec, status: REPORTED });
  });

  syncingTest('writes by the rules of an object: a status that is not promoted, and a field of its spec', async () => {
    const path = await assigned();
    const rules = [
      { fieldPath: 'status', promoteToUpstream: false },
      { fieldPath: 'spec.clusterIP', promoteToUpstream: true },
    ];
    await mark(consumer, path, { annotations: { [RULES]: JSON.stringify(rules) } });
    await takeOn(shown.here, path, one);
    await report(shown.here, path, REPORTED);
    (await shown.here.mergePatch(path, { spec: { clusterIP: '10.0.0.1', type: 'NodePort' } })).expect(200);
    const upstream = await stored(consumer, path);
    expect(upstream.status).toBeUndefined();
    expect(upstream.spec).toMatchObject({ clusterIP: '10.0.0.1', type: 'ClusterIP' });
    const view = await seen(shown.here, path);
    expect(view).toMatchObject({ spec: { clusterIP: '10.0.0.1', type: 'ClusterIP' }, status: REPORTED });
    expect(view.metadata?.annotations).not.toHaveProperty([viewDiffOf(one)]);
    expect(upstream.metadata?.annotations).toHaveProperty([viewDiffOf(one)]);
  });

  syncingTest('does not see what is pending, or what is of another', async () => {
    const path = await assigned();
    const watch = await shown.everywhere.watch('/api/v1/services');
    const isOf = (type: string) => (event: { readonly type: string; readonly object: { metadata?: { name?: string } } }) =>
      event.type === type && path.endsWith(`/${event.object.metadata?.name}`);
    await watch.until('ADDED', isOf('ADDED'));
    await setState(consumer, path, [one], '');
    await watch.until('DELETED', isOf('DELETED'));
    (await shown.here.get(path)).expect(404);
    (await shown.here.mergePatch(path, { metadata: { finalizers: [finalizerOf(one)] } })).expect(404);
    (await shown.here.put(path, await stored(consumer, path))).expect(404);
    const name = path.split('/').at(-1);
    const all = (await shown.here.get(`/api/v1/services?fieldSelector=metadata.name=${name}`)).expect(200).json<KubeList>();
    expect(all.items).toEqual([]);
    // Who asks for more is shown no more.
    const asked = (await shown.everywhere.get(`/api/v1/services?labelSelector=!nosuch`)).expect(200).json<KubeList>();
    expect(namesIn(asked)).not.toContain(name);
    const since = watch.events.length;
    await setState(consumer, path, [one], 'Sync');
    await eventually('ADDED again', async () => expect(watch.events.slice(since).some(isOf('ADDED'))).toBe(true));
  });

  syncingTest('lets an object go when that is asked for, and nobody holds it, and not before', async () => {
    const path = await assigned();
    const taken = await takeOn(shown.here, path, one);
    const forged = (view: Synced) => ({
      ...view,
      metadata: { ...view.metadata, finalizers: [], deletionTimestamp: '2024-01-01T00:00:00Z' },
    });
    (await shown.here.put(path, forged(taken))).expect(403);
    (await shown.here.mergePatch(path, { metadata: { finalizers: null } })).expect(500);

    await mark(consumer, path, { annotations: { [softFinalizersOf(one)]: 'e2e.dev/wait' } });
    (await consumer.owner.delete(path)).expect(200);
    const told = await eventually('the deletion', async () => {
      const { metadata } = await stored(consumer, path);
      const text = metadata?.annotations?.[deletionOf(one)];
      if (!text) throw new Error(JSON.stringify(metadata));
      return text;
    });
    const held = await seen(shown.here, path);
    expect(held.metadata?.deletionTimestamp).toBeUndefined();
    expect(held.metadata?.annotations).toMatchObject({ [deletionOf(one)]: told });
    (await shown.here.put(path, forged(held))).expect(403);

    await mark(consumer, path, { annotations: { [softFinalizersOf(one)]: null } });
    expect((await seen(shown.here, path)).metadata?.deletionTimestamp).toBe(told);
    await letGo(shown.here, path);
    await unseen(shown.here, path);
    await eventually('its end', async () => (await consumer.owner.get(path)).expect(404));
  });

  syncingTest('patches what it is shown: JSON patch and merge patch, and what is built in strategically', async () => {
    const path = await assigned();
    const config = await created(consumer, configMapsIn(namespace), configMap(`e2e-${uniqueSuffix()}`));
    await seen(shown.here, config);
    const strategic = { contentType: 'application/strategic-merge-patch+json' };
    const finalizers = { metadata: { finalizers: [finalizerOf(one)] } };
    const taken = (await shown.here.send('PATCH', config, { body: finalizers, ...strategic })).expect(200).json<Synced>();
    expect(taken.metadata?.finalizers).toEqual([finalizerOf(one)]);
    (await shown.here.send('PATCH', path, { body: finalizers, ...strategic })).expect(415);
    (await shown.here.apply(path, 'e2e', { ...service(path.split('/').at(-1) ?? ''), ...finalizers })).expect(415);
    (await shown.here.apply(config, 'e2e', { ...configMap(config.split('/').at(-1) ?? ''), ...finalizers })).expect(415);

    const add = [{ op: 'add', path: '/metadata/finalizers', value: [finalizerOf(one)] }];
    (await shown.here.jsonPatch(path, add)).expect(200);
    // What is not shown is not there: `test` is about the view.
    const status = [
      { op: 'test', path: '/metadata/finalizers/0', value: finalizerOf(one) },
      { op: 'add', path: '/status', value: REPORTED },
    ];
    expect((await shown.here.jsonPatch(`${path}/status`, status)).expect(200).json<Synced>().status).toEqual(REPORTED);
    (await shown.here.jsonPatch(path, [{ op: 'test', path: '/spec/type', value: 'NodePort' }])).expect(422);
    (await shown.here.send('PATCH', path, { body: finalizers, contentType: 'text/plain' })).expect(415);

    // A patch of a version, and an update, which always is.
    const { metadata, ...view } = await seen(shown.here, path);
    (await shown.here.mergePatch(`${path}/status`, { metadata: { resourceVersion: '1' }, status: {} })).expect(409);
    const { resourceVersion: _, ...unversioned } = metadata ?? {};
    (await shown.here.put(`${path}/status`, { ...view, metadata: unversioned })).expect(409);
    (await shown.here.put(`${path}/status`, { ...view, metadata, status: { loadBalancer: {} } })).expect(200);
    (await shown.here.put(`${path}/status`, { ...view, metadata, status: REPORTED })).expect(409);
    expect((await stored(consumer, path)).status).toEqual({ loadBalancer: {} });
  });

  syncingTest('is served nothing but reads and updates, of one logical cluster or of all in all namespaces', async () => {
    const path = await assigned();
    const collection = servicesIn(namespace);
    (await shown.here.post(collection, service('made'))).expect(405);
    (await shown.here.delete(path)).expect(405);
    (await shown.here.delete(collection)).expect(405);
    (await shown.here.get(`${path}/scale`)).expect(404);
    (await shown.here.get(`${path}/nosuch`)).expect(404);
    for (const unserved of ['/api/v1/pods', '/api/v1/endpoints', '/apis/batch/v1/jobs', '/apis/apps/v1/statefulsets']) {
      (await shown.here.get(unserved)).expect(404);
      (await shown.everywhere.get(unserved)).expect(404);
    }
    (await shown.everywhere.get(path)).expect(400);
    (await shown.everywhere.get(collection)).expect(400);
    (await shown.everywhere.mergePatch(path, { metadata: { finalizers: [finalizerOf(one)] } })).expect(400);
    expect(await stored(consumer, path)).toMatchObject({ metadata: { name: path.split('/').at(-1) } });
    // What a list says of itself passes as it is.
    await assigned();
    const { metadata } = (await shown.here.get(`${collection}?limit=1`)).expect(200).json<KubeList>();
    expect(metadata?.continue).toBeTruthy();
    const rest = `${collection}?limit=500&continue=${encodeURIComponent(metadata?.continue ?? '')}`;
    const items = (await shown.here.get(rest)).expect(200).json<KubeList>().items;
    expect(items.length).toBeGreaterThan(0);
  });
});
