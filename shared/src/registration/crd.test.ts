import { describe, expect, test } from '@jest/globals';
import { isOrigin } from '../config/origin.ts';
import { CUSTOM_RESOURCE_DEFINITION, LONGEST_VIEW_NAME, VIEW_NAME } from './crd.ts';
import { ENDPOINT_SCHEMA } from './crd-status.ts';
import { namespaceOf } from './virtual-workspace.ts';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly [extension: `x-kubernetes-${string}`]: unknown;
}

const spec = CUSTOM_RESOURCE_DEFINITION.spec as {
  scope: string;
  versions: { name: string; subresources: object; schema: { openAPIV3Schema: Schema } }[];
};
const [version] = spec.versions;
const schema = version?.schema.openAPIV3Schema ?? {};
const at = (...path: string[]): Schema =>
  path.reduce<Schema>((found, field) => found.properties?.[field] ?? found.items ?? {}, schema);

function* all(found: Schema, path: string): Generator<readonly [string, Schema]> {
  yield [path, found];
  for (const [name, property] of Object.entries(found.properties ?? {})) yield* all(property, `${path}.${name}`);
  if (found.items !== undefined) yield* all(found.items, `${path}[]`);
}

describe('the definition of VirtualWorkspace', () => {
  test('is called as Kubernetes wants it, and its status is apart', () => {
    expect(CUSTOM_RESOURCE_DEFINITION.metadata?.name).toBe('virtualworkspaces.virtualworkspaces.kcp.io');
    expect(spec.scope).toBe('Cluster');
    expect(version).toMatchObject({ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} } });
  });

  test('ties the path to the name and never lets it change', () => {
    expect(schema['x-kubernetes-validations']).toEqual([
      expect.objectContaining({ rule: "self.spec.path == '/services/' + self.metadata.name" }),
    ]);
    expect(at('spec', 'path')['x-kubernetes-validations']).toEqual([expect.objectContaining({ rule: 'self == oldSelf' })]);
  });

  test('has endpoints and conditions that several may own entries of', () => {
    const listOf = (found: Schema) => [found['x-kubernetes-list-type'], found['x-kubernetes-list-map-keys'], found.maxItems];
    expect(listOf(at('status', 'endpoints'))).toEqual(['map', ['instance'], 1000]);
    expect(listOf(at('status', 'conditions'))).toEqual(['map', ['type'], 20]);
    expect(at('status', 'endpoints').items?.required).toContain('instance');
    expect(at('status', 'conditions').items?.required).toContain('type');
  });

  test('bounds every text and every list, and explains every field of its own', () => {
    const { metadata: _, apiVersion: _version, kind: _kind, ...own } = schema.properties ?? {};
    const unbounded = Object.entries(own)
      .flatMap(([name, property]) => [...all(property, name)])
      .filter(([, { type, maxLength, maxItems, enum: values, format }]) =>
        type === 'string' ? !(maxLength || values || format === 'date-time') : type === 'array' && !maxItems,
      );
    expect(unbounded).toEqual([]);
    const unexplained = Object.entries(own)
      .flatMap(([name, property]) => [...all(property, name)])
      .filter(([path, { description }]) => !description && !/\[\]$|serviceAccounts/.test(path));
    expect(unexplained).toEqual([]);
  });

  test('admits names that make a namespace', () => {
    expect(namespaceOf('x'.repeat(LONGEST_VIEW_NAME))).toHaveLength(63);
    const isName = (name: string): boolean => new RegExp(VIEW_NAME).test(name);
    expect(['team-notes', 'a', 'a1'].every(isName)).toBe(true);
    expect(['', '-a', 'a-', 'A', 'a.b', 'a/b', 'a\nb'].some(isName)).toBe(false);
  });

  test.each([
    ['https://vw.example:7444', true],
    ['https://vw.example:7444/', true],
    ['https://[2001:db8::1]:7444', true],
    ['http://vw.example', false],
    ['https://', false],
    ['https://vw.example/services', false],
    ['https://vw.example//', false],
    ['https://user@vw.example', false],
    ['https://vw.example?x', false],
    ['https://vw.example#x', false],
    ['https://vw.example\\x', false],
    ['https://vw.example\t', false],
    ['https://vw.example\n', false],
    [' https://vw.example', false],
  ])('takes for an endpoint what is taken for an address elsewhere: %j', (url, good) => {
    expect([new RegExp(ENDPOINT_SCHEMA.properties.url.pattern).test(url), isOrigin(url)]).toEqual([good, good]);
  });
});
