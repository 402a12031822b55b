import { afterEach, expect, test } from '@jest/globals';
import { followKnowledge } from './follow-knowledge.ts';
import { FakeServers, fakeLog, settleAll, timing } from './knowledge.fixture.ts';
import { exportUrl, reaches } from './knowledge.ts';
import { SHARDS_PATH } from './shards.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const SERVER = 'https://kcp:6443';
const SHARDS = `${SERVER}${SHARDS_PATH}`;
const apis = (workspace: string, resource: string): string => `${SERVER}/clusters/${workspace}/apis/apis.kcp.io/${resource}`;
const base = (shard: string): string => `https://${shard}`;
const targetsAt = (shard: string): string =>
  `${exportUrl(base(shard), { cluster: 'c0', name: 'workload.kcp.io' })}/clusters/*/apis/workload.kcp.io/v1alpha1/synctargets`;
const bindingsAt = (shard: string, cluster: string, name: string): string =>
  `${exportUrl(base(shard), { cluster, name })}/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings`;

function world(): FakeServers {
  const servers = new FakeServers();
  for (const name of ['one', 'two']) {
    servers.put(SHARDS, name, { spec: { baseURL: `https://${name}:1`, virtualWorkspaceURL: base(name) } });
  }
  for (const [workspace, cluster, name] of [
    ['root:compute', 'c0', 'kubernetes'],
    ['root:compute', 'c0', 'workload.kcp.io'],
  ] as const) {
    servers.serve(apis(workspace, 'v1alpha1/apiresourceschemas'));
    servers.put(apis(workspace, 'v1alpha2/apiexports'), name, { cluster, spec: {}, status: { identityHash: name } });
  }
  const spec = { supportedAPIExports: [{ path: 'root:compute', export: 'kubernetes' }] };
  servers.put(targetsAt('two'), 'us', { cluster: 'c0', spec });
  for (const [shard, consumer] of [
    ['one', 'v'],
    ['two', 'w'],
  ] as const) {
    servers.put(bindingsAt(shard, 'c0', 'kubernetes'), 'b', {
      cluster: consumer,
      spec: { reference: { export: { name: 'kubernetes' } } },
      status: { apiExportClusterName: 'c0', phase: 'Bound' },
    });
  }
  return servers;
}

async function setUp() {
  const servers = world();
  const pruned: string[][] = [];
  const knowledge = followKnowledge({
    ...timing(),
    connections: {
      ...servers.connections,
      server: new URL(`${SERVER}/clusters/root:compute`),
      prune: async urls => void pruned.push([...urls]),
    },
    own: { shard: 'one' },
    computeWorkspace: 'root:compute',
    log: fakeLog().log,
  });
  stops.push(() => knowledge.stop());
  return { servers, pruned, knowledge };
}

test('all is known from the kubeconfig on: shards, the exports, SyncTargets of all shards, consumers of the own one', async () => {
  const { knowledge } = await setUp();
  const { shards, syncTargets, exports, consumers } = knowledge;
  expect([shards, syncTargets, exports, consumers].every(one => one.missing() !== undefined)).toBe(true);
  shards.start();
  for (let turn = 0; turn < 3; turn += 1) await settleAll();
  expect([shards, syncTargets, exports, consumers].map(one => one.missing())).toEqual(Array(4).fill(undefined));
  const target = syncTargets.get('c0', 'us')?.identity ?? { cluster: 'nowhere' };
  expect(['c0', 'v', 'w', 'x'].map(cluster => reaches(consumers, target, cluster))).toEqual([true, true, false, false]);
  const everywhere = knowledge.consumersOfAll();
  expect(knowledge.consumersOfAll()).toBe(everywhere);
  await settleAll();
  expect(['c0', 'v', 'w', 'x'].map(cluster => reaches(everywhere, target, cluster))).toEqual([true, true, true, false]);
});

test('connections with a shard that has gone are closed', async () => {
  const { servers, knowledge, pruned } = await setUp();
  knowledge.shards.start();
  for (let turn = 0; turn < 3; turn += 1) await settleAll();
  knowledge.consumersOfAll();
  await settleAll();
  servers.remove(SHARDS, 'two');
  await settleAll();
  expect(pruned.at(-1)).toEqual([base('one')]);
  expect(servers.streams.filter(path => path.startsWith(base('two')))).toEqual([]);
});

test('nothing stays open', async () => {
  const { servers, knowledge } = await setUp();
  knowledge.shards.start();
  for (let turn = 0; turn < 3; turn += 1) await settleAll();
  knowledge.consumersOfAll();
  await settleAll();
  knowledge.stop();
  await settleAll();
  expect(servers.streams).toEqual([]);
});
