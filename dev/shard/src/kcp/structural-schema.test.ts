import { describe, expect, test } from '@jest/globals';
import { type StructuralSchema, schemaCauses } from './structural-schema.ts';
import { structured, unknownFields } from './structural-values.ts';

const SCHEMA: StructuralSchema = {
  type: 'object',
  properties: {
    metadata: { type: 'object' },
    spec: {
      type: 'object',
      required: ['intent'],
      properties: {
        intent: { type: 'string', pattern: '^[a-z]+$' },
        mode: { type: 'string', enum: ['a', 'b'], default: 'a' },
        replicas: { type: 'integer', minimum: 1 },
        tags: { type: 'array', items: { type: 'string' } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
      },
    },
  },
};

const messages = (spec: unknown): string[] =>
  schemaCauses(SCHEMA, { apiVersion: 'a/v1', kind: 'A', metadata: { name: 'x' }, spec }).map(
    ({ field, message }) => `${field}: ${message}`,
  );

describe('a structural schema', () => {
  // The texts are recorded from kcp v0.32.3.
  test.each([
    [{}, 'spec.intent: Required value'],
    [{ intent: 3 }, 'spec.intent: Invalid value: "integer": spec.intent in body must be of type string: "integer"'],
    [{ intent: 'ABC' }, `spec.intent: Invalid value: "ABC": spec.intent in body should match '^[a-z]+$'`],
    [{ intent: 'a', mode: 'c' }, 'spec.mode: Unsupported value: "c": supported values: "a", "b"'],
    [{ intent: 'a', replicas: 0 }, 'spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1'],
    [
      { intent: 'a', tags: [1] },
      'spec.tags[0]: Invalid value: "integer": spec.tags[0] in body must be of type string: "integer"',
    ],
    [3, 'spec: Invalid value: "integer": spec in body must be of type object: "integer"'],
  ])('refuses %j as Kubernetes does', (spec, message) => {
    expect(messages(spec)).toEqual([message]);
  });

  test('counts characters, entries, and what is in the name', () => {
    const text = { type: 'string', maxLength: 2 };
    const schema: StructuralSchema = {
      type: 'object',
      properties: {
        metadata: { type: 'object', properties: { name: text } },
        spec: { type: 'object', properties: { text, list: { type: 'array', items: text, maxItems: 1 } } },
      },
    };
    const causes = schemaCauses(schema, { metadata: { name: 'abc', uid: 3 }, spec: { text: 'abc', list: ['a', 'b'] } });
    expect(causes).toEqual([
      { reason: 'FieldValueTooLong', field: 'metadata.name', message: 'Too long: may not be more than 2 bytes' },
      { reason: 'FieldValueTooLong', field: 'spec.text', message: 'Too long: may not be more than 2 bytes' },
      { reason: 'FieldValueTooMany', field: 'spec.list', message: 'Too many: 2: must have at most 1 item' },
    ]);
  });

  test('has nothing against what it allows', () => {
    expect(messages({ intent: 'a', mode: 'b', replicas: 2, tags: ['x'], free: { a: 1 }, labels: { a: 'b' } })).toEqual([]);
  });

  test('drops unknown fields, but where they are kept, and puts defaults in', () => {
    const spec = { intent: 'a', extra: 1, free: { any: { thing: 1 } }, labels: { a: 'b' } };
    expect(unknownFields(SCHEMA, { metadata: { name: 'x' }, spec, other: 1 })).toEqual(['other', 'spec.extra']);
    expect(structured(SCHEMA, { metadata: { name: 'x' }, spec, other: 1 })).toEqual({
      metadata: { name: 'x' },
      spec: { intent: 'a', mode: 'a', free: { any: { thing: 1 } }, labels: { a: 'b' } },
    });
  });
});
