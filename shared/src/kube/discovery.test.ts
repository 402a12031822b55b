import { describe, expect, test } from '@jest/globals';
import { type ApiResource, discoveryDocuments, storageVersionHash } from './discovery.ts';

const resource = (over: Partial<ApiResource>): ApiResource => ({
  group: 'example.io',
  version: 'v1',
  name: 'things',
  singularName: 'thing',
  kind: 'Thing',
  namespaced: true,
  verbs: ['get', 'list'],
  ...over,
});

const read = (resources: readonly ApiResource[], path: string): unknown => {
  const document = discoveryDocuments(resources, '10.0.0.1:6443').get(path);
  return document && JSON.parse(document.body.toString());
};

const LOGICAL_CLUSTERS: readonly ApiResource[] = [
  resource({
    group: 'core.kcp.io',
    version: 'v1alpha1',
    name: 'logicalclusters',
    singularName: 'logicalcluster',
    kind: 'LogicalCluster',
    namespaced: false,
    verbs: ['get', 'list', 'watch'],
    categories: ['kcp'],
    shortNames: [],
    storageVersionHash: 'l84hS/aun10=',
  }),
  resource({
    group: 'core.kcp.io',
    version: 'v1alpha1',
    name: 'logicalclusters/status',
    singularName: '',
    kind: 'LogicalCluster',
    namespaced: false,
    verbs: null,
  }),
];

describe('the documents', () => {
  test('for the logical clusters of the lifecycle views are those of kcp, null verbs included', () => {
    expect(read(LOGICAL_CLUSTERS, '/apis/core.kcp.io/v1alpha1')).toEqual({
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: 'core.kcp.io/v1alpha1',
      resources: [
        {
          name: 'logicalclusters',
          singularName: 'logicalcluster',
          namespaced: false,
          kind: 'LogicalCluster',
          verbs: ['get', 'list', 'watch'],
          categories: ['kcp'],
          storageVersionHash: 'l84hS/aun10=',
        },
        { name: 'logicalclusters/status', singularName: '', namespaced: false, kind: 'LogicalCluster', verbs: null },
      ],
    });
  });

  test('are one per path, and no others', () => {
    expect([...discoveryDocuments(LOGICAL_CLUSTERS, 'a').keys()]).toEqual([
      '/api',
      '/apis',
      '/apis/core.kcp.io',
      '/apis/core.kcp.io/v1alpha1',
    ]);
  });

  test('at /api name v1 even when nothing is served there', () => {
    expect(read([], '/api')).toEqual({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.0.0.1:6443' }],
    });
    expect(read([], '/api/v1')).toBeUndefined();
    expect(read([], '/apis')).toEqual({ kind: 'APIGroupList', apiVersion: 'v1', groups: [] });
  });

  test('at /api/v1 show the resources of the legacy group, which is no group of /apis', () => {
    const secrets = resource({ group: '', name: 'secrets' });
    expect(read([secrets], '/api/v1')).toMatchObject({
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [{ name: 'secrets' }],
    });
    expect(read([secrets], '/api/v1')).not.toHaveProperty('apiVersion');
    expect(read([secrets], '/apis')).toMatchObject({ groups: [] });
  });

  test('sort groups by name and versions by priority, and keep the order of resources', () => {
    const resources = [
      resource({ group: 'z.io', name: 'b' }),
      resource({ group: 'a.io', version: 'v1beta1' }),
      resource({ group: 'a.io', version: 'v2' }),
      resource({ group: 'z.io', name: 'a' }),
      resource({ group: 'a.io', version: 'v10' }),
    ];
    expect(read(resources, '/apis')).toEqual({
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [
        {
          name: 'a.io',
          versions: ['v10', 'v2', 'v1beta1'].map(version => ({ groupVersion: `a.io/${version}`, version })),
          preferredVersion: { groupVersion: 'a.io/v10', version: 'v10' },
        },
        {
          name: 'z.io',
          versions: [{ groupVersion: 'z.io/v1', version: 'v1' }],
          preferredVersion: { groupVersion: 'z.io/v1', version: 'v1' },
        },
      ],
    });
    expect(read(resources, '/apis/a.io')).toMatchObject({ kind: 'APIGroup', apiVersion: 'v1', name: 'a.io' });
    expect(read(resources, '/apis/z.io/v1')).toMatchObject({ resources: [{ name: 'b' }, { name: 'a' }] });
  });

  test('show the group and version of a kind that is not of the resource’s own', () => {
    const kinds = { kindGroup: 'autoscaling', kindVersion: 'v1' };
    const scale = resource({ name: 'things/scale', singularName: '', kind: 'Scale', ...kinds, verbs: ['get'] });
    expect(read([scale], '/apis/example.io/v1')).toMatchObject({
      resources: [
        {
          ...{ name: 'things/scale', singularName: '', namespaced: true, kind: 'Scale', verbs: ['get'] },
          ...{ group: 'autoscaling', version: 'v1' },
        },
      ],
    });
    expect(read([resource({})], '/apis/example.io/v1')).not.toHaveProperty('resources.0.group');
  });

  test('change their ETag when, and only when, they change', () => {
    const etag = (resources: readonly ApiResource[], path: string) => discoveryDocuments(resources, 'a').get(path)?.etag;
    const more = [...LOGICAL_CLUSTERS, resource({})];
    expect(etag(LOGICAL_CLUSTERS, '/apis')).toBe(etag([...LOGICAL_CLUSTERS], '/apis'));
    expect(etag(LOGICAL_CLUSTERS, '/apis')).not.toBe(etag(more, '/apis'));
    expect(etag(LOGICAL_CLUSTERS, '/apis/core.kcp.io')).toBe(etag(more, '/apis/core.kcp.io'));
  });
});

// The first as served by kcp v0.32.3, the others from kcp's own unit tests.
test.each([
  ['', 'core.kcp.io', 'v1alpha1', 'LogicalCluster', 'l84hS/aun10='],
  ['logicalClusterName', 'custom', 'v1', 'CustomResource', 'ixY6U/JU9OM='],
  ['logicalClusterName', '', 'v1', 'Service', '+iYBRzoiY8o='],
])('the storage version hash of %s/%s/%s/%s is that of kcp', (cluster, group, version, kind, hash) => {
  expect(storageVersionHash(group, version, kind, cluster)).toBe(hash);
});
