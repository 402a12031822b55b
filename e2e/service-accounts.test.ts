/** Service accounts act across workspaces, and across shards: by their global name, with a token that another shard has signed. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client, Credentials } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { bindExport, type CreatedExport, createExport, grantContent, viewOfExport } from './support/exports.ts';
import { atFrontProxy, target } from './support/identities.ts';
import type { KubeObject, List } from './support/kube.ts';
import { type CreatedServiceAccount, createServiceAccount } from './support/service-accounts.ts';
import { adminIn, createParent, uniqueSuffix } from './support/workspaces.ts';
import type { TargetShard } from './target.ts';

const GROUP = `e2e-${uniqueSuffix()}.dev`;
const ROBOTS = { group: GROUP, plural: 'robots', kind: 'Robot' };
const API = `/apis/${GROUP}/v1`;
const VERBS = ['get', 'list', 'watch', 'create', 'delete'];
const [root, second = root] = target.shards;

const clusterOf = (object: KubeObject): string => object.metadata?.annotations?.['kcp.io/cluster'] ?? '';
const robot = (name: string): KubeObject => ({
  ...{ apiVersion: `${GROUP}/v1`, kind: 'Robot' },
  metadata: { name, namespace: 'default' },
});

let exported: CreatedExport;
let account: CreatedServiceAccount;
/** The logical cluster of a consumer on each shard. */
const consumers = new Map<string, string>();
const viewAt = (shard: TargetShard, credentials: Credentials = account.credentials): Client =>
  viewOfExport(exported, credentials, shard);

beforeAll(async () => {
  exported = await createExport(await createParent(), { resources: [ROBOTS] });
  for (const shard of target.shards) {
    const consumer = await createParent(shard.name);
    await bindExport(consumer, exported);
    const robots = adminIn(consumer).at(`${API}/namespaces/default/robots`);
    const stored = await eventually('a robot', async () => (await robots.post('', robot('first'))).expect(201));
    consumers.set(shard.name, clusterOf(stored.json<KubeObject>()));
  }
  // At home on the second shard, where the export is not.
  account = await createServiceAccount(await createParent(second.name));
  await grantContent(exported, account.globalName, VERBS);
  const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'robots-home' } };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:kcp:workspace:access' };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: account.globalName }];
  const bindings = adminIn(exported.parent).at('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings');
  (await bindings.post('', { ...binding, roleRef, subjects })).expect(201);
}, 180_000);

describe.each(target.shards.map(shard => ({ on: shard.name, shard })))('a service account of another workspace, on $on', at => {
  test('reads and writes the objects of an export as its global name may', async () => {
    const all = viewAt(at.shard).at('/clusters/*');
    const list = await eventually('access', async () => (await all.get(`${API}/robots`)).expect(200));
    expect(list.json<List<KubeObject>>().items.map(clusterOf)).toEqual([consumers.get(at.on)]);

    const content = viewAt(at.shard).at(`/clusters/${consumers.get(at.on)}${API}/namespaces/default/robots`);
    (await content.post('', robot('second'))).expect(201);
    (await content.get('/second')).expect(200);
    (await content.delete('/second')).expect(200);
  });

  test('gets no further than that', async () => {
    const stranger = await createServiceAccount(await createParent(second.name));
    (await viewAt(at.shard, stranger.credentials).get(`/clusters/*${API}/robots`)).expect(403);
    // The same namespace and name at home in another logical cluster is somebody else.
    (await atFrontProxy(account.credentials).get(`/clusters/${consumers.get(at.on)}${API}/robots`)).expect(403);
  });
});

describe('a service account that is deleted', () => {
  // Other shards of kcp remember an account that they have looked up for longer than a test may take.
  test('is nobody before long where it lived, though its token has not ended', async () => {
    const home = await createServiceAccount(await createParent(second.name));
    const list = viewAt(second, home.credentials).at(`/clusters/*${API}/robots`);
    (await list.get('')).expect(403);
    await home.delete();
    await eventually('401', async () => (await list.get('')).expect(401));
  });
});
