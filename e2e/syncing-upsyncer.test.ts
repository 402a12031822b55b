/** What a syncer brings from its cluster, by the view that is its own: it makes it, changes all of it and deletes it. */
import { beforeAll, beforeEach, describe, expect } from '@jest/globals';
import type { KubeList, KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import type { Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { target } from './support/identities.ts';
import type { Status } from './support/kube.ts';
import { type Consumer, createConsumer, createSyncedNamespace, mark, setState, syncingTest } from './support/syncing.ts';
import { created, createReadySyncTarget, labelOf, type Shown, type Synced, shownTo, stored } from './support/syncing-shown.ts';
import { beat, type CreatedSyncTarget } from './support/syncing-targets.ts';
import type { WatchEvent } from './support/watch.ts';
import { uniqueSuffix } from './support/workspaces.ts';

const VOLUMES = '/api/v1/persistentvolumes';
const JSON_PATCH = 'application/json-patch+json';

describe.each(target.shards.map(shard => ({ on: shard.name, shard })))('an upsyncer on $on', ({ shard }) => {
  let consumer: Consumer;
  let one: CreatedSyncTarget;
  let other: CreatedSyncTarget;
  let shown: Shown;
  /** The upsyncer view, of the consumer. */
  let view: Client;

  beforeAll(async () => {
    [one, other] = [await createReadySyncTarget(), await createReadySyncTarget()];
    consumer = await createConsumer(shard);
    shown = await shownTo(one, consumer);
    view = shown.brought;
  }, 180_000);

  beforeEach(async () => {
    await Promise.all([beat(one), beat(other)]);
  });

  const named = (): string => `e2e-${uniqueSuffix()}`;
  const volume = (name: string, metadata: KubeObject['metadata'] = {}): Synced => ({
    ...{ apiVersion: 'v1', kind: 'PersistentVolume' },
    metadata: { labels: { [labelOf(one)]: 'Upsync' }, ...metadata, name },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } },
  });
  const pod = (name: string): Synced => ({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { [labelOf(one)]: 'Upsync' } } },
    spec: { containers: [{ name: 'main', image: 'pause' }] },
  });
  const made = async (object = volume(named())): Promise<string> => {
    (await view.post(VOLUMES, object)).expect(201);
    return `${VOLUMES}/${object.metadata?.name}`;
  };
  const namesIn = (list: KubeList): string[] => list.items.map(({ metadata }) => metadata?.name ?? '');

  syncingTest('is shown what has its label, as it is, and nothing else', async () => {
    const [own, others, unlabelled, synced] = [named(), named(), named(), named()];
    await created(consumer, VOLUMES, volume(own, { annotations: { some: 'thing' } }));
    await created(consumer, VOLUMES, volume(others, { labels: { [labelOf(other)]: 'Upsync' } }));
    await created(consumer, VOLUMES, volume(unlabelled, { labels: {} }));
    await created(consumer, VOLUMES, volume(synced, { labels: { [labelOf(one)]: '' } }));
    await mark(consumer, `${VOLUMES}/${own}`, { finalizers: [`workload.kcp.io/syncer-${one.key}`, 'e2e.dev/other'] });
    (await consumer.masters.mergePatch(`${VOLUMES}/${own}/status`, { status: { phase: 'Bound' } })).expect(200);
    const list = (await view.get(VOLUMES)).expect(200).json<KubeList>();
    expect(namesIn(list)).toContain(own);
    for (const name of [others, unlabelled, synced]) {
      expect(namesIn(list)).not.toContain(name);
      (await view.get(`${VOLUMES}/${name}`)).expect(404);
    }
    const all = (await shown.broughtEverywhere.get(VOLUMES)).expect(200).json<KubeList>().items;
    expect(all.map(({ metadata }) => metadata?.name)).toEqual(expect.arrayContaining(namesIn(list)));
    expect(all.find(({ metadata }) => metadata?.name === own)).toMatchObject({ status: { phase: 'Bound' } });
    // Nothing is transformed: finalizers of others and a deletion are there to be seen.
    (await consumer.owner.delete(`${VOLUMES}/${own}`)).expect(200);
    expect((await view.get(`${VOLUMES}/${own}`)).expect(200).json()).toEqual(await stored(consumer, `${VOLUMES}/${own}`));
    expect((await stored(consumer, `${VOLUMES}/${own}`)).metadata).toMatchObject({ deletionTimestamp: expect.any(String) });
    await mark(consumer, `${VOLUMES}/${own}`, { finalizers: null });
    (await view.get(`${VOLUMES}/${own}`)).expect(404);
  });

  syncingTest('makes an object, whose status it writes after that', async () => {
    const name = named();
    const body = { ...volume(name), status: { phase: 'Available' } };
    const answer = (await view.post(VOLUMES, body)).expect(201).json<Synced>();
    expect(answer.status).toBeUndefined();
    expect(clusterOf(answer)).toBe(consumer.cluster);
    const status = { ...answer, status: { phase: 'Available' } };
    expect((await view.put(`${VOLUMES}/${name}/status`, status)).expect(200).json<Synced>().status).toEqual(status.status);
    expect(await stored(consumer, `${VOLUMES}/${name}`)).toMatchObject({ spec: body.spec, status: status.status });
    (await view.post(VOLUMES, body)).expect(409);
  });

  syncingTest('makes pods in namespaces, and volumes for one', async () => {
    const namespace = await createSyncedNamespace(consumer, [one]);
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const name = named();
    (await view.post(pods, pod(name))).expect(201);
    const path = `${pods}/${name}`;
    expect(await stored(consumer, path)).toMatchObject(pod(name));
    (await view.mergePatch(`${path}/status`, { status: { phase: 'Running' } })).expect(200);
    expect((await shown.broughtEverywhere.get('/api/v1/pods')).expect(200).json<KubeList>().items).toContainEqual(
      expect.objectContaining({ status: { phase: 'Running' } }),
    );
    // It is in the other view for nobody.
    (await shown.here.get(path)).expect(404);
    (await shown.everywhere.get('/api/v1/pods')).expect(404);
  });

  syncingTest('has the patch applied that it brings along', async () => {
    const annotation = `internal.workload.kcp.io/upsyncdiff${one.key}`;
    const patch = [{ op: 'add', path: '/spec/storageClassName', value: 'fast' }];
    const object = volume(named(), { annotations: { [annotation]: JSON.stringify(patch), kept: 'yes' } });
    const path = await made(object);
    const { metadata, spec } = await stored(consumer, path);
    expect(spec).toMatchObject({ ...object.spec, storageClassName: 'fast' });
    expect(metadata?.annotations).toMatchObject({ kept: 'yes' });
    expect(metadata?.annotations).not.toHaveProperty([annotation]);
    for (const wrong of [
      '{',
      JSON.stringify([{ op: 'remove', path: '/metadata/labels' }]),
      '[{"op":"replace","path":"/Kind","value":"A"}]',
    ]) {
      const refused = volume(named(), { annotations: { [annotation]: wrong } });
      (await view.post(VOLUMES, refused)).expect(400);
      (await consumer.masters.get(`${VOLUMES}/${refused.metadata?.name}`)).expect(404);
      (await view.mergePatch(path, { metadata: { annotations: { [annotation]: wrong } } })).expect(400);
    }
  });

  syncingTest('makes nothing that is not labelled as its own', async () => {
    for (const labels of [{}, { [labelOf(one)]: 'Sync' }, { [labelOf(one)]: '' }, { [labelOf(other)]: 'Upsync' }]) {
      const name = named();
      const refused = (await view.post(VOLUMES, volume(name, { labels }))).expect(400).json<Status>();
      expect(refused.reason).toBe('BadRequest');
      (await consumer.masters.get(`${VOLUMES}/${name}`)).expect(404);
    }
    // Nor what another target would take for its own.
    const both = volume(named(), { labels: { [labelOf(one)]: 'Upsync', [labelOf(other)]: 'Sync' } });
    (await view.post(VOLUMES, both)).expect(403);
  });

  syncingTest('changes all of an object, and its label never', async () => {
    const path = await made();
    const before = await stored(consumer, path);
    const next = {
      ...before,
      metadata: {
        ...before.metadata,
        labels: { ...before.metadata?.labels, color: 'red' },
        annotations: { ...before.metadata?.annotations, a: 'b' },
      },
      spec: { ...before.spec, capacity: { storage: '2Gi' } },
    };
    (await view.put(path, next)).expect(200);
    const changed = await stored(consumer, path);
    expect(changed).toMatchObject({ metadata: { labels: { color: 'red' }, annotations: { a: 'b' } }, spec: next.spec });
    // That was of another version.
    (await view.put(path, next)).expect(409);
    const label = `/metadata/labels/${labelOf(one).replace('/', '~1')}`;
    const labels = { ...changed.metadata?.labels };
    delete labels[labelOf(one)];
    const refused = [
      view.put(path, { ...changed, metadata: { ...changed.metadata, labels } }),
      view.mergePatch(path, { metadata: { labels: { [labelOf(one)]: null } } }),
      view.mergePatch(path, { metadata: { labels: { [labelOf(one)]: 'Sync' } } }),
      view.jsonPatch(path, [{ op: 'remove', path: label }]),
      view.jsonPatch(path, [{ op: 'replace', path: label, value: '' }]),
      view.mergePatch(`${path}/status`, { metadata: { labels: { [labelOf(one)]: null } }, status: { phase: 'Failed' } }),
    ];
    for (const reply of await Promise.all(refused)) reply.expect(400);
    (await view.mergePatch(path, { metadata: { labels: { [labelOf(other)]: 'Sync' } } })).expect(403);
    expect(await stored(consumer, path)).toEqual(changed);
  });

  syncingTest('deletes what is its own, and nothing else', async () => {
    const path = await made();
    (await view.delete(path)).expect(200);
    (await consumer.masters.get(path)).expect(404);
    (await view.delete(path)).expect(404);

    const [unlabelled, others] = [named(), named()];
    await created(consumer, VOLUMES, volume(unlabelled, { labels: {} }));
    await created(consumer, VOLUMES, volume(others, { labels: { [labelOf(other)]: 'Upsync' } }));
    for (const name of [unlabelled, others]) {
      const path = `${VOLUMES}/${name}`;
      const before = await stored(consumer, path);
      (await view.delete(path)).expect(404);
      (await view.mergePatch(path, { metadata: { labels: { [labelOf(one)]: 'Upsync' } } })).expect(404);
      (await view.put(path, { ...before, metadata: { ...before.metadata, labels: { [labelOf(one)]: 'Upsync' } } })).expect(404);
      const { metadata } = await stored(consumer, path);
      expect(metadata).toMatchObject({ uid: before.metadata?.uid });
      expect(metadata?.deletionTimestamp).toBeUndefined();
      // A scheduler may have made it pending meanwhile.
      expect(metadata?.labels?.[labelOf(one)] ?? '').toBe('');
    }
    (await view.delete(VOLUMES)).expect(405);
  });

  syncingTest('patches as merge patch and JSON patch, and in no other way', async () => {
    const path = await made();
    (await view.mergePatch(path, { spec: { capacity: { storage: '3Gi' } } })).expect(200);
    (await view.jsonPatch(path, [{ op: 'test', path: '/spec/capacity/storage', value: '3Gi' }])).expect(200);
    (await view.send('PATCH', path, { body: [{ op: 'test', path: '/kind', value: 'Other' }], contentType: JSON_PATCH })).expect(
      422,
    );
    (await view.send('PATCH', path, { body: { spec: {} }, contentType: 'application/strategic-merge-patch+json' })).expect(415);
    (await view.apply(path, 'e2e', volume(path.split('/').at(-1) ?? ''))).expect(415);
    (await shown.broughtEverywhere.get(path)).expect(400);
    (await shown.broughtEverywhere.post(VOLUMES, volume(named()))).expect(400);
    (await view.get(`${path}/nosuch`)).expect(404);
    (await view.get('/api/v1/configmaps')).expect(404);
  });

  syncingTest('hears of what becomes its own, and of what is its own no more', async () => {
    const name = named();
    await created(consumer, VOLUMES, volume(name, { labels: {} }));
    const path = `${VOLUMES}/${name}`;
    const watch = await shown.broughtEverywhere.watch(VOLUMES);
    const isOf = (type: string) => (event: WatchEvent) => event.type === type && event.object.metadata?.name === name;
    await setState(consumer, path, [one], 'Upsync');
    await watch.until('ADDED', isOf('ADDED'));
    (await view.mergePatch(`${path}/status`, { status: { phase: 'Bound' } })).expect(200);
    const { object } = await watch.until('MODIFIED', isOf('MODIFIED'));
    expect(object).toMatchObject({ status: { phase: 'Bound' } });
    (await view.delete(path)).expect(200);
    await watch.until('DELETED', isOf('DELETED'));
    await eventually('its end', async () => (await consumer.masters.get(path)).expect(404));
  });
});
