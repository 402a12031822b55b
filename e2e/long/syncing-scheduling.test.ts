/** Where namespaces and their objects go, how the replicas of a Deployment are divided, and what becomes of what a SyncTarget leaves behind. */
import { describe, expect } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { target } from '../support/identities.ts';
import {
  type Consumer,
  createConsumer,
  createDeployment,
  createSyncedNamespace,
  deployment,
  NAMESPACES,
  syncingTest,
} from '../support/syncing.ts';
import {
  configMap,
  configMapsIn,
  created,
  createReadySyncTarget,
  deletionOf,
  finalizerOf,
  labelOf,
  letGo,
  placeOn,
  report,
  seen,
  service,
  servicesIn,
  shownTo,
  specDiffOf,
  stored,
  takeOn,
  unseen,
  viewDiffOf,
} from '../support/syncing-shown.ts';
import { type CreatedSyncTarget, deleteSyncTarget, SYNC_TARGETS } from '../support/syncing-targets.ts';
import { adminIn, uniqueSuffix } from '../support/workspaces.ts';

const SELECTOR = 'placement.workload.kcp.io/selector';
const SPREAD = 'placement.workload.kcp.io/spread';

/** SyncTargets that a namespace can ask for by their mark. */
async function targetsOf(count: number): Promise<readonly [CreatedSyncTarget, ...CreatedSyncTarget[]]> {
  const mark = uniqueSuffix();
  const [first, ...others] = await Promise.all(Array.from({ length: count }, () => createReadySyncTarget({ mark })));
  if (first === undefined) throw new Error('no SyncTargets');
  return [first, ...others];
}

/** As its owner makes it, who knows nothing of labels. */
async function namespaceAsking(consumer: Consumer, annotations: Readonly<Record<string, string>>): Promise<string> {
  const name = `e2e-${uniqueSuffix()}`;
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, annotations } };
  (await consumer.owner.post(NAMESPACES, namespace)).expect(201);
  return name;
}

/** Which of the targets an object is on. */
async function placesOf(consumer: Consumer, path: string, targets: readonly CreatedSyncTarget[]): Promise<readonly string[]> {
  const { labels = {}, annotations = {} } = (await stored(consumer, path)).metadata ?? {};
  const isOn = (one: CreatedSyncTarget): boolean => labels[labelOf(one)] === 'Sync' && !annotations[deletionOf(one)];
  return targets.filter(isOn).map(({ name }) => name);
}

describe.each(target.shards.map(shard => ({ on: shard.name, shard })))('a scheduler on $on', ({ shard }) => {
  syncingTest('brings a namespace to as many of the targets as it asks for, and its objects along', async () => {
    const [targets, consumer] = await Promise.all([targetsOf(3), createConsumer(shard)]);
    const [one] = targets;
    const { here } = await shownTo(one, consumer);
    const name = await namespaceAsking(consumer, { [SELECTOR]: `e2e=${one.mark}`, [SPREAD]: '2' });
    const path = `${NAMESPACES}/${name}`;
    const places = await eventually('two places', async () => {
      const found = await placesOf(consumer, path, targets);
      expect(found).toHaveLength(2);
      return found;
    });
    const config = await created(consumer, configMapsIn(name), configMap('config'));
    await eventually('the same for its objects', async () => expect(await placesOf(consumer, config, targets)).toEqual(places));
    const elsewhere = await namespaceAsking(consumer, { [SELECTOR]: 'e2e=nobody' });
    const nonsense = await namespaceAsking(consumer, { [SELECTOR]: 'a b c' });

    // More is asked for: who has it keeps it.
    (await consumer.owner.mergePatch(path, { metadata: { annotations: { [SPREAD]: '3' } } })).expect(200);
    await eventually('three places', async () => expect(await placesOf(consumer, config, targets)).toHaveLength(3));
    await seen(here, config);
    await placeOn(consumer, name, [one]);
    await eventually('one place', async () => expect(await placesOf(consumer, path, targets)).toEqual([one.name]));
    for (const other of [elsewhere, nonsense]) {
      expect(await placesOf(consumer, `${NAMESPACES}/${other}`, targets)).toEqual([]);
    }
  });

  syncingTest('brings nothing to a target whose syncer is not alive, or that is closed to new ones', async () => {
    const [targets, consumer] = await Promise.all([targetsOf(2), createConsumer(shard)]);
    const [one, closed] = targets as readonly [CreatedSyncTarget, CreatedSyncTarget];
    const asking = { [SELECTOR]: `e2e=${one.mark}`, [SPREAD]: '2' };
    const before = await namespaceAsking(consumer, asking);
    await eventually('both', async () => expect(await placesOf(consumer, `${NAMESPACES}/${before}`, targets)).toHaveLength(2));
    const object = adminIn(closed.workspace).at(`${SYNC_TARGETS}/${closed.name}`);
    (await object.mergePatch('', { spec: { unschedulable: true } })).expect(200);
    await eventually('only one for what comes now', async () => {
      const after = await namespaceAsking(consumer, asking);
      const path = `${NAMESPACES}/${after}`;
      await eventually('the one', async () => expect(await placesOf(consumer, path, targets)).toContain(one.name));
      expect(await placesOf(consumer, path, targets)).toEqual([one.name]);
    });
    // What is there stays.
    expect(await placesOf(consumer, `${NAMESPACES}/${before}`, targets)).toHaveLength(2);
    const pod = {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'brought', labels: { [labelOf(closed)]: 'Upsync' } } },
      spec: { containers: [{ name: 'main', image: 'pause' }] },
    };
    const pods = `/api/v1/namespaces/${before}/pods`;
    (await (await shownTo(closed, consumer)).brought.post(pods, pod)).expect(201);
    const long = { status: { lastSyncerHeartbeatTime: new Date(Date.now() - 3_600_000).toISOString() } };
    (await object.mergePatch('/status', long)).expect(200);
    await eventually('the other to be left', async () =>
      expect(await placesOf(consumer, `${NAMESPACES}/${before}`, targets)).toEqual([one.name]),
    );
    // What it has brought may run as well as ever.
    const { metadata } = await stored(consumer, `${pods}/brought`);
    expect(metadata?.labels).toMatchObject({ [labelOf(closed)]: 'Upsync' });
    expect(metadata?.deletionTimestamp).toBeUndefined();
  });

  syncingTest('hands over what is drained: the new target has it before the old one lets go', async () => {
    const [targets, consumer] = await Promise.all([targetsOf(2), createConsumer(shard)]);
    const [first, second] = targets as readonly [CreatedSyncTarget, CreatedSyncTarget];
    const [toFirst, toSecond] = await Promise.all([shownTo(first, consumer), shownTo(second, consumer)]);
    const name = await createSyncedNamespace(consumer, [first]);
    const path = await created(consumer, servicesIn(name), service('moved'));
    await takeOn(toFirst.here, path, first);
    await report(toFirst.here, path, { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } });
    // Nobody has taken it on.
    const config = await created(consumer, configMapsIn(name), configMap('config'));
    await seen(toFirst.here, config);

    const evicted = { spec: { unschedulable: true, evictAfter: new Date(Date.now() - 1_000).toISOString() } };
    (await adminIn(first.workspace).mergePatch(`${SYNC_TARGETS}/${first.name}`, evicted)).expect(200);
    await takeOn(toSecond.here, path, second);
    const told = (await seen(toFirst.here, path)).metadata?.deletionTimestamp;
    expect(told).toBeDefined();
    const { metadata } = await stored(consumer, path);
    expect(metadata?.deletionTimestamp).toBeUndefined();
    expect(metadata?.finalizers).toEqual(expect.arrayContaining([finalizerOf(first), finalizerOf(second)]));
    await report(toSecond.here, path, { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } });
    await letGo(toFirst.here, path);
    expect(await stored(consumer, path)).toMatchObject({ status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } } });
    for (const each of [`${NAMESPACES}/${name}`, config]) {
      await unseen(toFirst.here, each);
      const { labels, annotations } = (await stored(consumer, each)).metadata ?? {};
      expect(labels).toMatchObject({ [labelOf(second)]: 'Sync' });
      expect(labels).not.toHaveProperty([labelOf(first)]);
      expect(annotations).not.toHaveProperty([deletionOf(first)]);
    }
  });

  syncingTest('divides replicas among targets, and adds up what they report', async () => {
    const [targets, consumers] = await Promise.all([
      targetsOf(2),
      Promise.all([createConsumer(shard), createConsumer(target.shards.at(-1))]),
    ]);
    // The first of the sorted keys has what is left over.
    const [west, east] = [...targets].sort((a, b) => (a.key < b.key ? -1 : 1)) as [CreatedSyncTarget, CreatedSyncTarget];
    const requested = [7, 8];
    for (const [index, consumer] of consumers.entries()) {
      const replicas = requested[index] ?? 0;
      const halves = [Math.ceil(replicas / 2), Math.floor(replicas / 2)] as const;
      const views = [await shownTo(west, consumer), await shownTo(east, consumer)] as const;
      const name = await createSyncedNamespace(consumer, [west, east]);
      const watches = await Promise.all(views.map(({ everywhere }) => everywhere.watch('/apis/apps/v1/deployments')));
      const path = await createDeployment(consumer, name, deployment('app', replicas));
      for (const [side, one] of [west, east].entries()) {
        const here = views[side]?.here ?? consumer.owner;
        const taken = await takeOn(here, path, one);
        expect(taken.spec).toMatchObject({ replicas: halves[side] });
        const conditions = [{ type: 'Available', status: side === 0 ? 'True' : 'False' }];
        await report(here, path, { replicas: halves[side], availableReplicas: halves[side], conditions });
      }
      const both = await eventually('the sum', async () => {
        const found = await stored(consumer, path);
        expect(found.status).toMatchObject({
          replicas,
          availableReplicas: replicas,
          conditions: [{ type: 'Available', status: 'True' }],
        });
        return found;
      });
      expect(both.spec).toMatchObject({ replicas });
      for (const [side, one] of [west, east].entries()) {
        const share = JSON.stringify([{ op: 'replace', path: '/replicas', value: halves[side] }]);
        expect(both.metadata?.annotations).toMatchObject({ [specDiffOf(one)]: share, [viewDiffOf(one)]: expect.any(String) });
        const view = await seen(views[side]?.here ?? consumer.owner, path);
        expect(view).toMatchObject({ spec: { replicas: halves[side] }, status: { availableReplicas: halves[side] } });
        // Nobody was ever shown more than its share.
        const told = (watches[side]?.events ?? []).map(
          ({ object }) => object as { metadata?: { namespace?: string }; spec?: { replicas?: number } },
        );
        const shares = told.filter(({ metadata }) => metadata?.namespace === name).map(({ spec }) => spec?.replicas);
        expect(new Set(shares)).toEqual(new Set([halves[side]]));
      }
      // As the owner changes it, so do the shares.
      (await consumer.owner.mergePatch(path, { spec: { replicas: 3 } })).expect(200);
      await eventually('new shares', async () => {
        expect((await seen(views[0].here, path)).spec).toMatchObject({ replicas: 2 });
        expect((await seen(views[1].here, path)).spec).toMatchObject({ replicas: 1 });
      });
      // The one that remains has all.
      await placeOn(consumer, name, [east]);
      await letGo(views[0].here, path);
      await eventually('all for the other', async () =>
        expect((await seen(views[1].here, path)).spec).toMatchObject({ replicas: 3 }),
      );
      const alone = await stored(consumer, path);
      expect(alone.metadata?.annotations).not.toHaveProperty([specDiffOf(west)]);
      expect(alone.status).toMatchObject({ availableReplicas: halves[1] });
      for (const watch of watches) watch.close();
    }
  });

  syncingTest('clears away what a deleted target leaves behind, and lets others be', async () => {
    const [targets, consumer] = await Promise.all([targetsOf(2), createConsumer(shard)]);
    const [gone, other] = targets as readonly [CreatedSyncTarget, CreatedSyncTarget];
    const [toGone, toOther] = await Promise.all([shownTo(gone, consumer), shownTo(other, consumer)]);
    const name = await createSyncedNamespace(consumer, [gone, other]);
    const path = await created(consumer, servicesIn(name), service('held'));
    const deleted = await created(consumer, servicesIn(name), service('deleted'));
    for (const one of [path, deleted]) await takeOn(toGone.here, one, gone);
    await takeOn(toOther.here, path, other);
    const volumes = '/api/v1/persistentvolumes';
    const pods = `/api/v1/namespaces/${name}/pods`;
    const bring = async (view: typeof toGone, one: CreatedSyncTarget, label: string): Promise<readonly string[]> => {
      const metadata = {
        name: `${label}-${uniqueSuffix()}`,
        labels: { [labelOf(one)]: 'Upsync' },
        finalizers: [finalizerOf(one)],
      };
      const volume = { apiVersion: 'v1', kind: 'PersistentVolume', metadata, spec: { capacity: { storage: '1Gi' } } };
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'main', image: 'pause' }] } };
      (await view.brought.post(volumes, volume)).expect(201);
      (await view.brought.post(pods, pod)).expect(201);
      return [`${volumes}/${metadata.name}`, `${pods}/${metadata.name}`];
    };
    const orphans = await bring(toGone, gone, 'gone');
    const kept = await bring(toOther, other, 'kept');
    // The owner wants it deleted, and nobody is there any more who would let it go.
    (await consumer.owner.delete(deleted)).expect(200);
    await deleteSyncTarget(gone);
    await eventually('nothing of it to be left', async () => {
      for (const one of [path, `${NAMESPACES}/${name}`]) {
        const { labels, finalizers = [] } = (await stored(consumer, one)).metadata ?? {};
        expect(labels).not.toHaveProperty([labelOf(gone)]);
        expect(finalizers).not.toContain(finalizerOf(gone));
      }
      for (const one of [...orphans, deleted]) (await consumer.masters.get(one)).expect(404);
    });
    expect((await stored(consumer, path)).metadata?.finalizers).toEqual([finalizerOf(other)]);
    await seen(toOther.here, path);
    for (const one of kept) {
      expect((await stored(consumer, one)).metadata?.deletionTimestamp).toBeUndefined();
    }
  });
});
