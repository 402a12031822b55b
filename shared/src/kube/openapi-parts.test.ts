import { describe, expect, test } from '@jest/globals';
import { componentsReachable, openapiPartsOf } from './openapi-parts.ts';

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const answers = (name: string) => ({ get: { responses: { 200: { content: { 'application/json': { schema: ref(name) } } } } } });
const gvk = (kind: string) => ({ 'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind }] });

/** As `/openapi/v3/api/v1` of a shard. */
const DOCUMENT = {
  openapi: '3.0.0',
  paths: {
    '/api/v1/': answers('APIResourceList'),
    '/api/v1/configmaps': answers('ConfigMapList'),
    '/api/v1/namespaces': answers('NamespaceList'),
    '/api/v1/namespaces/{name}': answers('Namespace'),
    '/api/v1/namespaces/{name}/finalize': answers('Namespace'),
    '/api/v1/namespaces/{name}/status': answers('Namespace'),
    '/api/v1/namespaces/{namespace}/configmaps': answers('ConfigMapList'),
    '/api/v1/namespaces/{namespace}/configmaps/{name}': answers('ConfigMap'),
    '/api/v1/watch/configmaps': answers('WatchEvent'),
  },
  components: {
    schemas: {
      APIResourceList: {},
      ConfigMap: { properties: { metadata: { allOf: [ref('ObjectMeta')] } }, ...gvk('ConfigMap') },
      ConfigMapList: { properties: { items: { items: ref('ConfigMap') } }, ...gvk('ConfigMapList') },
      DeleteOptions: { 'x-kubernetes-group-version-kind': [...gvk('ConfigMap')['x-kubernetes-group-version-kind'], {}] },
      Namespace: { properties: { spec: ref('NamespaceSpec') }, ...gvk('Namespace') },
      NamespaceList: { properties: { items: { items: ref('Namespace') } }, ...gvk('NamespaceList') },
      NamespaceSpec: { properties: { parent: ref('Namespace') } },
      ObjectMeta: { description: '"$ref":"#/components/schemas/WatchEvent"' },
      WatchEvent: {},
    },
  },
};
const CONFIG_MAPS = { group: '', version: 'v1', name: 'configmaps', namespaced: true, kind: 'ConfigMap' };
const NAMESPACES = { group: '', version: 'v1', name: 'namespaces', namespaced: false, kind: 'Namespace' };

describe('the parts of a resource', () => {
  test('are its paths and what these lead to, not those of others', () => {
    const { paths, components } = openapiPartsOf(DOCUMENT, CONFIG_MAPS);
    expect(Object.keys(paths)).toEqual([
      '/api/v1/configmaps',
      '/api/v1/namespaces/{namespace}/configmaps',
      '/api/v1/namespaces/{namespace}/configmaps/{name}',
    ]);
    expect(Object.keys(components)).toEqual(['ConfigMap', 'ConfigMapList', 'ObjectMeta']);
    expect(components.ConfigMap).toBe(DOCUMENT.components.schemas.ConfigMap);
  });

  test('have the status, and other subresources when asked', () => {
    const paths = ['/api/v1/namespaces', '/api/v1/namespaces/{name}', '/api/v1/namespaces/{name}/status'];
    expect(Object.keys(openapiPartsOf(DOCUMENT, NAMESPACES).paths)).toEqual(paths);
    expect(Object.keys(openapiPartsOf(DOCUMENT, NAMESPACES, ['finalize']).paths)).toContain('/api/v1/namespaces/{name}/finalize');
  });

  test('end where components refer to each other in a circle', () => {
    expect(Object.keys(openapiPartsOf(DOCUMENT, NAMESPACES).components)).toEqual(['Namespace', 'NamespaceList', 'NamespaceSpec']);
  });

  test('have the kind even when no path leads to it', () => {
    const { paths, components } = openapiPartsOf({ ...DOCUMENT, paths: {} }, CONFIG_MAPS);
    expect(paths).toEqual({});
    expect(Object.keys(components)).toEqual(['ConfigMap', 'ConfigMapList', 'ObjectMeta']);
  });

  test.each([undefined, null, 'text', [], {}, { paths: 1, components: { schemas: [] } }])('of %j are none', document => {
    expect(openapiPartsOf(document, CONFIG_MAPS)).toEqual({ paths: {}, components: {} });
  });
});

test('a reference to a component that is not there is passed over', () => {
  expect(componentsReachable([ref('gone'), ref('a')], { a: ref('also-gone') })).toEqual({ a: ref('also-gone') });
});
