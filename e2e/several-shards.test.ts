/**
 * Each shard has its own virtual workspaces, which see its workspaces and no others. Types, and the right to act for them, may be on any
 * shard: what is not at hand is found through the cache and the front proxy.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { admin, atFrontProxy, atShard, masters, target, user } from './support/identities.ts';
import type { ConfigMap, KubeObject, Status, Workspace } from './support/kube.ts';
import { lifecycles, terminating } from './support/lifecycle.ts';
import { contentOf, createPending, removeOwnName, single, viewOf, wildcard } from './support/views.ts';
import {
  admit,
  type CreatedType,
  createParent,
  createType,
  grant,
  isReady,
  LOGICAL_CLUSTERS,
  uniqueSuffix,
  untilGone,
  workspaceWhere,
} from './support/workspaces.ts';
import type { TargetShard } from './target.ts';

const [root, second = root] = target.shards;
const NAMESPACES = '/api/v1/namespaces';

const clusterOf = (object: KubeObject): string => object.metadata?.annotations?.['kcp.io/cluster'] ?? '';

const PAIRS = [
  { types: root, workspaces: second },
  { types: second, workspaces: root },
];
const CASES = PAIRS.flatMap(pair =>
  lifecycles.map(lifecycle => ({ ...pair, lifecycle, view: lifecycle.view, typesOn: pair.types.name, on: pair.workspaces.name })),
);
/** On a kcp with one shard there is nothing to be asked. */
const describeSeveral = target.shards.length > 1 ? describe : describe.skip;

/** Where a logical cluster is not: the shard besides the one that has it. */
const besides = ({ name }: TargetShard): TargetShard => target.shards.find(shard => shard.name !== name) as TargetShard;

describeSeveral('several shards', () => {
  test('are known by the URLs of their views in the status of a type, two for each', async () => {
    const { lifecycleName, type } = await createType(await createParent(), { initializer: true });
    const expected = target.shards.flatMap(({ virtualWorkspaceURL }) => [
      { type: 'initializing', url: `${virtualWorkspaceURL}/services/initializingworkspaces/${lifecycleName}` },
      { type: 'terminating', url: `${virtualWorkspaceURL}/services/terminatingworkspaces/${lifecycleName}` },
    ]);
    expect(type.status?.virtualWorkspaces).toHaveLength(expected.length);
    expect(type.status?.virtualWorkspaces).toEqual(expect.arrayContaining(expected));
  });
});

describeSeveral.each(CASES)('$view for a type on $typesOn and its workspaces on $on', ({ lifecycle, types, workspaces }) => {
  const elsewhere = besides(workspaces);
  let type: CreatedType;
  let workspace: Workspace;
  let cluster: string;

  beforeAll(async () => {
    type = await createType(await createParent(types.name), { [lifecycle.noun]: true });
    workspace = await createPending(lifecycle, type, undefined, workspaces);
    cluster = workspace.spec.cluster;
    await admit(type.parent, 'user-1');
    await grant(type, 'user-1', lifecycle.verb);
    const view = viewOf(lifecycle, type.lifecycleName, user(1), workspaces);
    await eventually('access', async () => (await wildcard(view).get('')).expect(200));
  });

  const at = (shard: TargetShard, credentials = user(1) as Parameters<typeof viewOf>[2]) =>
    viewOf(lifecycle, type.lifecycleName, credentials, shard);
  const clustersAt = async (shard: TargetShard): Promise<string[]> => {
    const list = (await wildcard(at(shard)).get('')).expect(200).json<{ items: KubeObject[] }>();
    return list.items.map(clusterOf);
  };

  test('the workspace is where it was wanted', () => {
    expect(workspace.metadata.annotations).toMatchObject({ 'core.kcp.io/shard': workspaces.name });
    expect(workspace.metadata.annotations?.['internal.tenancy.kcp.io/shard']).toMatch(/^[0-9a-z]{8}$/);
  });

  test('only the view of its shard shows it, to whom the type is entrusted, and neither shows it to others', async () => {
    expect(await clustersAt(workspaces)).toContain(cluster);
    expect(await clustersAt(elsewhere)).toEqual([]);
    for (const shard of target.shards) (await wildcard(at(shard, user(2))).get('')).expect(403);
  });

  test('a watch at each shard tells what happens there', async () => {
    const here = await wildcard(at(workspaces)).watch('');
    const there = await wildcard(at(elsewhere)).watch('');
    const { spec: first } = await createPending(lifecycle, type, undefined, workspaces);
    await here.until('the workspace of this shard', ({ object }) => clusterOf(object) === first.cluster);
    const { spec: other } = await createPending(lifecycle, type, undefined, elsewhere);
    await there.until('the workspace of the other shard', ({ object }) => clusterOf(object) === other.cluster);
    expect(here.events.map(({ object }) => clusterOf(object))).not.toContain(other.cluster);
    expect(there.events.map(({ object }) => clusterOf(object))).not.toContain(first.cluster);
  });

  test('the content is reached through the view of its shard', async () => {
    const name = `e2e-${uniqueSuffix()}`;
    const content = contentOf(at(workspaces), cluster);
    await eventually('content that kcp has not deleted meanwhile', async () => {
      await content.post(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { on: workspaces.name } };
      (await content.post(`${NAMESPACES}/${name}/configmaps`, map)).expect(201);
      const stored = (await content.get(`${NAMESPACES}/${name}/configmaps/one`)).expect(200).json<ConfigMap>();
      expect(stored.data).toEqual({ on: workspaces.name });
    });
    // What one shard has stored is there for people, who know nothing of shards.
    if (lifecycle === terminating) return;
    (await atFrontProxy(admin).get(`/clusters/${cluster}${NAMESPACES}/${name}/configmaps/one`)).expect(200);
  });

  test('the view of another shard knows neither its content nor its logical cluster', async () => {
    const logicalCluster = await single(at(elsewhere), cluster).get('');
    const content = await contentOf(at(elsewhere), cluster).get(NAMESPACES);
    // To kcp's own server a logical cluster that it does not find is an error of the server's.
    const unknown = target.implementation === 'kcp-go' ? 500 : 404;
    expect({ logicalCluster: logicalCluster.status, content: content.status }).toEqual({ logicalCluster: 404, content: unknown });
  });

  test('nor does the other shard itself', async () => {
    const path = `/clusters/${cluster}${LOGICAL_CLUSTERS}/cluster`;
    (await atShard(masters, workspaces).get(path)).expect(200);
    (await atShard(masters, elsewhere).get(path)).expect(404);
    (await atShard(user(1), elsewhere).get(path)).expect(403);
    const byPath = (await atShard(masters, elsewhere).get(`/clusters/${type.parent}:${workspace.metadata.name}${NAMESPACES}`))
      .expect(404)
      .json<Status>();
    expect(byPath).toMatchObject({ reason: 'NotFound', details: { group: 'tenancy.kcp.io', kind: 'workspaces' } });
  });

  test('each shard passes requests below /services on to its own virtual workspaces', async () => {
    const path = `/services/${lifecycle.view}/${type.lifecycleName}/clusters/*${LOGICAL_CLUSTERS}`;
    const seen = await Promise.all(
      [workspaces, elsewhere].map(async shard => (await atShard(masters, shard).get(path)).expect(200).text.includes(cluster)),
    );
    expect(seen).toEqual([true, false]);
  });

  test('the workspace goes on when its owner is done', async () => {
    const { metadata, spec } = await createPending(lifecycle, type, undefined, workspaces);
    await removeOwnName(lifecycle, at(workspaces), spec.cluster, type.lifecycleName);
    if (lifecycle === terminating) await untilGone(type.parent, metadata.name);
    else await workspaceWhere('is Ready', type.parent, metadata.name, isReady);
  });
});
