import { describe, expect, test } from '@jest/globals';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import { syncTarget } from './sync-target.fixture.ts';
import type { SyncTarget } from './sync-target.ts';
import { type ApiExport, type ExportLookup, syncedResourcesPatch } from './synced-resources.ts';

const schema = (
  group: string,
  plural: string,
  versions: readonly string[] = ['v1'],
  served: readonly string[] = versions,
): ApiResourceSchema => ({
  spec: {
    group,
    names: { plural, kind: plural },
    scope: 'Namespaced',
    versions: versions.map((name, index) => ({ name, served: served.includes(name), storage: index === 0 })),
  },
});

const exported = (cluster: string, identityHash: string, spec: NonNullable<ApiExport['spec']>): ApiExport => ({
  metadata: { annotations: { 'kcp.io/cluster': cluster } },
  spec,
  status: { identityHash },
});

/** Keys are `<workspace> <name>`. */
const lookup = (exports: Record<string, ApiExport>, schemas: Record<string, ApiResourceSchema>): ExportLookup => ({
  getExport: (workspace, name) => exports[`${workspace} ${name}`],
  getSchema: (cluster, name) => schemas[`${cluster} ${name}`],
});

const KUBERNETES = exported('root:org:ws', 'hash', {
  resources: [{ schema: 'v1.services.core' }, { schema: 'v1.deployments.apps' }],
});
const SCHEMAS = {
  'root:org:ws v1.services.core': schema('', 'services'),
  'root:org:ws v1.deployments.apps': schema('apps', 'deployments'),
};
const FOUND = lookup({ 'root:org:ws kubernetes': KUBERNETES }, SCHEMAS);
const spec: SyncTarget['spec'] = { supportedAPIExports: [{ export: 'kubernetes' }] };
const SERVICES = { group: '', resource: 'services', versions: ['v1'], identityHash: 'hash', state: 'Pending' } as const;
const DEPLOYMENTS = { group: 'apps', resource: 'deployments', versions: ['v1'], identityHash: 'hash', state: 'Pending' } as const;
const listed = (target: SyncTarget, found: ExportLookup) => syncedResourcesPatch(target, found)?.status?.syncedResources;

describe('the resources that a SyncTarget may sync', () => {
  test('are those of the exports that it supports, sorted by group and name, and pending', () => {
    expect(syncedResourcesPatch(syncTarget({ spec }), FOUND)).toEqual({
      metadata: { uid: 'uid-of-us-west1', resourceVersion: '7' },
      status: { syncedResources: [SERVICES, DEPLOYMENTS] },
    });
  });

  test('are those of exports of the older version, too', () => {
    const kubernetes = exported('root:org:ws', 'hash', { latestResourceSchemas: ['v1.services.core'] });
    expect(listed(syncTarget({ spec }), lookup({ 'root:org:ws kubernetes': kubernetes }, SCHEMAS))).toEqual([SERVICES]);
  });

  test('are found in the workspace that is named, with their schemas in its logical cluster', () => {
    const compute = exported('2x8f', 'hash', { resources: [{ schema: 'v1.services.core' }] });
    const found = lookup({ 'root:compute kubernetes': compute }, { '2x8f v1.services.core': schema('', 'services') });
    const target = syncTarget({ spec: { supportedAPIExports: [{ path: 'root:compute', export: 'kubernetes' }] } });
    expect(listed(target, found)).toEqual([SERVICES]);
  });

  test('are left out with an export or a schema that is not there', () => {
    expect(syncedResourcesPatch(syncTarget({ spec }), lookup({}, SCHEMAS))).toBeUndefined();
    const some = lookup({ 'root:org:ws kubernetes': KUBERNETES }, { 'root:org:ws v1.services.core': schema('', 'services') });
    expect(
      listed(syncTarget({ spec: { supportedAPIExports: [{ export: 'missing' }, { export: 'kubernetes' }] } }), some),
    ).toEqual([SERVICES]);
  });

  test('keep the state that the syncer has reported, as long as they are the same', () => {
    const status: SyncTarget['status'] = {
      syncedResources: [
        { ...DEPLOYMENTS, state: 'Accepted', versions: ['v1beta1'] },
        { ...SERVICES, state: 'Incompatible', identityHash: 'another' },
        { ...SERVICES, state: 'Accepted', resource: 'gone' },
      ],
    };
    expect(listed(syncTarget({ spec, status }), FOUND)).toEqual([SERVICES, { ...DEPLOYMENTS, state: 'Accepted' }]);
  });

  test('have all versions that are served, by priority', () => {
    const served = ['v1beta1', 'v2', 'v1', 'v10'];
    const schemas = { ...SCHEMAS, 'root:org:ws v1.services.core': schema('', 'services', [...served, 'v1alpha1'], served) };
    const found = lookup({ 'root:org:ws kubernetes': KUBERNETES }, schemas);
    expect(listed(syncTarget({ spec }), found)).toEqual([{ ...SERVICES, versions: ['v10', 'v2', 'v1', 'v1beta1'] }, DEPLOYMENTS]);
  });

  test('are those with a version that is served', () => {
    const found = lookup(
      { 'root:org:ws kubernetes': KUBERNETES },
      { 'root:org:ws v1.services.core': schema('', 'services', ['v1'], []) },
    );
    expect(syncedResourcesPatch(syncTarget({ spec }), found)).toBeUndefined();
  });

  test('of the same name are one for each identity, and each once', () => {
    const exports = {
      'root:org:ws kubernetes': KUBERNETES,
      'root:org:ws again': KUBERNETES,
      'root:org:ws other': exported('root:org:ws', 'a', { resources: [{ schema: 'v1.services.core' }] }),
    };
    const supportedAPIExports = [{ export: 'kubernetes' }, { export: 'again' }, { export: 'other' }];
    const resources = listed(syncTarget({ spec: { supportedAPIExports } }), lookup(exports, SCHEMAS));
    expect(resources).toEqual([{ ...SERVICES, identityHash: 'a' }, SERVICES, DEPLOYMENTS]);
  });

  test('go with their export', () => {
    const target = syncTarget({ spec: { supportedAPIExports: [] }, status: { syncedResources: [SERVICES] } });
    expect(listed(target, FOUND)).toEqual([]);
  });

  test('are written once', () => {
    const status = { syncedResources: [SERVICES, { ...DEPLOYMENTS, state: 'Accepted' as const }] };
    expect(syncedResourcesPatch(syncTarget({ spec, status }), FOUND)).toBeUndefined();
  });
});
