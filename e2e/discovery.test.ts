import { describe, expect, test } from '@jest/globals';
import type { Client } from './support/client.ts';
import { admin, anonymous, atShard, masters, mastersByToken, user } from './support/identities.ts';
import { initializing, lifecycles, terminating } from './support/lifecycle.ts';
import { Scenario } from './support/scenario.ts';
import { viewOf } from './support/views.ts';

const GROUP_VERSION = { groupVersion: 'core.kcp.io/v1alpha1', version: 'v1alpha1' };
const GROUP = { name: 'core.kcp.io', versions: [GROUP_VERSION], preferredVersion: GROUP_VERSION };

/** What informers compare with the stored version; the hash is of the kind under an empty cluster name. */
function resources(verbs: string[], statusVerbs: string[] | null) {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'core.kcp.io/v1alpha1',
    resources: [
      {
        name: 'logicalclusters',
        singularName: 'logicalcluster',
        namespaced: false,
        kind: 'LogicalCluster',
        verbs,
        categories: ['kcp'],
        storageVersionHash: 'l84hS/aun10=',
      },
      { name: 'logicalclusters/status', singularName: '', namespaced: false, kind: 'LogicalCluster', verbs: statusVerbs },
    ],
  };
}

async function document(client: Client, path: string): Promise<unknown> {
  const reply = (await client.get(path)).expect(200);
  expect(reply.headers['content-type']).toBe('application/json');
  return reply.json();
}

describe.each(lifecycles)('wildcard discovery of $view', lifecycle => {
  const roads: [string, () => Client][] = [
    ['asked directly', () => viewOf(lifecycle, 'whatever', masters)],
    ['through the shard, which impersonates', () => atShard(mastersByToken).at(`/services/${lifecycle.view}/whatever`)],
  ];

  describe.each(roads)('%s', (_, road) => {
    test('lists logicalclusters as the only API, for any name', async () => {
      const client = road().at('/clusters/*');
      expect(await document(client, '/apis')).toEqual({ kind: 'APIGroupList', apiVersion: 'v1', groups: [GROUP] });
      expect(await document(client, '/apis/core.kcp.io')).toEqual({ kind: 'APIGroup', apiVersion: 'v1', ...GROUP });
    });

    test('lists get, list and watch of logicalclusters, and a status subresource whose verbs are null', async () => {
      const found = await document(road().at('/clusters/*'), '/apis/core.kcp.io/v1alpha1');
      expect(found).toStrictEqual(resources(['get', 'list', 'watch'], null));
    });

    test('names v1 as the version without a group, and has no resources there', async () => {
      const client = road().at('/clusters/*');
      const versions = (await document(client, '/api')) as Record<string, unknown>;
      expect(versions).toMatchObject({
        kind: 'APIVersions',
        versions: ['v1'],
        serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0' }],
      });
      expect(Object.keys(versions)).toEqual(['kind', 'versions', 'serverAddressByClientCIDRs']);
      (await client.get('/api/v1')).expect(404);
    });
  });

  test('is plain even for clients that would accept aggregated discovery', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const reply = await viewOf(lifecycle, 'whatever', masters).at('/clusters/*').get('/apis', { Accept: accept });
    expect(reply.expect(200).headers['content-type']).toBe('application/json');
    expect(reply.json()).toMatchObject({ kind: 'APIGroupList' });
  });

  test('has the version of an API server and an OpenAPI document of the one resource', async () => {
    const client = viewOf(lifecycle, 'whatever', masters).at('/clusters/*');
    expect(await document(client, '/version')).toMatchObject({
      major: expect.any(String),
      minor: expect.any(String),
      gitVersion: expect.any(String),
    });
    const index = (await document(client, '/openapi/v3')) as { paths: Record<string, { serverRelativeURL: string }> };
    expect(Object.keys(index.paths)).toContain('apis/core.kcp.io/v1alpha1');
    const openapi = (await document(client, '/openapi/v3/apis/core.kcp.io/v1alpha1')) as { paths: Record<string, unknown> };
    expect(Object.keys(openapi.paths)).toContain('/apis/core.kcp.io/v1alpha1/logicalclusters');
  });

  test('knows no other group, version or resource', async () => {
    const client = viewOf(lifecycle, 'whatever', masters).at('/clusters/*');
    for (const path of [
      '/apis/tenancy.kcp.io',
      '/apis/core.kcp.io/v1',
      '/apis/core.kcp.io/v1alpha1/shards',
      '/api/v1/namespaces',
    ]) {
      (await client.get(path)).expect(404);
    }
  });

  test('needs the same permission as the objects', async () => {
    (await viewOf(lifecycle, 'root:universal', anonymous).get('/clusters/*/apis')).expect(403);
    (await viewOf(lifecycle, 'root:universal', user(1)).get('/clusters/*/apis')).expect(403);
  });
});

describe('discovery in one workspace', () => {
  test("is the workspace's own while it initializes", async () => {
    const scenario = await Scenario.create(initializing);
    const found = await document(scenario.content(admin), '/api/v1');
    expect(found).toMatchObject({
      kind: 'APIResourceList',
      resources: expect.arrayContaining([expect.objectContaining({ name: 'configmaps' })]),
    });
  });

  test('shows only the logical cluster and its status while it terminates', async () => {
    const content = (await Scenario.create(terminating)).content(admin);
    expect(await document(content, '/apis')).toEqual({ kind: 'APIGroupList', apiVersion: 'v1', groups: [GROUP] });
    expect(await document(content, '/apis/core.kcp.io/v1alpha1')).toStrictEqual(resources(['get'], ['get', 'patch', 'update']));
    (await content.get('/api/v1')).expect(404);
  });
});
