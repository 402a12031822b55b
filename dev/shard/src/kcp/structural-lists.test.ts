import { describe, expect, test } from '@jest/globals';
import { duplicateCauses } from './structural-lists.ts';
import type { StructuralSchema } from './structural-schema.ts';

const listOf = (type: string, ...keys: string[]): StructuralSchema => ({
  ...{ type: 'array', 'x-kubernetes-list-type': type },
  ...(keys.length > 0 && { 'x-kubernetes-list-map-keys': keys }),
  items: { type: 'object', properties: { inner: { type: 'array', 'x-kubernetes-list-type': 'set' } } },
});

const SCHEMA: StructuralSchema = {
  properties: {
    status: {
      properties: {
        conditions: listOf('map', 'type'),
        ports: listOf('map', 'port', 'name'),
        tags: listOf('set'),
        steps: listOf('atomic'),
        byName: { additionalProperties: listOf('set') },
      },
    },
  },
};

const causes = (status: object): string[] =>
  duplicateCauses(SCHEMA, { status }).map(({ field, message }) => `${field}: ${message}`);

describe('a list whose entries must differ', () => {
  test.each([
    [{ conditions: [{ type: 'A', status: 'True' }, { type: 'A' }] }, 'status.conditions[1]: Duplicate value: {"type":"A"}'],
    [
      { ports: [{ port: 1, name: 'a' }, { port: 1 }, { name: 'a', port: 1 }] },
      'status.ports[2]: Duplicate value: {"name":"a","port":1}',
    ],
    [{ tags: ['a', 'b', 'b', 'b'] }, 'status.tags[2]: Duplicate value: "b"'],
    [
      {
        tags: [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      },
      'status.tags[1]: Duplicate value: {"a":1,"b":2}',
    ],
    [{ byName: { x: ['a', 'a'] } }, 'status.byName[x][1]: Duplicate value: "a"'],
    [{ steps: [{ inner: ['a', 'a'] }] }, 'status.steps[0].inner[1]: Duplicate value: "a"'],
  ])('says of %j which is there twice', (status, message) => {
    expect(causes(status)).toEqual([message]);
  });

  test('may have what differs, and any other list everything', () => {
    expect(causes({ conditions: [{ type: 'A' }, { type: 'B' }, {}], tags: ['a', 1, '1'], steps: ['a', 'a'] })).toEqual([]);
  });
});
