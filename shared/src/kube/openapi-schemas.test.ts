import { describe, expect, test } from '@jest/globals';
import { customResourceSchema, type Schema } from './openapi-schemas.ts';

const COWBOY = { group: 'wildwest.dev', version: 'v1alpha1', kind: 'Cowboy' };
const META = '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1';
const component = (spec: Schema): Schema =>
  customResourceSchema(COWBOY, { type: 'object', properties: { spec } }) as { properties: { spec: Schema } } & Schema;
const published = (spec: Schema): unknown => (component(spec) as { properties: { spec: Schema } }).properties.spec;

describe('the component of a custom resource', () => {
  test('has the fields of its schema, and those of every object', () => {
    const schema = { type: 'object', description: 'Rides.', required: ['spec'], properties: { spec: { type: 'string' } } };
    expect(customResourceSchema(COWBOY, schema)).toMatchObject({
      type: 'object',
      description: 'Rides.',
      required: ['spec'],
      properties: {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        metadata: { allOf: [{ $ref: `${META}.ObjectMeta` }] },
        spec: { type: 'string' },
      },
      'x-kubernetes-group-version-kind': [COWBOY],
    });
  });

  test('has metadata that is ObjectMeta, whatever the schema says of it', () => {
    const schema = { type: 'object', properties: { metadata: { type: 'object' }, kind: { type: 'string', maxLength: 3 } } };
    const { properties } = customResourceSchema(COWBOY, schema) as { properties: Record<string, Schema> };
    expect(properties.metadata).not.toHaveProperty('type');
    expect(properties.kind).not.toHaveProperty('maxLength');
  });

  test.each([{}, { 'x-kubernetes-preserve-unknown-fields': true }])('is opaque for %j, which is no structural schema', schema => {
    const opaque = customResourceSchema(COWBOY, schema);
    expect(opaque).toMatchObject({ type: 'object', 'x-kubernetes-group-version-kind': [COWBOY] });
    expect(opaque).not.toHaveProperty('properties');
  });

  test('does not change the schema that it is made of', () => {
    const schema = Object.freeze({
      type: 'object',
      properties: Object.freeze({ port: Object.freeze({ 'x-kubernetes-int-or-string': true }) }),
    });
    expect(customResourceSchema(COWBOY, schema)).toBeDefined();
    expect(schema.properties.port).toEqual({ 'x-kubernetes-int-or-string': true });
  });
});

// As kcp v0.32.3 publishes the same CRD.
describe('a schema is published', () => {
  const EITHER = { anyOf: [{ type: 'integer' }, { type: 'string' }] };

  test('with its validations, defaults and extensions as they are', () => {
    const spec = {
      ...{ type: 'string', nullable: true, default: 'x', maxLength: 20, enum: ['x', 'y'], format: 'byte' },
      'x-kubernetes-validations': [{ rule: 'self != ""', message: 'empty' }],
    };
    expect(published(spec)).toEqual(spec);
  });

  test('with what int-or-string means, once', () => {
    const intOrString = { 'x-kubernetes-int-or-string': true };
    expect(published(intOrString)).toEqual({ ...intOrString, ...EITHER });
    expect(published({ ...intOrString, ...EITHER })).toEqual({ ...intOrString, ...EITHER });
    const all = { ...intOrString, allOf: [EITHER, { maxLength: 3 }] };
    expect(published(all)).toEqual(all);
    expect(published({ ...intOrString, anyOf: [{ maxLength: 3 }] })).toEqual({
      ...intOrString,
      anyOf: [{ maxLength: 3 }],
      allOf: [EITHER],
    });
  });

  test('with the merge key of a list that is a map', () => {
    const list = { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name', 'port'] };
    expect(published({ ...list, items: { type: 'object' } })).toEqual({
      ...list,
      items: { type: 'object' },
      'x-kubernetes-patch-merge-key': 'name',
    });
  });

  test('with the metadata of an object within it, at any depth', () => {
    const resource = { type: 'object', 'x-kubernetes-embedded-resource': true, required: ['spec'] };
    const inner = { required: ['spec', 'kind', 'apiVersion'], properties: { kind: { type: 'string' }, metadata: {} } };
    expect(published(resource)).toMatchObject(inner);
    expect(published({ type: 'array', items: resource })).toMatchObject({ items: inner });
    expect(published({ type: 'object', additionalProperties: resource })).toMatchObject({ additionalProperties: inner });
    expect(published({ type: 'object', additionalProperties: true })).toEqual({ type: 'object', additionalProperties: true });
  });

  test('with properties that are called like keywords, or that JavaScript knows', () => {
    const properties = Object.fromEntries(['items', 'properties', '__proto__'].map(name => [name, { type: 'string' }]));
    expect(Object.entries((published({ type: 'object', properties }) as { properties: object }).properties)).toEqual(
      Object.entries(properties),
    );
  });

  test('with a default that looks like a schema as it is', () => {
    const spec = { type: 'object', default: { properties: { a: { 'x-kubernetes-int-or-string': true } } } };
    expect(published(spec)).toEqual(spec);
  });
});
