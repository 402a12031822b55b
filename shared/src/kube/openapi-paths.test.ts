import { describe, expect, test } from '@jest/globals';
import type { ApiResource } from './discovery.ts';
import { modelName, operationNames, pathsOf } from './openapi-paths.ts';

test.each([
  ['core.kcp.io', 'io.kcp.core.v1.Thing'],
  ['', 'io.k8s.api.core.v1.Thing'],
  ['apps', 'io.k8s.api.apps.v1.Thing'],
])('a kind of the group %j has the model name %s', (group, name) => {
  expect(modelName({ group, version: 'v1' }, 'Thing')).toBe(name);
});

test.each([
  ['wildwest.dev', 'v1alpha1', 'WildwestDevV1alpha1', 'wildwestDev_v1alpha1'],
  ['tenancy.kcp.io', '', 'TenancyKcpIo', 'tenancyKcpIo'],
  ['rbac.authorization.k8s.io', 'v1', 'RbacAuthorizationV1', 'rbacAuthorization_v1'],
  ['', 'v1', 'CoreV1', 'core_v1'],
])('operations of %j %j are named %s and tagged %s, as those of kcp', (group, version, title, tag) => {
  expect(operationNames({ group, version })).toEqual({ title, tag });
});

const COWBOYS: ApiResource = {
  ...{ group: 'wildwest.dev', version: 'v1alpha1', name: 'cowboys', singularName: 'cowboy', kind: 'Cowboy' },
  ...{ namespaced: true, verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] },
};
const STATUS: ApiResource = { ...COWBOYS, name: 'cowboys/status', singularName: '', verbs: ['get', 'patch', 'update'] };
const SCALE: ApiResource = { ...STATUS, name: 'cowboys/scale', kind: 'Scale', kindGroup: 'autoscaling', kindVersion: 'v1' };

type Item = Record<string, { operationId: string; parameters?: { name: string }[]; responses: Record<string, unknown> }>;
const paths = pathsOf({ group: 'wildwest.dev', version: 'v1alpha1', resources: [COWBOYS, STATUS, SCALE] });
const item = (below: string): Item => paths[`/apis/wildwest.dev/v1alpha1/${below}`] as Item;
const names = (parameters: unknown): string[] => (parameters as { name: string }[]).map(({ name }) => name);

// As kcp v0.32.3 describes the same CRD.
describe('the operations', () => {
  test('are named as those of kcp', () => {
    const ids = Object.values(paths).flatMap(one =>
      Object.values(one as Item).flatMap(({ operationId }) => (operationId ? [operationId] : [])),
    );
    expect(ids.sort()).toEqual([
      'createWildwestDevV1alpha1NamespacedCowboy',
      'deleteWildwestDevV1alpha1CollectionNamespacedCowboy',
      'deleteWildwestDevV1alpha1NamespacedCowboy',
      'listWildwestDevV1alpha1CowboyForAllNamespaces',
      'listWildwestDevV1alpha1NamespacedCowboy',
      'patchWildwestDevV1alpha1NamespacedCowboy',
      'patchWildwestDevV1alpha1NamespacedCowboyScale',
      'patchWildwestDevV1alpha1NamespacedCowboyStatus',
      'readWildwestDevV1alpha1NamespacedCowboy',
      'readWildwestDevV1alpha1NamespacedCowboyScale',
      'readWildwestDevV1alpha1NamespacedCowboyStatus',
      'replaceWildwestDevV1alpha1NamespacedCowboy',
      'replaceWildwestDevV1alpha1NamespacedCowboyScale',
      'replaceWildwestDevV1alpha1NamespacedCowboyStatus',
    ]);
  });

  test('leave to their path the parameters that all of them have', () => {
    const object = item('namespaces/{namespace}/cowboys/{name}');
    expect(names(object.parameters)).toEqual(['name', 'namespace', 'pretty']);
    expect(names(object.put?.parameters)).toEqual(['dryRun', 'fieldManager', 'fieldValidation']);
    const everywhere = item('cowboys');
    expect(names(everywhere.parameters)).toContain('labelSelector');
    expect(everywhere.get).not.toHaveProperty('parameters');
  });

  test('tell every status of success, and what is not authenticated', () => {
    const object = item('namespaces/{namespace}/cowboys/{name}');
    expect(Object.keys(object.put?.responses ?? {})).toEqual(['200', '201', '401']);
    expect(Object.keys(object.delete?.responses ?? {})).toEqual(['200', '202', '401']);
    expect(Object.keys(item('namespaces/{namespace}/cowboys').post?.responses ?? {})).toEqual(['200', '201', '202', '401']);
  });

  test('of a subresource are about its resource, and answer its own kind', () => {
    expect(item('namespaces/{namespace}/cowboys/{name}/scale').get).toMatchObject({
      'x-kubernetes-group-version-kind': { group: 'wildwest.dev', version: 'v1alpha1', kind: 'Cowboy' },
      responses: {
        200: { content: { 'application/yaml': { schema: { $ref: '#/components/schemas/io.k8s.api.autoscaling.v1.Scale' } } } },
      },
    });
  });
});

test('what is created at a subresource is created at the object', () => {
  const eviction: ApiResource = {
    ...{ name: 'pods/eviction', singularName: '', kind: 'Eviction', namespaced: true, verbs: ['create'] },
    ...{ group: '', version: 'v1' },
  };
  const created = pathsOf({ group: '', version: 'v1', resources: [eviction] });
  expect(Object.keys(created)).toEqual(['/api/v1/namespaces/{namespace}/pods/{name}/eviction']);
  expect(Object.values(created)[0]).toHaveProperty('post');
});
