import { describe, expect, test } from '@jest/globals';
import { StatusError } from './errors.ts';
import { INITIAL_EVENTS_END } from './objects.ts';
import { parseIncludeObject, type TableColumn, toTable } from './table.ts';

const NOW = Date.parse('2026-01-02T00:00:00Z');
const column = (name: string, type: TableColumn['type'], jsonPath: string): TableColumn => ({
  name,
  type,
  jsonPath,
  description: '',
  priority: 0,
});
const PHASE = column('Phase', 'string', '.status.phase');
const AGE = column('Age', 'date', '.metadata.creationTimestamp');
const cluster = {
  apiVersion: 'core.kcp.io/v1alpha1',
  kind: 'LogicalCluster',
  metadata: { name: 'cluster', creationTimestamp: '2026-01-01T00:00:00Z' },
  status: { phase: 'Ready' },
};

describe('a table', () => {
  test('has a row of cells per object, the name first', () => {
    const table = toTable([cluster], [PHASE, { ...AGE, priority: 1, format: 'x', description: 'How old.' }], {
      now: NOW,
      resourceVersion: '5',
      continue: 'c',
    });
    expect(table).toEqual({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '5', continue: 'c' },
      columnDefinitions: [
        { name: 'Name', type: 'string', format: 'name', description: expect.stringMatching(/^Name must be unique/), priority: 0 },
        {
          name: 'Phase',
          type: 'string',
          format: '',
          description: 'Custom resource definition column (in JSONPath format): .status.phase',
          priority: 0,
        },
        { name: 'Age', type: 'date', format: 'x', description: 'How old.', priority: 1 },
      ],
      rows: [
        {
          cells: ['cluster', 'Ready', '24h'],
          object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: cluster.metadata },
        },
      ],
    });
  });

  test('takes a first column of format name for the name', () => {
    const named: TableColumn = { ...column('Workspace', 'string', '.metadata.name'), format: 'name' };
    expect(toTable([cluster], [named], { now: NOW }).rows[0]?.cells).toEqual(['cluster']);
  });

  test('of a later watch event has no column definitions', () => {
    expect(toTable([cluster], [PHASE], { now: NOW, headers: false }).columnDefinitions).toBeNull();
  });

  test('carries of the objects what was asked for', () => {
    const object = (includeObject: 'None' | 'Object') => toTable([cluster], [], { now: NOW, includeObject }).rows[0]?.object;
    expect(object('None')).toBeNull();
    expect(object('Object')).toBe(cluster);
    expect(toTable([cluster], [], { now: NOW, version: 'v1beta1' })).toMatchObject({
      apiVersion: 'meta.k8s.io/v1beta1',
      rows: [{ object: { apiVersion: 'meta.k8s.io/v1beta1' } }],
    });
  });

  test('always carries the annotation that ends the initial events of a watch', () => {
    const bookmark = { metadata: { annotations: { [INITIAL_EVENTS_END]: 'true' } } };
    const table = toTable([bookmark], [], { now: NOW, includeObject: 'None' });
    expect(table.rows[0]?.object).toMatchObject({ metadata: bookmark.metadata });
  });
});

test.each<[TableColumn['type'], unknown, unknown]>([
  ['string', undefined, null],
  ['string', null, '<no value>'],
  ['string', '', ''],
  ['string', 5, '5'],
  ['string', true, 'true'],
  ['string', { b: 1, a: [{ d: 1, c: 2 }] }, '{"a":[{"c":2,"d":1}],"b":1}'],
  ['integer', 5, 5],
  ['integer', 5.7, 5],
  ['integer', '5', null],
  ['number', 5.5, 5.5],
  ['number', null, null],
  ['boolean', false, false],
  ['boolean', 'false', null],
  ['date', '2026-01-01T23:59:00Z', '60s'],
  ['date', '', '<unknown>'],
  ['date', 'x', '<invalid>'],
  ['date', undefined, null],
  ['date', 5, null],
])('a cell of type %s shows %j as %j', (type, value, cell) => {
  const table = toTable([{ spec: { value } }], [column('X', type, '.spec.value')], { now: NOW });
  expect(table.rows[0]?.cells[1]).toEqual(cell);
});

test('a path that cannot be read leaves its cells null', () => {
  expect(toTable([cluster], [column('X', 'string', 'nonsense')], { now: NOW }).rows[0]?.cells).toEqual(['cluster', null]);
});

test('includeObject is None, Metadata, Object or absent', () => {
  expect([null, '', 'None', 'Metadata', 'Object'].map(parseIncludeObject)).toEqual([
    'Metadata',
    'Metadata',
    'None',
    'Metadata',
    'Object',
  ]);
  expect(() => parseIncludeObject('none')).toThrow(
    new StatusError(
      'BadRequest',
      "Unable to convert to Table as requested: includeObject: Invalid value: \"none\": must be 'Metadata', 'Object', 'None', or empty",
    ),
  );
});
