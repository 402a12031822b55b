import { describe, expect, test } from '@jest/globals';
import { convertApiBinding } from './api-binding-conversion.ts';
import { convertApiExport } from './api-export-conversion.ts';

const OLD = 'apis.kcp.io/v1alpha1';
const NEW = 'apis.kcp.io/v1alpha2';
const EVERYTHING = { group: '', identityHash: '', resource: 'configmaps', verbs: ['*'] };
const PRODUCTION = { matchLabels: { env: 'prod' } };

describe('an APIExport', () => {
  const current = {
    apiVersion: NEW,
    kind: 'APIExport',
    metadata: { name: 'today-cowboys', annotations: {} },
    spec: {
      resources: [{ group: 'wildwest.dev', name: 'cowboys', schema: 'today.cowboys.wildwest.dev', storage: { crd: {} } }],
      permissionClaims: [
        EVERYTHING,
        { group: '', identityHash: '', resource: 'secrets', verbs: ['get', 'list'], defaultSelector: PRODUCTION },
      ],
    },
  };

  test('is shown in v1alpha1 as kcp shows it', () => {
    expect(convertApiExport(current, OLD)).toEqual({
      apiVersion: OLD,
      kind: 'APIExport',
      metadata: {
        name: 'today-cowboys',
        annotations: {
          'apis.v1alpha2.kcp.io/permission-claims':
            '[{"resource":"secrets","verbs":["get","list"],"defaultSelector":{"matchLabels":{"env":"prod"}}}]',
        },
      },
      spec: {
        latestResourceSchemas: ['today.cowboys.wildwest.dev'],
        permissionClaims: [{ resource: 'configmaps' }, { resource: 'secrets' }],
      },
    });
  });

  test('loses nothing on the way to v1alpha1 and back', () => {
    const { spec } = convertApiExport(convertApiExport(current, OLD), NEW);
    expect(spec).toEqual(current.spec);
  });
});

describe('an APIBinding', () => {
  test('of v1alpha1 becomes one that selects everything', () => {
    const claims = [
      { resource: 'configmaps', all: true, state: 'Accepted' },
      { resource: 'secrets', resourceSelector: [{ name: 'a', namespace: 'b' }], state: 'Rejected' },
    ];
    const old = { apiVersion: OLD, kind: 'APIBinding', metadata: { name: 'old' }, spec: { permissionClaims: claims } };
    const converted = convertApiBinding(old, NEW);
    expect(converted).toEqual({
      apiVersion: NEW,
      kind: 'APIBinding',
      metadata: {
        name: 'old',
        annotations: {
          'apis.v1alpha2.kcp.io/v1alpha1-permission-claims':
            '[{"resource":"secrets","resourceSelector":[{"name":"a","namespace":"b"}],"state":"Rejected"}]',
        },
      },
      spec: {
        permissionClaims: [
          { ...EVERYTHING, selector: { matchAll: true }, state: 'Accepted' },
          { ...EVERYTHING, resource: 'secrets', selector: { matchAll: true }, state: 'Rejected' },
        ],
      },
    });
    expect(convertApiBinding(converted, OLD)).toMatchObject({ spec: { permissionClaims: claims } });
  });

  test('loses nothing on the way to v1alpha1 and back', () => {
    const applied = { group: '', identityHash: '', resource: 'secrets', verbs: ['get'], selector: PRODUCTION };
    const current = {
      apiVersion: NEW,
      kind: 'APIBinding',
      metadata: { name: 'cowboys' },
      spec: { permissionClaims: [{ ...applied, state: 'Accepted' }] },
      status: { phase: 'Bound', exportPermissionClaims: [EVERYTHING], appliedPermissionClaims: [applied] },
    };
    expect(convertApiBinding(convertApiBinding(current, OLD), NEW)).toMatchObject({ spec: current.spec, status: current.status });
  });
});
