import { describe, expect, test } from '@jest/globals';
import { schemaAt } from './schema-resources.fixture.ts';
import { contentHash, servedVersions } from './schema-resources.ts';

const main = (schema: Parameters<typeof servedVersions>[0]) => servedVersions(schema)[0]?.resources[0];

describe('what discovery shows of a schema', () => {
  test('is every served version, and none that is not served', () => {
    const versions = [{ name: 'v1' }, { name: 'v1beta1', served: false }, { name: 'v2' }];
    expect(servedVersions(schemaAt('c/s', 'cowboys.dev', { versions })).map(one => one.version)).toEqual(['v1', 'v2']);
  });

  test('is the resource with its names, its scope and all eight verbs in order', () => {
    expect(main(schemaAt('c/s', 'cowboys.dev', { scope: 'Cluster' }))).toEqual({
      group: 'dev',
      version: 'v1',
      name: 'cowboys',
      singularName: 'cowboy',
      kind: 'Cowboy',
      namespaced: false,
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: [],
      categories: [],
      storageVersionHash: expect.any(String),
      columns: [],
    });
  });

  // A vector of kcp's: the logical cluster of the schema is part of it.
  test("has kcp's storageVersionHash", () => {
    const schema = schemaAt('logicalClusterName/s', 'customs.custom', { kind: 'CustomResource' });
    expect(main(schema)?.storageVersionHash).toBe('ixY6U/JU9OM=');
  });

  test('has short names and categories', () => {
    const schema = schemaAt('c/s', 'cowboys.dev');
    const names = { plural: 'cowboys', kind: 'Cowboy', shortNames: ['cb'], categories: ['all'] };
    const named = { ...schema, ...(schema.spec && { spec: { ...schema.spec, names } }) };
    expect(main(named)).toMatchObject({ singularName: '', shortNames: ['cb'], categories: ['all'] });
  });

  // kcp's own server lists it once for each version of the schema that has one, in every version.
  test('lists the status of just the versions that have one, once', () => {
    const versions = [{ name: 'v1', subresources: { status: {} } }, { name: 'v2' }];
    const listed = servedVersions(schemaAt('c/s', 'cowboys.dev', { versions })).map(one => one.resources.map(({ name }) => name));
    expect(listed).toEqual([['cowboys', 'cowboys/status'], ['cowboys']]);
  });

  test('lets a status be read, patched and updated only', () => {
    const [version] = servedVersions(schemaAt('c/s', 'cowboys.dev', { versions: [{ subresources: { status: {} } }] }));
    expect(version?.resources[1]).toMatchObject({ kind: 'Cowboy', namespaced: true, verbs: ['get', 'patch', 'update'] });
  });

  test('describes the resource by the schema of its version', () => {
    const fields = { type: 'object' };
    expect(main(schemaAt('c/s', 'cowboys.dev', { versions: [{ schema: fields }] }))?.openapi).toEqual({ schema: fields });
  });

  test('takes a column of a type that Tables do not know for text', () => {
    const columns = [
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', priority: 1 },
      { name: 'Odd', type: 'wild', jsonPath: '.spec.odd' },
    ];
    expect(main(schemaAt('c/s', 'cowboys.dev', { versions: [{ additionalPrinterColumns: columns }] }))?.columns).toEqual([
      { name: 'Age', type: 'date', description: '', priority: 1, jsonPath: '.metadata.creationTimestamp' },
      { name: 'Odd', type: 'string', description: '', priority: 0, jsonPath: '.spec.odd' },
    ]);
  });

  test('is worked out once for a schema', () => {
    const schema = schemaAt('c/s', 'cowboys.dev');
    expect(servedVersions(schema)).toBe(servedVersions(schema));
  });
});

describe('the content hash of a schema', () => {
  test('stays when a schema comes again unchanged, in another object and another resourceVersion', () => {
    expect(contentHash(schemaAt('c/s', 'cowboys.dev'))).toBe(contentHash(schemaAt('c/s', 'cowboys.dev')));
  });

  test.each([
    ['its logical cluster', schemaAt('d/s', 'cowboys.dev', { uid: 'c-s' })],
    ['its name', schemaAt('c/t', 'cowboys.dev', { uid: 'c-s' })],
    ['its uid', schemaAt('c/s', 'cowboys.dev', { uid: 'another' })],
    ['its scope', schemaAt('c/s', 'cowboys.dev', { scope: 'Cluster' })],
    ['its fields', schemaAt('c/s', 'cowboys.dev', { versions: [{ schema: { type: 'object' } }] })],
  ])('changes with %s', (_, changed) => {
    expect(contentHash(changed)).not.toBe(contentHash(schemaAt('c/s', 'cowboys.dev')));
  });
});
