/** A syncer that is killed at the worst moments of a status write, which is two writes at the shard the first time. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SELECTOR_ANNOTATION } from '@kcp-vw/syncer-vw/running/placement-annotations.ts';
import { type Division, expectTrueView, type Side, untilDivided, untilReported } from '../support/divided-deployment.ts';
import { eventually } from '../support/eventually.ts';
import { describeReachable } from '../support/example.ts';
import { FaultProxies, type Moment } from '../support/fault-proxy.ts';
import { target } from '../support/identities.ts';
import { createPhysicalCluster, type PhysicalCluster, reportAll } from '../support/physical-cluster.ts';
import { SyncerProcess } from '../support/syncer-process.ts';
import { createConsumer, createDeployment, deployment, NAMESPACES, syncingTest } from '../support/syncing.ts';
import { type CreatedSyncTarget, createSyncTarget, deleteSyncTarget } from '../support/syncing-targets.ts';
import { uniqueSuffix } from '../support/workspaces.ts';

const NAMESPACE = 'shop';

let proxies: FaultProxies;
let side: Side;
let division: Division;

const syncerOf = (of: CreatedSyncTarget, cluster: PhysicalCluster): SyncerProcess =>
  new SyncerProcess(of, cluster, {
    upstream: { url: proxies.originOf(target.frontProxyURL), authority: proxies.authority },
  });

/** Nothing is set up where nobody serves it. */
const describeSynced = syncingTest === test ? describeReachable : describe.skip;

describeSynced('a syncer', () => {
  beforeAll(async () => {
    const mark = uniqueSuffix();
    const shard = target.shards.at(-1) ?? target.shards[0];
    proxies = await FaultProxies.start([target.frontProxyURL, ...target.shards.map(one => one.virtualWorkspaceURL)]);
    const [cluster, of, consumer] = await Promise.all([
      createPhysicalCluster(shard),
      createSyncTarget({ mark }),
      createConsumer(shard),
    ]);
    side = { of, cluster, syncer: syncerOf(of, cluster) };
    const annotations = { [SELECTOR_ANNOTATION]: `e2e=${mark}` };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, annotations } };
    (await consumer.masters.post(NAMESPACES, namespace)).expect(201);
    const path = await createDeployment(consumer, NAMESPACE, deployment('web', 5));
    division = { sides: [side], consumers: [consumer], namespace: NAMESPACE, path };
    await untilDivided(division, 5, [side]);
  }, 240_000);

  afterAll(async () => {
    await side?.syncer.kill();
    proxies?.close();
    if (side) await deleteSyncTarget(side.of);
  }, 60_000);

  // Of the first write of all the second part is promised by the first.
  test.each<[string, Moment, number]>([
    ['is being done', 'heard', 1],
    ['has not been heard', 'asked', 2],
    ['has been done, and it has not heard so', 'answered', 3],
    ['is being done again', 'heard', 4],
  ])(
    'that is killed when its write of a status %s, loses nothing',
    async (_, moment, missing) => {
      const stopped = proxies.stopAt(
        moment,
        (method, path) => method === 'PUT' && path.includes('/services/syncer/') && path.endsWith('/web/status'),
      );
      await reportAll(side.cluster, missing);
      await stopped;
      await side.syncer.kill();
      for (const consumer of division.consumers) {
        await eventually('a view that is true', async () => expect(await expectTrueView(side, consumer, division)).toBeDefined());
      }
      side.syncer = syncerOf(side.of, side.cluster);
      await untilReported(division, new Map([[side, missing]]));
    },
    240_000,
  );
});
