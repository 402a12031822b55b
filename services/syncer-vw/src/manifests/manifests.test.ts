import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type PolicyRule, rulesAllow } from '@kcp-vw/shared/kube/rbac.ts';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import { accountObjects, globalNameOf, providerGrant, shardsGrant } from './account.ts';
import { bindingTo, COMPUTE_CLAIMS } from './exports.ts';
import { manifests } from './manifests.ts';
import { syncerRoles } from './rbac.ts';
import { type ResourceSchemaParts, resourceSchema } from './resource-schemas.ts';
import { objectSchema, type Schema } from './schema-parts.ts';

const SERVICE = [{ kind: 'ServiceAccount', namespace: 'virtualworkspaces', name: 'syncer-vw' }] as const;
const { workload, compute } = manifests({ service: SERVICE });
const all = [...workload, ...compute];
const schemas = all.filter((one): one is ApiResourceSchema => one.kind === 'APIResourceSchema');
const find = (objects: readonly KubeObject[], kind: string, name: string) =>
  objects.find(one => one.kind === kind && one.metadata?.name === name);
const schemaIn = ({ spec }: ApiResourceSchema): Schema => (spec?.versions[0]?.schema ?? {}) as Schema;

const AGE = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const COWBOYS: Omit<ResourceSchemaParts, 'schema'> = {
  ...{ group: 'wild.west', version: 'v1', names: { plural: 'cowboys', kind: 'Cowboy' }, scope: 'Namespaced' },
  ...{ subresources: { status: {} }, columns: [] },
};

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
    const withoutHash = schemas.map(({ metadata }) => metadata?.name?.replace(/^v[0-9a-f]{10}\./, ''));
    expect(withoutHash).toEqual([
      'synctargets.workload.kcp.io',
      'deployments.apps',
      'ingresses.networking.k8s.io',
      'persistentvolumes.core',
      'pods.core',
      'services.core',
    ]);
    expect(schemas.filter(({ spec }) => spec?.scope === 'Cluster').map(({ spec }) => spec?.names.kind)).toEqual([
      'SyncTarget',
      'PersistentVolume',
    ]);
  });

  // An API server refuses to change one: the next version of this project must not try to.
  test('have another name when anything in them differs, and the same name otherwise', () => {
    const parts = { ...COWBOYS, schema: objectSchema('One.', {}) };
    const name = (changed: Partial<ResourceSchemaParts>) => resourceSchema({ ...parts, ...changed }).metadata?.name;
    expect(name({})).toBe(resourceSchema(structuredClone(parts)).metadata?.name);
    expect(name({})).toMatch(/^v[0-9a-f]{10}\.cowboys\.wild\.west$/);
    const others = [name({ schema: objectSchema('Another.', {}) }), name({ scope: 'Cluster' }), name({ columns: [AGE] })];
    expect(new Set([name({}), ...others]).size).toBe(4);
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
        {
          group: 'workload.kcp.io',
          name: 'synctargets',
          schema: schemas[0]?.metadata?.name,
          storage: { crd: {} },
        },
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

  test('of the account are to be the leader, in its own namespace only', () => {
    const [role, binding] = accountObjects().slice(2);
    expect(role).toMatchObject({
      kind: 'Role',
      metadata: { namespace: 'syncer-vw' },
      rules: [{ resources: ['leases'], verbs: ['get', 'create', 'update', 'patch'] }],
    });
    expect(binding).toMatchObject({ kind: 'RoleBinding', metadata: role?.metadata, roleRef: { name: role?.metadata?.name } });
  });

  test('of the account elsewhere are under the name that it has there, and let it enter', () => {
    const user = {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'User',
      name: globalNameOf('1abc', { namespace: 'n', name: 'a' }),
    };
    expect(user.name).toBe('system:kcp:serviceaccount:1abc:n:a');
    for (const objects of [shardsGrant('1abc'), providerGrant('1abc', 'wild')]) {
      const [role, binding] = objects;
      expect(binding?.subjects).toEqual([{ ...user, name: 'system:kcp:serviceaccount:1abc:syncer-vw:syncer-vw' }]);
      expect(role?.rules).toContainEqual({ nonResourceURLs: ['/'], verbs: ['access'] });
      // Of two installations the second would take the rights of the first otherwise.
      expect(role?.metadata?.name).toContain('1abc');
    }
    const rules = rulesIn(providerGrant('1abc', 'wild'), 'syncer-vw:1abc:wild');
    expect(rulesAllow(rules, request('update', 'apiexports', 'wild', 'content'))).toBe(true);
    expect(rulesAllow(rules, request('get', 'apiexports', 'another', 'content'))).toBe(false);
  });
});

test('a binding accepts every claim, with the verbs that the export asks for', () => {
  expect(bindingTo('root:compute', 'kubernetes', COMPUTE_CLAIMS)).toMatchObject({
    metadata: { name: 'kubernetes' },
    spec: {
      reference: { export: { path: 'root:compute', name: 'kubernetes' } },
      permissionClaims: COMPUTE_CLAIMS.map(claim => ({ ...claim, state: 'Accepted', selector: { matchAll: true } })),
    },
  });
  expect(bindingTo('root:compute', 'kubernetes', [], 'mine').metadata?.name).toBe('mine');
});
