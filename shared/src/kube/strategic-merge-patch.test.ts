import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Fields } from './merge-patch.ts';
import { strategicMergePatch } from './strategic-merge-patch.ts';
import { type MapSchema, strategicSchema } from './strategic-merge-patch-schemas.ts';

const schemaOf = (resource: string): MapSchema => strategicSchema({ group: '', resource, version: 'v1' }) ?? {};
const merged = (resource: string, target: Fields, patch: Fields): Fields =>
  strategicMergePatch(target, patch, schemaOf(resource));
const withSecrets = (...names: readonly string[]): Fields => ({ secrets: names.map(name => ({ name })) });
const secretsOf = (object: Fields): string[] => (object.secrets as { name: string }[]).map(({ name }) => name);

// What is expected here is what Go's `strategicpatch.StrategicMergePatch` makes of the same.
describe('a strategic merge patch', () => {
  test.each<[string, string, Fields, Fields, Fields]>([
    ['merges maps', 'configmaps', { data: { a: '1', b: '2' } }, { data: { b: null, c: '3' } }, { data: { a: '1', c: '3' } }],
    ['takes null for nothing where there was nothing', 'configmaps', {}, { data: { a: null, b: '1' } }, { data: { b: '1' } }],
    [
      'replaces a map that says so',
      'configmaps',
      { data: { a: '1' } },
      { data: { $patch: 'replace', b: '2' } },
      { data: { b: '2' } },
    ],
    ['empties a map that says so', 'configmaps', { data: { a: '1' } }, { data: { $patch: 'delete' } }, { data: {} }],
    ['makes nothing of a directive for what is not there', 'configmaps', {}, { data: { $patch: 'replace', a: '1' } }, {}],
    [
      'keeps of a map what is to be retained',
      'configmaps',
      { data: { a: '1', b: '2' } },
      { data: { $retainKeys: ['b', 'c'], c: '3' } },
      { data: { b: '2', c: '3' } },
    ],
    [
      'adds finalizers to those that are there, in its own order',
      'secrets',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { finalizers: ['c', 'a'] } },
      { metadata: { finalizers: ['c', 'a', 'b'] } },
    ],
    [
      'removes finalizers by name',
      'secrets',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } },
      { metadata: { finalizers: ['b'] } },
    ],
    [
      'merges owners by their uid',
      'secrets',
      { metadata: { ownerReferences: [{ uid: '1', name: 'a' }, { uid: '2' }] } },
      { metadata: { ownerReferences: [{ uid: '2', name: 'b' }] } },
      {
        metadata: {
          ownerReferences: [
            { uid: '1', name: 'a' },
            { uid: '2', name: 'b' },
          ],
        },
      },
    ],
    [
      'merges conditions of a namespace by their type',
      'namespaces',
      { status: { conditions: [{ type: 'A', status: 'True', reason: 'x' }] } },
      { status: { conditions: [{ type: 'A', status: 'False', reason: null }] } },
      { status: { conditions: [{ type: 'A', status: 'False' }] } },
    ],
    [
      'replaces lists whose type says nothing',
      'namespaces',
      { spec: { finalizers: ['a'] }, metadata: { managedFields: [{ manager: 'a' }] } },
      { spec: { finalizers: ['b'] }, metadata: { managedFields: [{}] } },
      { spec: { finalizers: ['b'] }, metadata: { managedFields: [{}] } },
    ],
    [
      'replaces the imagePullSecrets of a service account',
      'serviceaccounts',
      { imagePullSecrets: [{ name: 'a' }] },
      { imagePullSecrets: [{ name: 'b' }] },
      { imagePullSecrets: [{ name: 'b' }] },
    ],
    [
      'removes items that say so',
      'serviceaccounts',
      withSecrets('a', 'b', 'c'),
      { secrets: [{ name: 'b', $patch: 'delete' }] },
      withSecrets('a', 'c'),
    ],
    [
      'replaces all items where one says so',
      'serviceaccounts',
      withSecrets('a', 'b'),
      { secrets: [{ name: 'c' }, { $patch: 'replace' }] },
      withSecrets('c'),
    ],
    [
      'orders items as it says, with others where they were',
      'serviceaccounts',
      withSecrets('a', 'b', 'x', 'c'),
      { secrets: [{ name: 'd' }], '$setElementOrder/secrets': ['c', 'd', 'a', 'b'].map(name => ({ name })) },
      withSecrets('x', 'c', 'd', 'a', 'b'),
    ],
  ])('%s', (_, resource, target, patch, expected) => {
    const before = JSON.stringify([target, patch]);
    expect(merged(resource, target, patch)).toEqual(expected);
    expect(JSON.stringify([target, patch])).toBe(before);
  });

  test.each<[string, Fields, string]>([
    ['with an item that has no key', { secrets: [{ uid: '1' }] }, 'does not contain declared merge key: name'],
    ['with an item that is no map', { secrets: ['a'] }, 'expected a map'],
    [
      'that says to merge a list',
      { secrets: [{ name: 'a', $patch: 'merge' }] },
      'merging lists cannot yet be specified in the patch',
    ],
    ['of an unknown kind', { $patch: 'other' }, 'unknown patch type: other'],
    ['that changes what it does not retain', { $retainKeys: ['a'], b: 1 }, 'invalid patch format of retainKeys'],
    ['whose order is no list', { '$setElementOrder/secrets': 1 }, 'invalid patch format of setElementOrder list'],
    ['whose order is of no such list', { '$setElementOrder/other': [] }, 'invalid patch format of setElementOrder list'],
    ['whose deletions are no list', { '$deleteFromPrimitiveList/a': 1 }, 'invalid patch format of primitive list'],
    [
      'in another order than it says',
      { secrets: [{ name: 'a' }], '$setElementOrder/secrets': [{ name: 'b' }] },
      "doesn't match $setElementOrder list",
    ],
  ])('%s is refused', (_, patch, message) => {
    expect(() => merged('serviceaccounts', withSecrets('x'), patch)).toThrow(message);
  });

  test('is known of the types of the core group only that are named', () => {
    expect(strategicSchema({ group: '', resource: 'pods', version: 'v1' })).toBeUndefined();
    expect(strategicSchema({ group: 'apps', resource: 'configmaps', version: 'v1' })).toBeUndefined();
    expect(strategicSchema({ group: '', resource: 'constructor', version: 'v1' })).toBeUndefined();
  });
});

const NAMES = fc.uniqueArray(fc.constantFrom<string[]>('a', 'b', 'c', 'd', 'e', 'f'));

test('after a patch with an order, the items named are in that order, and all others are still there', () => {
  fc.assert(
    fc.property(NAMES, NAMES, (before, order) => {
      const patch = { ...withSecrets(...order), '$setElementOrder/secrets': order.map(name => ({ name })) };
      const after = secretsOf(merged('serviceaccounts', withSecrets(...before), patch));
      expect(after.filter(name => order.includes(name))).toEqual(order);
      expect(after.filter(name => !order.includes(name))).toEqual(before.filter(name => !order.includes(name)));
    }),
  );
});

test('a patch that has been applied changes nothing more', () => {
  fc.assert(
    fc.property(NAMES, NAMES, NAMES, (before, added, removed) => {
      const gone = removed.filter(name => !added.includes(name));
      const patch = { secrets: [...added.map(name => ({ name })), ...gone.map(name => ({ name, $patch: 'delete' }))] };
      const once = merged('serviceaccounts', withSecrets(...before), patch);
      expect(merged('serviceaccounts', once, patch)).toEqual(once);
      expect(new Set(secretsOf(once))).toEqual(new Set([...before.filter(name => !gone.includes(name)), ...added]));
    }),
  );
});
