import { expect, test } from '@jest/globals';
import { aggregatedDiscovery } from './aggregated-discovery.ts';
import type { ApiResource } from './discovery.ts';

const COWBOYS: ApiResource = {
  group: 'wildwest.dev',
  version: 'v1alpha1',
  name: 'cowboys',
  singularName: 'cowboy',
  kind: 'Cowboy',
  namespaced: true,
  verbs: ['get', 'list'],
  shortNames: ['cb'],
  categories: ['all'],
};
const STATUS: ApiResource = {
  ...{ group: 'wildwest.dev', version: 'v1alpha1', name: 'cowboys/status', singularName: '', kind: 'Cowboy' },
  ...{ namespaced: true, verbs: ['get', 'update'] },
};
const SCALE: ApiResource = { ...STATUS, name: 'cowboys/scale', kind: 'Scale', kindGroup: 'autoscaling', kindVersion: 'v1' };
const CONFIG_MAPS: ApiResource = {
  ...{ group: '', version: 'v1', name: 'configmaps', singularName: 'configmap', kind: 'ConfigMap' },
  ...{ namespaced: true, verbs: ['get'] },
};

test('a resource is shown with its subresources, each with the kind that it answers', () => {
  expect(aggregatedDiscovery([COWBOYS, STATUS, SCALE, CONFIG_MAPS], '/apis', 'v2')).toEqual({
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: [
      {
        metadata: { name: 'wildwest.dev' },
        versions: [
          {
            version: 'v1alpha1',
            resources: [
              {
                resource: 'cowboys',
                responseKind: { group: 'wildwest.dev', version: 'v1alpha1', kind: 'Cowboy' },
                scope: 'Namespaced',
                singularResource: 'cowboy',
                verbs: ['get', 'list'],
                shortNames: ['cb'],
                categories: ['all'],
                subresources: [
                  {
                    subresource: 'status',
                    responseKind: { group: 'wildwest.dev', version: 'v1alpha1', kind: 'Cowboy' },
                    verbs: ['get', 'update'],
                  },
                  {
                    subresource: 'scale',
                    responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
                    verbs: ['get', 'update'],
                  },
                ],
              },
            ],
            freshness: 'Current',
          },
        ],
      },
    ],
  });
});

test('the legacy group is that of /api, without a name', () => {
  expect(aggregatedDiscovery([COWBOYS, CONFIG_MAPS], '/api', 'v2beta1')).toMatchObject({
    apiVersion: 'apidiscovery.k8s.io/v2beta1',
    items: [{ metadata: {}, versions: [{ version: 'v1', resources: [{ resource: 'configmaps' }] }] }],
  });
  expect(aggregatedDiscovery([COWBOYS], '/api', 'v2')).toMatchObject({ items: [] });
});

test('subresources of a resource that is not served are shown without it', () => {
  expect(aggregatedDiscovery([{ ...STATUS, namespaced: false, verbs: null }], '/apis', 'v2')).toMatchObject({
    items: [
      {
        versions: [
          {
            resources: [
              { resource: 'cowboys', scope: 'Cluster', verbs: [], subresources: [{ subresource: 'status', verbs: [] }] },
            ],
          },
        ],
      },
    ],
  });
});

test('the versions of a group are in the order of their priority', () => {
  const versions = ['v1beta1', 'v1', 'v2alpha1'].map(version => ({ ...COWBOYS, version }));
  expect(aggregatedDiscovery(versions, '/apis', 'v2')).toMatchObject({
    items: [{ versions: [{ version: 'v1' }, { version: 'v1beta1' }, { version: 'v2alpha1' }] }],
  });
});
