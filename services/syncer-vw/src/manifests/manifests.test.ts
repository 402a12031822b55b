import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type PolicyRule, rulesAllow } from '@kcp-vw/shared/kube/rbac.ts';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import { manifests } from './manifests.ts';
import { syncerRoles } from './rbac.ts';
import type { Schema } from './schema-parts.ts';

const SERVICE = [{ kind: 'ServiceAccount', namespace: 'virtualworkspaces', name: 'syncer-vw' }] as const;
const { workload, compute } = manifests({ service: SERVICE });
const all = [...workload, ...compute];
const schemas = all.filter((one): one is ApiResourceSchema => one.kind === 'APIResourceSchema');
const find = (objects: readonly KubeObject[], kind: string, name: string) =>
  objects.find(one => one.kind === kind && one.metadata?.name === name);
const schemaIn = ({ spec }: ApiResourceSchema): Schema => (spec?.versions[0]?.schema ?? {}) as Schema;

/** Every schema within a schema, with the path to it. */
function within(schema: Schema, path: string): readonly (readonly [path: string, schema: Schema])[] {
  return [
    [path, schema],
    ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) => within(one, `${path}.${name}`)),
    ...(schema.items ? within(schema.items, `${path}[]`) : []),
    ...(schema.additionalProperties ? within(schema.additionalProperties, `${path}{}`) : []),
  ];
}

describe('the schemas that syncing needs', () => {
  test('are those of SyncTargets, and of what is synced', () => {
    expect(schemas.map(({ metadata }) => metadata?.name)).toEqual([
      'v1.synctargets.workload.kcp.io',
      'v1.deployments.apps',
      'v1.ingresses.networking.k8s.io',
      'v1.persistentvolumes.core',
      'v1.pods.core',
      'v1.services.core',
    ]);
    expect(schemas.filter(({ spec }) => spec?.scope === 'Cluster').map(({ spec }) => spec?.names.kind)).toEqual([
      'SyncTarget',
      'PersistentVolume',
    ]);
  });

  test('begin with another word where others of the same names are there already', () => {
    const others = manifests({ service: SERVICE, generation: 'autumn' });
    expect(others.workload[0]?.metadata?.name).toBe('autumn.synctargets.workload.kcp.io');
    expect(find(others.workload, 'APIExport', 'workload.kcp.io')).toMatchObject({
      spec: { resources: [{ schema: 'autumn.synctargets.workload.kcp.io' }] },
    });
  });

  test('have one version, which is stored and has a status of its own', () => {
    for (const { spec } of schemas) {
      expect(spec?.versions).toEqual([
        expect.objectContaining({ served: true, storage: true, subresources: expect.objectContaining({ status: {} }) }),
      ]);
    }
  });

  test("say who has approved those of Kubernetes' own groups", () => {
    const approved = schemas.filter(({ metadata }) => metadata?.annotations?.['api-approved.kubernetes.io']);
    expect(approved.map(({ spec }) => spec?.group)).toEqual(['networking.k8s.io']);
  });

  test.each(schemas.map(schema => [schema.metadata?.name ?? '', schema] as const))('%s is structural', (_, schema) => {
    for (const [path, one] of within(schemaIn(schema), '')) {
      expect([path, one.type !== undefined || one['x-kubernetes-int-or-string'] === true]).toEqual([path, true]);
      expect([path, one.type === 'array']).toEqual([path, one.items !== undefined]);
      // An object without fields would lose all that it has.
      const says = one.properties ?? one.additionalProperties ?? one['x-kubernetes-preserve-unknown-fields'];
      if (one.type === 'object' && path !== '.metadata') expect([path, says]).not.toEqual([path, undefined]);
      const isListed = one.type === 'array' && one['x-kubernetes-list-type'] === undefined;
      expect([path, isListed]).toEqual([path, false]);
      for (const name of one.required ?? [])
        expect([path, Object.keys(one.properties ?? {})]).toEqual([path, expect.arrayContaining([name])]);
    }
  });

  test.each(schemas.map(schema => [schema.metadata?.name ?? '', schema] as const))(
    '%s has lists whose keys are always there',
    (_, schema) => {
      for (const [path, { items, ...one }] of within(schemaIn(schema), '')) {
        const keys = one['x-kubernetes-list-map-keys'] ?? [];
        expect([path, one['x-kubernetes-list-type'] === 'map']).toEqual([path, keys.length > 0]);
        for (const key of keys) {
          const isThere = (items?.required ?? []).includes(key) || items?.properties?.[key]?.default !== undefined;
          expect([path, key, isThere]).toEqual([path, key, true]);
        }
      }
    },
  );

  test('a SyncTarget supports the compute export of its workspace by default, is schedulable, and has a name of 234 characters at most', () => {
    const [schema] = schemas;
    const fields = new Map(within(schema ? schemaIn(schema) : {}, ''));
    expect(fields.get('.spec.supportedAPIExports')?.default).toEqual([{ export: 'kubernetes' }]);
    expect(fields.get('.spec.unschedulable')?.default).toBe(false);
    expect(fields.get('.metadata.name')?.maxLength).toBe(234);
    expect(fields.get('.status.syncedResources[].state')).toMatchObject({
      default: 'Pending',
      enum: ['Pending', 'Accepted', 'Incompatible'],
    });
  });
});

describe('the exports', () => {
  test('export every schema, claim what every syncer gets, and reviews', () => {
    expect(find(workload, 'APIExport', 'workload.kcp.io')?.spec).toEqual({
      resources: [
        { group: 'workload.kcp.io', name: 'synctargets', schema: 'v1.synctargets.workload.kcp.io', storage: { crd: {} } },
      ],
      permissionClaims: [{ group: 'authorization.k8s.io', resource: 'subjectaccessreviews', verbs: ['create'] }],
    });
    const verbs = ['get', 'list', 'watch', 'update', 'patch'];
    expect(find(compute, 'APIExport', 'kubernetes')?.spec).toMatchObject({
      resources: schemas.slice(1).map(({ metadata }) => ({ schema: metadata?.name })),
      permissionClaims: ['configmaps', 'namespaces', 'secrets', 'serviceaccounts'].map(resource => ({
        group: '',
        resource,
        verbs,
      })),
    });
  });

  test('come after their schemas, and roles before their bindings', () => {
    const order = ['APIResourceSchema', 'APIExport', 'ClusterRole', 'ClusterRoleBinding', 'ClusterRole', 'ClusterRoleBinding'];
    for (const objects of [workload, compute]) {
      expect(objects.map(({ kind }) => kind).filter((kind, index, kinds) => kind !== kinds[index - 1])).toEqual(order);
    }
  });
});

describe('the rights', () => {
  const request = (verb: string, resource: string, name = '', subresource = '') => ({
    ...{ isResourceRequest: true, path: '', namespace: '', verb, resource, name, subresource },
    apiGroup: resource.startsWith('api') ? 'apis.kcp.io' : 'workload.kcp.io',
  });
  const rulesIn = (objects: readonly KubeObject[], name: string) =>
    (find(objects, 'ClusterRole', name)?.rules ?? []) as PolicyRule[];

  test('of the service are those of the content of its exports, and of no others', () => {
    const rules = rulesIn(compute, 'syncer-vw:kubernetes');
    expect(rulesAllow(rules, request('patch', 'apiexports', 'kubernetes', 'content'))).toBe(true);
    expect(rulesAllow(rules, request('get', 'apiexports', 'another', 'content'))).toBe(false);
    expect(rulesAllow(rules, request('update', 'apiexports', 'kubernetes'))).toBe(false);
    expect(
      rulesAllow(rulesIn(workload, 'syncer-vw:workload.kcp.io'), request('delete', 'apiexports', 'workload.kcp.io', 'content')),
    ).toBe(false);
    expect(find(compute, 'ClusterRoleBinding', 'syncer-vw:kubernetes')?.subjects).toEqual(SERVICE);
  });

  test('to bind are of everybody who has logged in, or of those that are named', () => {
    expect(rulesAllow(rulesIn(compute, 'kubernetes:bind'), request('bind', 'apiexports', 'kubernetes'))).toBe(true);
    const group = (name: string) => [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name }];
    expect(find(compute, 'ClusterRoleBinding', 'kubernetes:bind')?.subjects).toEqual(group('system:authenticated'));
    const some = manifests({ service: SERVICE, consumers: [{ kind: 'Group', name: 'teams' }] });
    expect(find(some.workload, 'ClusterRoleBinding', 'workload.kcp.io:bind')?.subjects).toEqual(group('teams'));
  });

  test('of a syncer are for its SyncTarget by name', () => {
    const rules = rulesIn(syncerRoles('west', SERVICE), 'syncer:west');
    expect(rulesAllow(rules, request('sync', 'synctargets', 'west'))).toBe(true);
    expect(rulesAllow(rules, request('patch', 'synctargets', 'west', 'status'))).toBe(true);
    expect(rulesAllow(rules, request('sync', 'synctargets', 'east'))).toBe(false);
    expect(rulesAllow(rules, request('patch', 'synctargets', 'west'))).toBe(false);
    expect(rulesAllow(rules, request('list', 'synctargets'))).toBe(false);
  });
});
