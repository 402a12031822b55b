import { describe, expect, test } from '@jest/globals';
import { type ApiSet, apiSetOf } from './api-set.ts';
import { type ExportParts, exportAt, type SchemaParts, schemaAt, sourcesOf } from './apiexport.fixture.ts';

const CLAIMS = [
  { resource: 'configmaps', verbs: ['get'] },
  { group: 'wild.west', resource: 'sheriffs', identityHash: 'other' },
];

interface World {
  readonly parts?: ExportParts;
  readonly cowboys?: SchemaParts;
  readonly sheriffs?: SchemaParts;
}

/** Of objects that are all new, as after a list. */
function setOf({ parts = {}, cowboys = {}, sheriffs = {} }: World = {}, previous?: ApiSet): ApiSet {
  const exported = exportAt('provider/cowboys.dev', { schemas: ['c'], claims: CLAIMS, ...parts });
  const lender = exportAt('lender/x', { identity: 'other', schemas: ['s'] });
  const schemas = [schemaAt('provider/c', 'cowboys.dev', cowboys), schemaAt('lender/s', 'sheriffs.wild.west', sheriffs)];
  const set = apiSetOf(exported, sourcesOf([exported, lender], schemas), previous);
  if (set === undefined) throw new Error('the export has no API set');
  return set;
}

/** The definitions that are other objects than before, or new. */
function changedBy(world: World): string[] {
  const before = setOf();
  return [...setOf(world, before).definitions].filter(([key, one]) => before.definitions.get(key) !== one).map(([key]) => key);
}

describe('an API set that is computed anew', () => {
  // An open watch ends when its definition is another object: a relist of the cache must not end every watch.
  test('has the same definitions when nothing has changed', () => {
    expect(changedBy({})).toEqual([]);
  });

  test('has the same definitions when only verbs of claims change, which bindings decide about', () => {
    expect(changedBy({ parts: { claims: [{ resource: 'configmaps', verbs: ['*'] }, ...CLAIMS.slice(1)] } })).toEqual([]);
  });

  test('has the same definitions when claims come in another order', () => {
    expect(changedBy({ parts: { claims: [...CLAIMS].reverse() } })).toEqual([]);
  });

  test.each([
    ['its uid', { uid: 'another' }],
    ['its fields', { versions: [{ schema: { type: 'object' } }] }],
    ['its kind', { kind: 'Rider' }],
    ['its scope', { scope: 'Cluster' as const }],
  ])('has another definition of what a schema describes when the schema changes in %s', (_, cowboys) => {
    expect(changedBy({ cowboys })).toEqual(['dev/v1/cowboys']);
  });

  test('has another definition of what is claimed from an export when the schema of that changes', () => {
    expect(changedBy({ sheriffs: { uid: 'another' } })).toEqual(['wild.west/v1/sheriffs']);
  });

  test('has another definition of what it exports when the identity of the export changes', () => {
    expect(changedBy({ parts: { identity: 'rotated' } })).toEqual(['dev/v1/cowboys']);
  });

  // The schema and the identity are the same: kcp, which compares only these, goes on with the label of the claim.
  test('has another definition when a resource that it claimed from an export of its own identity becomes exported', () => {
    const twin = exportAt('provider/twin', { schemas: ['s'] });
    const claims = [{ group: 'wild.west', resource: 'sheriffs', identityHash: 'own-identity' }];
    const sources = sourcesOf([twin], [schemaAt('provider/s', 'sheriffs.wild.west')]);
    const claiming = apiSetOf(exportAt('provider/cowboys.dev', { claims }), sources);
    const exporting = apiSetOf(exportAt('provider/cowboys.dev', { schemas: ['s'] }), sources, claiming);
    const definitionIn = (set: ApiSet | undefined) => set?.definitions.get('wild.west/v1/sheriffs');
    expect(definitionIn(claiming)).toHaveProperty('select');
    expect(definitionIn(exporting)).toMatchObject({ identity: 'own-identity' });
    expect(definitionIn(exporting)).not.toHaveProperty('select');
  });

  test('has other definitions of the bindings when these become claimed', () => {
    const claims = [...CLAIMS, { group: 'apis.kcp.io', resource: 'apibindings' }];
    expect(changedBy({ parts: { claims } })).toEqual(['apis.kcp.io/v1alpha1/apibindings', 'apis.kcp.io/v1alpha2/apibindings']);
  });

  test('does not take over what is gone', () => {
    const after = setOf({ parts: { claims: [] } }, setOf());
    expect([...after.definitions.keys()]).toEqual([
      'apis.kcp.io/v1alpha1/apibindings',
      'apis.kcp.io/v1alpha2/apibindings',
      'dev/v1/cowboys',
    ]);
  });
});

// Discovery and OpenAPI documents are made once for each array.
describe('the array that documents are made of', () => {
  const exported = exportAt('provider/cowboys.dev', { schemas: ['c'], claims: CLAIMS });
  const schema = schemaAt('provider/c', 'cowboys.dev', { versions: [{ schema: { type: 'object' } }] });

  test('stays while nothing of it changes', () => {
    const before = apiSetOf(exported, sourcesOf([exported], [schema]));
    const after = apiSetOf(
      exportAt('provider/cowboys.dev', { schemas: ['c'], claims: [...CLAIMS].reverse() }),
      sourcesOf([], [schema]),
      before,
    );
    expect(after?.apis).toBe(before?.apis);
    expect(Object.isFrozen(before?.apis)).toBe(true);
  });

  test('is another one when a resource is added, goes, or is described by another schema', () => {
    const before = apiSetOf(exported, sourcesOf([exported], [schema]));
    const more = exportAt('provider/cowboys.dev', { schemas: ['c'], claims: [...CLAIMS, { resource: 'secrets' }] });
    const less = exportAt('provider/cowboys.dev', { schemas: ['c'] });
    const other = schemaAt('provider/c', 'cowboys.dev', { versions: [{ schema: { type: 'object', description: 'new' } }] });
    expect(apiSetOf(more, sourcesOf([], [schema]), before)?.apis).not.toBe(before?.apis);
    expect(apiSetOf(less, sourcesOf([], [schema]), before)?.apis).not.toBe(before?.apis);
    expect(apiSetOf(exported, sourcesOf([], [other]), before)?.apis).not.toBe(before?.apis);
  });

  test('is another one when the shard comes to describe a resource of Kubernetes', () => {
    const before = apiSetOf(exported, sourcesOf([exported], [schema]));
    const described = { ...sourcesOf([exported], [schema]), openapi: () => ({ paths: {}, components: {} }) };
    const after = apiSetOf(exported, described, before);
    expect(after?.apis).not.toBe(before?.apis);
    expect(after?.definitions).toEqual(before?.definitions);
  });
});
