/**
 * The whole of syncing, with the example of a syncer as processes of their own: what workspaces of every shard ask for is divided among two
 * clusters, and what comes of it there is added up, whatever happens to the syncers and to their SyncTargets meanwhile.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SELECTOR_ANNOTATION, SPREAD_ANNOTATION } from '@kcp-vw/syncer-vw/running/placement-annotations.ts';
import {
  beginSide,
  copyOn,
  type Division,
  expectTrueView,
  killWhileReporting,
  PATIENCE,
  type Side,
  shares,
  untilDivided,
  untilReported,
} from '../support/divided-deployment.ts';
import { eventually } from '../support/eventually.ts';
import { describeReachable } from '../support/example.ts';
import { target } from '../support/identities.ts';
import { createPhysicalCluster, namespaceIn } from '../support/physical-cluster.ts';
import { SyncerProcess } from '../support/syncer-process.ts';
import {
  type Consumer,
  createConsumer,
  createDeployment,
  deployment,
  mark,
  NAMESPACES,
  storedIn,
  syncingTest,
} from '../support/syncing.ts';
import { finalizerOf, labelOf, type Synced, softFinalizersOf } from '../support/syncing-shown.ts';
import { createSyncTarget, deleteSyncTarget, expectedViewsOf, SYNC_TARGETS } from '../support/syncing-targets.ts';
import { adminIn, uniqueSuffix } from '../support/workspaces.ts';

const NAMESPACE = 'shop';
const KILLS = 8;

let west: Side;
let east: Side;
let consumers: readonly Consumer[];
let path: string;

const division = (): Division => ({ sides: [west, east], consumers, namespace: NAMESPACE, path });
const divided = (replicas: number, among: readonly Side[], of?: readonly Consumer[]): Promise<void> =>
  untilDivided(division(), replicas, among, of);
const reported = (...missing: readonly (readonly [Side, number])[]): Promise<void> => untilReported(division(), new Map(missing));

async function scale(replicas: number): Promise<void> {
  for (const { owner } of consumers) (await owner.mergePatch(path, { spec: { replicas } })).expect(200);
}

async function changeTarget({ of }: Side, spec: object): Promise<void> {
  (await adminIn(of.workspace).mergePatch(`${SYNC_TARGETS}/${of.name}`, { spec })).expect(200);
}

/** As `kubectl drain` has it: nothing comes any more, and what is there leaves. */
const drain = (side: Side): Promise<void> => changeTarget(side, { unschedulable: true, evictAfter: '2024-01-01T00:00:00Z' });
const undrain = (side: Side): Promise<void> => changeTarget(side, { unschedulable: false, evictAfter: null });

/** Nothing is set up where nobody serves it. */
const describeSynced = syncingTest === test ? describeReachable : describe.skip;

describeSynced('two syncers', () => {
  beforeAll(async () => {
    const mark = uniqueSuffix();
    const [first, last] = [target.shards[0], target.shards.at(-1) ?? target.shards[0]];
    const clusters = await Promise.all([createPhysicalCluster(first), createPhysicalCluster(last)]);
    west = await beginSide(`west-${mark}`, mark, clusters[0]);
    east = await beginSide(`east-${mark}`, mark, clusters[1]);
    consumers = await Promise.all(target.shards.map(shard => createConsumer(shard)));
    const annotations = { [SELECTOR_ANNOTATION]: `e2e=${mark}`, [SPREAD_ANNOTATION]: '2' };
    for (const consumer of consumers) {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, annotations } };
      (await consumer.masters.post(NAMESPACES, namespace)).expect(201);
      path = await createDeployment(consumer, NAMESPACE, deployment('web', 7));
    }
  }, 240_000);

  afterAll(async () => {
    for (const side of [west, east].filter(side => side !== undefined)) {
      await side.syncer.kill();
      (await adminIn(side.of.workspace).delete(`${SYNC_TARGETS}/${side.of.name}`)).expect(200, 404);
    }
  }, 60_000);

  test('divide seven replicas into four and three', async () => {
    await divided(7, [west, east]);
    expect([...shares(7, [west, east]).values()]).toEqual([4, 3]);
  }, 240_000);

  test('tell their users the sum of what the clusters say', async () => {
    await reported([west, 0], [east, 1]);
  }, 240_000);

  test('divide again what is scaled', async () => {
    await scale(11);
    await divided(11, [west, east]);
    expect([...shares(11, [west, east]).values()]).toEqual([6, 5]);
    await reported([west, 1], [east, 0]);
  }, 240_000);

  test('lose nothing when one is killed again and again while it writes statuses', async () => {
    await killWhileReporting(west, KILLS);
    await divided(11, [west, east]);
    await reported([west, 2], [east, 1]);
    for (const consumer of consumers) {
      const { metadata } = await storedIn(consumer, path);
      expect([...(metadata?.finalizers ?? [])].sort()).toEqual([west, east].map(({ of }) => finalizerOf(of)).sort());
    }
  }, 300_000);

  test('hand over all of it when a target is drained, but what a soft finalizer holds', async () => {
    const [held, ...others] = consumers;
    if (held === undefined) throw new Error('no consumer');
    await mark(held, path, { annotations: { [softFinalizersOf(west.of)]: 'e2e' } });
    await drain(west);
    await divided(11, [east], others);
    // It is leaving, and is not told so: its share stays as long as it is there.
    const before = shares(11, [west, east]).get(west);
    await eventually(
      'the share of the other',
      async () => {
        const [there, here] = [await expectTrueView(west, held, division()), await expectTrueView(east, held, division())];
        expect([there?.spec?.replicas, here?.spec?.replicas]).toEqual([before, 11]);
        expect(there?.metadata?.deletionTimestamp).toBeUndefined();
        const { metadata } = await storedIn(held, `${NAMESPACES}/${NAMESPACE}`);
        expect(metadata?.labels).not.toHaveProperty([labelOf(west.of)]);
      },
      PATIENCE,
    );
    expect((await copyOn(west, held, division()))?.spec?.replicas).toBe(before);
    await mark(held, path, { annotations: { [softFinalizersOf(west.of)]: null } });
    await divided(11, [east]);
    await reported([east, 3]);
    for (const { cluster } of consumers) {
      await eventually(
        'the end of the namespace',
        async () => expect(await namespaceIn(west.cluster, { cluster, namespace: NAMESPACE, uid: west.of.uid })).toBeUndefined(),
        PATIENCE,
      );
    }
  }, 300_000);

  test('lose nothing when the only one is killed while it writes statuses', async () => {
    await killWhileReporting(east, KILLS);
    await reported([east, 1]);
  }, 300_000);

  test('divide it again when the target takes part again', async () => {
    await undrain(west);
    await divided(11, [west, east]);
    await reported([west, 0], [east, 0]);
  }, 240_000);

  test('bring a pod of their cluster, which goes upstream as it goes there', async () => {
    for (const consumer of consumers) {
      const copy = await copyOn(east, consumer, division());
      const name = `web-${uniqueSuffix()}`;
      const pods = `/api/v1/namespaces/${copy?.metadata?.namespace}/pods`;
      const labels = copy?.spec?.template?.metadata?.labels ?? {};
      expect(labels).toMatchObject({ app: 'web', [labelOf(east.of)]: 'Upsync' });
      const container = { name: 'main', image: 'registry.k8s.io/pause:3.10' };
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec: { containers: [container] } };
      const { admin } = east.cluster;
      (await admin.post(pods, pod)).expect(201);
      const status = { phase: 'Running', podIP: '10.0.0.1' };
      (await admin.mergePatch(`${pods}/${name}/status`, { status })).expect(200);
      const upstream = `/api/v1/namespaces/${NAMESPACE}/pods/${name}`;
      await eventually('the pod upstream', async () => {
        const { metadata, spec, ...rest } = (await consumer.owner.get(upstream)).expect(200).json<Synced>();
        expect(rest.status).toEqual(status);
        expect(spec).toMatchObject({ containers: [container] });
        expect(metadata?.labels).toMatchObject({ app: 'web', [labelOf(east.of)]: 'Upsync' });
      });
      (await admin.delete(`${pods}/${name}`)).expect(200);
      await eventually('the end of the pod upstream', async () => (await consumer.owner.get(upstream)).expect(404));
    }
  }, 240_000);

  test('leave everything to the other when a target is deleted, whose finalizers go without its syncer', async () => {
    // One that stands still cannot let go of anything.
    west.syncer.signal('SIGSTOP');
    await deleteSyncTarget(west.of);
    for (const consumer of consumers) {
      await eventually(
        'the end of what is of the target',
        async () => {
          const { metadata } = await storedIn(consumer, path);
          expect(metadata?.finalizers).toEqual([finalizerOf(east.of)]);
          expect(metadata?.labels).not.toHaveProperty([labelOf(west.of)]);
          const view = await expectTrueView(east, consumer, division());
          expect(view?.spec?.replicas).toBe(11);
          expect((await copyOn(east, consumer, division()))?.spec?.replicas).toBe(11);
        },
        PATIENCE,
      );
    }
    await reported([east, 2]);
  }, 240_000);

  test('are refused when they are of a target that was made again, and a new one takes over', async () => {
    const { of: old, syncer: former } = west;
    const urls = target.shards.map(shard => expectedViewsOf(old, shard).syncer);
    const again = await createSyncTarget({ name: old.name, mark: old.mark });
    expect([again.key, again.uid === old.uid]).toEqual([old.key, false]);
    former.signal('SIGCONT');
    expect(await former.ended()).toBe(1);
    // Which of the two it hears of first is its own affair.
    expect(former.said).toMatch(/^syncer: (there is no SyncTarget|the SyncTarget "[^"]+" has the uid) .+/m);
    await former.kill();
    for (const view of urls) (await view.get('/clusters/*/api/v1/namespaces')).expect(403);

    const stale = new SyncerProcess(old, west.cluster, { parameters: [`--sync-target-uid=${old.uid}`] });
    expect(await stale.ended()).toBe(1);
    expect(stale.said).toContain(
      `syncer: the SyncTarget "${old.name}" has the uid ${again.uid}, not ${old.uid}: it was made again`,
    );
    await stale.kill();

    west = { ...west, of: again, syncer: new SyncerProcess(again, west.cluster) };
    await divided(11, [west, east]);
    await reported([west, 0], [east, 1]);
  }, 300_000);

  test('let go of what is deleted, and leave nothing of it behind', async () => {
    for (const { owner } of consumers) {
      (await owner.delete(path)).expect(200);
      await eventually('the end of the Deployment', async () => (await owner.get(path)).expect(404), PATIENCE);
    }
    for (const side of [west, east])
      for (const consumer of consumers) expect(await copyOn(side, consumer, division())).toBeUndefined();
    for (const { syncer } of [west, east]) {
      syncer.signal('SIGTERM');
      expect(await syncer.ended()).toBe(0);
    }
  }, 240_000);
});
