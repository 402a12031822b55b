import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { groupVersions } from '@kcp-vw/shared/kube/discovery.ts';
import { AT, listed, setOf } from './api-set.fixture.ts';
import { apiSetOf } from './api-set.ts';
import { exportAt, schemaAt, sourcesOf } from './apiexport.fixture.ts';

describe('discovery of an export', () => {
  const hash = (text: string): string => createHash('sha256').update(text).digest().subarray(0, 8).toString('base64');

  test('shows what is claimed of Kubernetes as of the logical cluster of the export, without short names', () => {
    const [namespaces] = listed(setOf({ claims: [{ resource: 'namespaces' }] }), 'namespaces');
    expect(namespaces).toEqual({
      group: '',
      version: 'v1',
      kind: 'Namespace',
      namespaced: false,
      name: 'namespaces',
      singularName: 'namespace',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      storageVersionHash: hash('provider//v1/Namespace'),
    });
  });

  // `kubectl get kcp` asks for whatever has the category.
  test("shows kcp's own types as of no logical cluster, in kcp's category", () => {
    const [bindings] = listed(setOf({}), 'apibindings');
    expect(bindings).toMatchObject({ categories: ['kcp'], storageVersionHash: hash('/apis.kcp.io/v1alpha1/APIBinding') });
  });

  test('shows what is claimed from an export as of the logical cluster of its schema', () => {
    const others = [exportAt('lender/x', { identity: 'other', schemas: ['t'] })];
    const claims = [{ group: 'wild.west', resource: 'sheriffs', identityHash: 'other' }];
    const set = setOf({ claims }, { others, schemas: [schemaAt('lender/t', 'sheriffs.wild.west', { kind: 'Sheriff' })] });
    expect(listed(set, 'sheriffs')[0]?.storageVersionHash).toBe(hash('lender/wild.west/v1/Sheriff'));
  });

  test('shows the status of what has one', () => {
    const set = setOf({ claims: [{ resource: 'namespaces' }, { resource: 'secrets' }] });
    expect(set.apis.map(api => api.name)).toEqual(['namespaces', 'namespaces/status', 'secrets', 'apibindings', 'apibindings']);
  });

  test('has the highest version first', () => {
    const versions = [{ name: 'v1' }, { name: 'v2beta1' }, { name: 'v2' }];
    const { apis } = setOf({ schemas: ['s'] }, { schemas: [schemaAt('provider/s', 'cowboys.dev', { versions })] });
    const found = groupVersions(apis).filter(one => one.group === 'dev');
    expect(found.map(one => one.version)).toEqual(['v2', 'v1', 'v2beta1']);
  });

  test('describes what is claimed of Kubernetes by what the shard says of it', () => {
    const exported = exportAt(AT, { claims: [{ resource: 'secrets' }] });
    const described = { paths: { '/api/v1/secrets': {} }, components: {} };
    const openapi = (group: string, version: string, resource: string) =>
      `${group}/${version}/${resource}` === '/v1/secrets' ? described : undefined;
    const set = apiSetOf(exported, { ...sourcesOf([exported], []), openapi });
    expect(set?.apis.map(api => api.openapi)).toEqual([described, undefined, undefined]);
  });

  test('is in the same order, in whatever order an export claims', () => {
    const claims = [{ resource: 'secrets' }, { resource: 'configmaps' }, { group: 'coordination.k8s.io', resource: 'leases' }];
    expect(setOf({ claims: [...claims].reverse() }).apis).toEqual(setOf({ claims }).apis);
  });
});
