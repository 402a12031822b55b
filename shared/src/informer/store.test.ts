import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../kube/objects.ts';
import { thing } from './scripted.fixture.ts';
import { ObjectStore, storeKey } from './store.ts';

const colors = { color: (object: KubeObject) => (typeof object.color === 'string' ? [object.color] : []) };
const newStore = (): ObjectStore<KubeObject> => new ObjectStore(object => object, colors);
const put = (store: ObjectStore<KubeObject>, object: KubeObject) => store.put(store.entry(object));
const names = (objects: readonly KubeObject[]) => objects.map(object => object.metadata?.name).sort();

describe('object store', () => {
  test('keeps objects of the same name in different logical clusters apart', () => {
    const store = newStore();
    put(store, thing('a', '1', { cluster: 'one' }));
    put(store, thing('a', '2', { cluster: 'two' }));
    expect(store.size).toBe(2);
    expect(store.get(storeKey('two', '', 'a'))?.metadata?.resourceVersion).toBe('2');
  });

  test('reports ADDED, then MODIFIED with the previous state', () => {
    const store = newStore();
    const [first, second] = [thing('a', '1'), thing('a', '2')];
    expect(put(store, first)).toEqual([{ type: 'ADDED', object: first }]);
    expect(put(store, second)).toEqual([{ type: 'MODIFIED', object: second, previous: first }]);
  });

  test('reports nothing for a version that it has', () => {
    const store = newStore();
    put(store, thing('a', '1'));
    expect(put(store, thing('a', '1'))).toEqual([]);
  });

  test('reports DELETED with the last state and what it held', () => {
    const store = newStore();
    const [held, last] = [thing('a', '1'), thing('a', '5')];
    put(store, held);
    expect(store.remove(store.entry(last))).toEqual([{ type: 'DELETED', object: last, previous: held }]);
    expect(store.remove(store.entry(last))).toEqual([]);
  });

  test('does not delete an object because of the deletion of its predecessor', () => {
    const store = newStore();
    put(store, thing('a', '5', { uid: 'new' }));
    expect(store.remove(store.entry(thing('a', '4', { uid: 'old' })))).toEqual([]);
    expect(store.size).toBe(1);
  });

  test('takes another uid under the same name for a deletion and a creation', () => {
    const store = newStore();
    const [old, young] = [thing('a', '1', { uid: 'old' }), thing('a', '2', { uid: 'new' })];
    put(store, old);
    expect(put(store, young)).toEqual([
      { type: 'DELETED', object: old, previous: old },
      { type: 'ADDED', object: young },
    ]);
  });

  test('tells uids and versions apart also when the projection drops them', () => {
    const store = new ObjectStore<KubeObject>(object => ({ metadata: { name: object.metadata?.name ?? '' } }));
    put(store, thing('a', '1', { uid: 'old' }));
    expect(put(store, thing('a', '1', { uid: 'old' }))).toEqual([]);
    expect(put(store, thing('a', '2', { uid: 'new' })).map(change => change.type)).toEqual(['DELETED', 'ADDED']);
  });

  test('replaces its content and reports the differences, deletions first', () => {
    const store = newStore();
    for (const object of [thing('gone', '1'), thing('same', '2'), thing('changed', '3')]) put(store, object);
    const changes = store.replace(
      [thing('same', '2'), thing('changed', '7'), thing('new', '8')].map(object => store.entry(object)),
    );
    expect(changes.map(change => `${change.type} ${change.object.metadata?.name}`)).toEqual([
      'DELETED gone',
      'MODIFIED changed',
      'ADDED new',
    ]);
    expect(names(store.list())).toEqual(['changed', 'new', 'same']);
  });

  test('keeps the very object that a replacement did not change', () => {
    const store = newStore();
    const object = thing('a', '1', { color: 'red' });
    put(store, object);
    store.replace([store.entry(thing('a', '1', { color: 'red' }))]);
    expect(store.get(storeKey('one', '', 'a'))).toBe(object);
    expect(store.byIndex('color', 'red')[0]).toBe(object);
  });

  test('moves an object between index keys as it changes, and forgets it when it is deleted', () => {
    const store = newStore();
    put(store, thing('a', '1', { color: 'red' }));
    put(store, thing('b', '2', { color: 'red' }));
    put(store, thing('a', '3', { color: 'blue' }));
    expect(names(store.byIndex('color', 'red'))).toEqual(['b']);
    expect(names(store.byIndex('color', 'blue'))).toEqual(['a']);
    store.remove(store.entry(thing('a', '4')));
    expect(store.byIndex('color', 'blue')).toEqual([]);
  });

  test('builds its indexes anew when it is replaced', () => {
    const store = newStore();
    put(store, thing('a', '1', { color: 'red' }));
    store.replace([store.entry(thing('b', '2', { color: 'red' }))]);
    expect(names(store.byIndex('color', 'red'))).toEqual(['b']);
  });

  test('knows only the indexes that it was made with', () => {
    expect(() => newStore().byIndex('toString', 'x')).toThrow('there is no index "toString"');
  });

  test('refuses an object without name or version', () => {
    expect(() => newStore().entry({ metadata: { name: 'a' } })).toThrow('without name or resourceVersion');
  });
});
