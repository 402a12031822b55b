import { describe, expect, test } from '@jest/globals';
import type { ApiResource } from './discovery.ts';
import { openapiDocuments } from './openapi.ts';

const COWBOYS: ApiResource = {
  group: 'wildwest.dev',
  version: 'v1alpha1',
  name: 'cowboys',
  singularName: 'cowboy',
  kind: 'Cowboy',
  namespaced: true,
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
};
const COWBOYS_STATUS: ApiResource = { ...COWBOYS, name: 'cowboys/status', singularName: '', verbs: ['get', 'patch', 'update'] };
const SHERIFFS: ApiResource = {
  ...COWBOYS,
  name: 'sheriffs',
  kind: 'Sheriff',
  namespaced: false,
  verbs: ['get', 'list', 'watch'],
};
const SECRETS: ApiResource = { ...COWBOYS, group: '', version: 'v1', name: 'secrets', kind: 'Secret' };
const ALL = [COWBOYS, COWBOYS_STATUS, SHERIFFS, SECRETS];

type Json = { [field: string]: Json };
const read = (path: string, resources: readonly ApiResource[] = ALL): Json =>
  JSON.parse(String(openapiDocuments(resources).get(path)?.body ?? '{}'));
const gvk = (kind: string) => ({ group: 'wildwest.dev', version: 'v1alpha1', kind });

describe('the index', () => {
  test('names every document with the hash that is its ETag', () => {
    const documents = openapiDocuments(ALL);
    const paths = Object.entries(read('/openapi/v3').paths ?? {});
    expect(paths.map(([key]) => key)).toEqual([
      'api',
      'api/v1',
      'apis',
      'apis/wildwest.dev',
      'apis/wildwest.dev/v1alpha1',
      'version',
    ]);
    for (const [key, { serverRelativeURL }] of paths) {
      const [path, hash] = String(serverRelativeURL).split('?hash=');
      expect(path).toBe(`/openapi/v3/${key}`);
      expect(documents.get(path ?? '')?.etag).toBe(`"${hash}"`);
    }
  });

  test('of no resources is still an index', () => {
    expect(Object.keys(read('/openapi/v3', []).paths ?? {})).toEqual(['api', 'apis', 'version']);
  });
});

describe('the document of a group version', () => {
  const document = read('/openapi/v3/apis/wildwest.dev/v1alpha1');

  test('has a schema for every kind, found by its group, version and kind', () => {
    const schemas = document.components?.schemas ?? {};
    expect(schemas['dev.wildwest.v1alpha1.Cowboy']).toMatchObject({
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      'x-kubernetes-group-version-kind': [gvk('Cowboy')],
    });
    // With properties kubectl would refuse every field that is not among them.
    expect(schemas['dev.wildwest.v1alpha1.Cowboy']).not.toHaveProperty('properties');
    expect(schemas['dev.wildwest.v1alpha1.SheriffList']).toMatchObject({
      'x-kubernetes-group-version-kind': [gvk('SheriffList')],
    });
  });

  test('has the paths of the verbs that are served', () => {
    const methods = Object.entries(document.paths ?? {}).map(([path, item]) => [
      path,
      Object.keys(item)
        .filter(key => key !== 'parameters')
        .sort(),
    ]);
    expect(methods).toEqual([
      ['/apis/wildwest.dev/v1alpha1/cowboys', ['get']],
      ['/apis/wildwest.dev/v1alpha1/namespaces/{namespace}/cowboys', ['delete', 'get', 'post']],
      ['/apis/wildwest.dev/v1alpha1/namespaces/{namespace}/cowboys/{name}', ['delete', 'get', 'patch', 'put']],
      ['/apis/wildwest.dev/v1alpha1/namespaces/{namespace}/cowboys/{name}/status', ['get', 'patch', 'put']],
      ['/apis/wildwest.dev/v1alpha1/sheriffs', ['get']],
      ['/apis/wildwest.dev/v1alpha1/sheriffs/{name}', ['get']],
    ]);
  });

  test('tells kubectl that patches know fieldValidation, and offers no strategic merge', () => {
    const patch = document.paths?.['/apis/wildwest.dev/v1alpha1/namespaces/{namespace}/cowboys/{name}']?.patch;
    expect(patch?.['x-kubernetes-group-version-kind']).toEqual(gvk('Cowboy'));
    expect(patch?.parameters).toContainEqual({
      name: 'fieldValidation',
      in: 'query',
      schema: { type: 'string', uniqueItems: true },
    });
    expect(Object.keys(patch?.requestBody?.content ?? {})).toEqual([
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/apply-patch+yaml',
    ]);
  });

  test('refers to schemas that it has, and names every operation once', () => {
    for (const path of openapiDocuments(ALL).keys()) {
      const text = JSON.stringify(read(path));
      const refs = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(match => match[1] ?? '');
      const schemas = Object.keys(read(path).components?.schemas ?? {});
      expect(schemas).toEqual(expect.arrayContaining(refs));
      const operations = [...text.matchAll(/"operationId":"([^"]+)"/g)].map(match => match[1]);
      expect(new Set(operations).size).toBe(operations.length);
    }
  });

  test('of the legacy group is that of /api/v1', () => {
    expect(Object.keys(read('/openapi/v3/api/v1').paths ?? {})).toContain('/api/v1/namespaces/{namespace}/secrets');
    expect(Object.keys(read('/openapi/v3/api/v1').components?.schemas ?? {})).toContain('io.k8s.api.core.v1.Secret');
  });

  test('has no path for a subresource that is listed but not served', () => {
    const listed = read('/openapi/v3/apis/wildwest.dev/v1alpha1', [{ ...COWBOYS_STATUS, verbs: null }]);
    expect(listed.paths).toEqual({});
  });
});

describe('resources with schemas', () => {
  const openapi = { schema: { type: 'object', properties: { spec: { type: 'object' } } } };
  const path = '/openapi/v3/apis/wildwest.dev/v1alpha1';
  const scale = { ...COWBOYS_STATUS, name: 'cowboys/scale', kind: 'Scale', kindGroup: 'autoscaling', kindVersion: 'v1' };
  // The status comes first here: the schema counts all the same.
  const schemas =
    read(path, [COWBOYS_STATUS, { ...COWBOYS, openapi }, { ...SHERIFFS, openapi }, scale]).components?.schemas ?? {};

  // kcp's TestAPIExportOpenAPI_MultipleKinds.
  test('of several kinds are in the one document of their group version', () => {
    expect(schemas['dev.wildwest.v1alpha1.Cowboy']).toMatchObject({
      properties: { spec: { type: 'object' }, metadata: {} },
      'x-kubernetes-group-version-kind': [gvk('Cowboy')],
    });
    expect(schemas['dev.wildwest.v1alpha1.Sheriff']).toMatchObject({ properties: { spec: {} } });
    expect(schemas['dev.wildwest.v1alpha1.CowboyList']?.properties?.items).toEqual({
      type: 'array',
      items: { $ref: '#/components/schemas/dev.wildwest.v1alpha1.Cowboy' },
    });
  });

  test('bring the definitions that all objects share, and no others', () => {
    expect(schemas['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta']?.properties).toHaveProperty('ownerReferences');
    expect(schemas).toHaveProperty(['io.k8s.api.autoscaling.v1.Scale']);
    expect(schemas).not.toHaveProperty(['io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup']);
  });
});

describe('resources that another server describes', () => {
  const operation = (action: string, name: string) => ({
    'x-kubernetes-action': action,
    responses: { 200: { content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } } } },
  });
  const name = 'io.k8s.api.core.v1.Namespace';
  const openapi = {
    paths: {
      '/api/v1/namespaces': { get: operation('list', name), post: operation('post', name), parameters: [] },
      '/api/v1/namespaces/{name}': { get: operation('get', name), put: operation('put', name) },
      '/api/v1/namespaces/{name}/status': { get: operation('get', name), patch: operation('patch', name) },
      '/api/v1/namespaces/{name}/finalize': { put: operation('put', name) },
    },
    components: { [name]: { description: 'theirs' }, 'io.k8s.apimachinery.pkg.apis.meta.v1.Status': { description: 'theirs' } },
  };
  const namespaces = { ...SECRETS, name: 'namespaces', kind: 'Namespace', namespaced: false, verbs: ['get', 'list'], openapi };
  const status = { ...SECRETS, name: 'namespaces/status', kind: 'Namespace', namespaced: false, verbs: ['get', 'patch'] };
  const document = read('/openapi/v3/api/v1', [namespaces, status, SECRETS]);

  test('are described so, as far as they are served', () => {
    const methods = Object.entries(document.paths ?? {}).map(([path, item]) => [path, Object.keys(item).join()]);
    expect(methods.filter(([path]) => !path?.includes('secrets'))).toEqual([
      ['/api/v1/namespaces', 'get,parameters'],
      ['/api/v1/namespaces/{name}', 'get'],
      ['/api/v1/namespaces/{name}/status', 'get,patch'],
    ]);
  });

  test('keep the components made for them, beside those made here', () => {
    const schemas = document.components?.schemas ?? {};
    expect(schemas[name]).toEqual({ description: 'theirs' });
    expect(schemas['io.k8s.apimachinery.pkg.apis.meta.v1.Status']).toEqual({ description: 'theirs' });
    expect(schemas['io.k8s.api.core.v1.Secret']).toMatchObject({ 'x-kubernetes-preserve-unknown-fields': true });
  });

  test('have their status described here when nobody else does', () => {
    const { '/api/v1/namespaces/{name}/status': _, ...paths } = openapi.paths;
    const alone = read('/openapi/v3/api/v1', [{ ...namespaces, openapi: { ...openapi, paths } }, status]);
    expect(alone.paths).toHaveProperty(['/api/v1/namespaces/{name}/status', 'get', 'operationId']);
    expect(alone.components?.schemas?.[name]).toEqual({ description: 'theirs' });
  });
});
