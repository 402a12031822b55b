import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from '../kube/objects.ts';
import type { CollectionEvent } from '../view/collection.ts';
import { createCollection, type MutableCollection } from './collection.ts';
import { thing } from './scripted.fixture.ts';
import { sortKey } from './sort-key.ts';

const definition = { apiVersion: 'example.dev/v1', kind: 'Thing', group: 'example.dev', resource: 'things', columns: [] };
const make = (capacity = 100): MutableCollection => createCollection(definition, { capacity, epoch: 100n });
const listed = (collection: MutableCollection) =>
  collection
    .list()
    .items.map(({ metadata }) => `${metadata?.annotations?.['kcp.io/cluster']}/${metadata?.name}@${metadata?.resourceVersion}`);

describe('collection', () => {
  test('lists its objects with versions of its own, sorted by logical cluster, namespace and name', () => {
    const collection = make();
    collection.set(thing('b', '7', { cluster: 'two' }));
    collection.set(thing('z', '8', { cluster: 'one' }));
    collection.set(thing('a', '9', { cluster: 'two' }));
    expect(listed(collection)).toEqual(['one/z@102', 'two/a@103', 'two/b@101']);
    expect(collection.list()).toMatchObject({
      apiVersion: 'example.dev/v1',
      kind: 'ThingList',
      metadata: { resourceVersion: '103' },
    });
  });

  test('compares part by part: a logical cluster is not mixed up with one whose name begins with its own', () => {
    const collection = make();
    collection.set(thing('a', '1', { cluster: 'x-y' }));
    collection.set(thing('b', '1', { cluster: 'x' }));
    expect(listed(collection)).toEqual(['x/b@102', 'x-y/a@101']);
  });

  test('leaves the object that it is given as it is', () => {
    const object = Object.freeze(thing('a', '7'));
    make().set(object);
    expect(object.metadata?.resourceVersion).toBe('7');
  });

  test('a list does not change once it is given out', () => {
    const collection = make();
    collection.set(thing('a', '1'));
    const before = collection.list();
    collection.set(thing('b', '2'));
    collection.delete(thing('a', '1'));
    expect(before.items.map(object => object.metadata?.name)).toEqual(['a']);
    expect(before.metadata.resourceVersion).toBe('101');
  });

  test('tells changes with the state before', () => {
    const collection = make();
    const events: CollectionEvent[] = [];
    collection.watch(collection.resourceVersion, event => events.push(event));
    collection.set(thing('a', '1', { color: 'red' }));
    collection.set(thing('a', '2', { color: 'blue' }));
    collection.delete(thing('a', '2'));
    expect(
      events.map(({ type, object, previous }) => [type, object.metadata?.resourceVersion, object.color, previous?.color]),
    ).toEqual([
      ['ADDED', '101', 'red', undefined],
      ['MODIFIED', '102', 'blue', 'red'],
      ['DELETED', '103', 'blue', 'blue'],
    ]);
  });

  test('finds an object by name and namespace', () => {
    const collection = make();
    collection.set({ metadata: { name: 'a', namespace: 'x' } });
    expect(collection.get('a', 'x')?.metadata?.name).toBe('a');
    expect(collection.get('a', '')).toBeUndefined();
  });

  test('deleting what is not there tells nothing', () => {
    const collection = make();
    collection.delete(thing('a', '1'));
    expect(collection.resourceVersion).toBe('100');
  });

  test('after any changes lists what a map would hold, and its events replay to the list', () => {
    const change = fc.record({
      remove: fc.boolean(),
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      cluster: fc.constantFrom('x', 'x-y', 'z'),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), changes => {
        const collection = make();
        const replay = new Map<string, KubeObject>();
        collection.watch(collection.resourceVersion, ({ type, object }) => {
          if (type === 'DELETED') replay.delete(sortKey(object));
          else replay.set(sortKey(object), object);
        });
        const names = new Set<string>();
        for (const { remove, name, cluster } of changes) {
          const object = thing(name, '1', { cluster });
          if (remove) collection.delete(object);
          else collection.set(object);
          names[remove ? 'delete' : 'add'](sortKey(object));
          // Lists in between, so that copies are made.
          if (names.size % 2 === 0) collection.list();
        }
        const { items } = collection.list();
        expect(items.map(sortKey)).toEqual([...names].sort());
        expect(items).toEqual([...replay].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object));
        for (const { metadata } of items) expect(collection.get(metadata?.name ?? '', '')).toBeDefined();
      }),
    );
  });
});
