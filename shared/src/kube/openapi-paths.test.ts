import { expect, test } from '@jest/globals';
import { modelName, pathsOf } from './openapi-paths.ts';

test.each([
  ['core.kcp.io', 'io.kcp.core.v1.Thing'],
  ['', 'io.k8s.api.core.v1.Thing'],
  ['apps', 'io.k8s.api.apps.v1.Thing'],
])('a kind of the group %j has the model name %s', (group, name) => {
  expect(modelName({ group, version: 'v1' }, 'Thing')).toBe(name);
});

test('what is created at a subresource is created at the object', () => {
  const eviction = {
    name: 'pods/eviction',
    singularName: '',
    kind: 'Eviction',
    namespaced: true,
    verbs: ['create'],
    group: '',
    version: 'v1',
  };
  const paths = pathsOf({ group: '', version: 'v1', resources: [eviction] });
  expect(Object.keys(paths)).toEqual(['/api/v1/namespaces/{namespace}/pods/{name}/eviction']);
  expect(Object.values(paths)[0]).toMatchObject({
    parameters: [{ name: 'name' }, { name: 'namespace' }],
    post: { operationId: 'createNamespacedEvictionEviction' },
  });
});
