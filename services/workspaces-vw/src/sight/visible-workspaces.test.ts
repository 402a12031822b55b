import { describe, expect, test } from '@jest/globals';
import { parseListOptions } from '@kcp-vw/shared/answer/serve-options.ts';
import { snapshotFor } from '@kcp-vw/shared/answer/serve-snapshot.ts';
import { sortKey } from '@kcp-vw/shared/informer/sort-key.ts';
import { requestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import type { CollectionEvent } from '@kcp-vw/shared/view/collection.ts';
import type { WorkspaceObject } from '../index/facts.ts';
import type { Snapshot } from '../index/snapshot.ts';
import { createIndexSource } from './index-source.ts';
import { caller, edges, entranceOf, fakeIndex, snapshotOf, to } from './sight.fixture.ts';
import { collectionOf } from './visible-workspaces.ts';

const DEFINITION = {
  apiVersion: 'tenancy.kcp.io/v1alpha1',
  kind: 'Workspace',
  group: 'tenancy.kcp.io',
  resource: 'workspaces',
  columns: [],
};
const since = (version: bigint): Partial<Snapshot> => ({ entrance: entranceOf('c-x', { edges: edges({ 'u:ada': version }) }) });
const at = (url: string): Partial<Snapshot> => {
  const { entrance } = since(1n);
  return { ...(entrance && { entrance }), object: { metadata: { name: 'x', resourceVersion: '2' }, spec: { URL: url } } };
};

async function fixture(parent: string | undefined, definition = {}) {
  const index = fakeIndex();
  const sight = await createIndexSource(index).sightOf(caller('ada'), parent);
  const collection = collectionOf(sight, parent, { ...DEFINITION, ...definition });
  const events: CollectionEvent<WorkspaceObject>[] = [];
  const versions = (): (string | undefined)[] => collection.list().items.map(({ metadata }) => metadata?.resourceVersion);
  return { index, collection, events, versions };
}

describe('the workspaces that somebody sees, as a collection', () => {
  test('are a list with the version of the index', async () => {
    const { index, collection } = await fixture('a', { boundTo: 'ada' });
    index.put(snapshotOf('a', 'x', since(1n)));
    expect(collection).toMatchObject({ ...DEFINITION, boundTo: 'ada' });
    expect(collection.list()).toMatchObject({
      apiVersion: 'tenancy.kcp.io/v1alpha1',
      kind: 'WorkspaceList',
      metadata: { resourceVersion: '101' },
      items: [{ metadata: { name: 'x' } }],
    });
  });

  test('are the objects of the index themselves where the version is theirs', async () => {
    const { index, collection } = await fixture('a');
    const snapshot = snapshotOf('a', 'x', since(1n));
    index.put(snapshot);
    expect(collection.list().items[0]).toBe(snapshot.object);
    expect(collection.get('x', '')).toBe(snapshot.object);
    expect(collection.get('y', '')).toBeUndefined();
  });

  test('have the version since which they are seen, in one copy for all who see it so', async () => {
    const { index, collection, versions } = await fixture('a');
    const snapshot = snapshotOf('a', 'x', since(55n));
    index.put(snapshot);
    expect(versions()).toEqual(['55']);
    expect(collection.get('x', '')).toBe(collection.list().items[0]);
    expect(snapshot.object.metadata?.resourceVersion).toBe('2');
  });

  test('are told of as they were and as they are', async () => {
    const { index, collection, events } = await fixture('a');
    const stop = collection.watch('100', event => events.push(event));
    index.put(snapshotOf('a', 'x', since(101n)));
    index.put(snapshotOf('a', 'x', { ...since(101n), objectVersion: 102n }));
    index.remove('a', 'x');
    stop();
    index.put(snapshotOf('a', 'x', since(1n)));
    const versionsOf = events.map(({ type, object, previous, resourceVersion }) => [
      type,
      resourceVersion,
      object.metadata?.resourceVersion,
      previous?.metadata?.resourceVersion,
    ]);
    expect(versionsOf).toEqual([
      ['ADDED', '101', '101', undefined],
      ['MODIFIED', '102', '102', '101'],
      ['DELETED', '103', '103', '102'],
    ]);
  });

  test('are made one by one, beginning after a key', async () => {
    const { index, collection } = await fixture('a');
    for (const name of ['x', 'y', 'z']) index.put(snapshotOf('a', name, since(1n)));
    expect(collection.version).toBe('103');
    const namesAfter = (after?: string) => [...(collection.items?.(after) ?? [])].map(({ metadata }) => metadata?.name);
    expect(namesAfter()).toEqual(['x', 'y', 'z']);
    expect(namesAfter(sortKey(snapshotOf('a', 'x').object))).toEqual(['y', 'z']);
    expect(namesAfter(sortKey(snapshotOf('a', 'xx').object))).toEqual(['y', 'z']);
    expect(namesAfter(sortKey(snapshotOf('a', 'z').object))).toEqual([]);
    expect([...(collection.items?.() ?? [])]).toEqual(collection.list().items);
  });

  // As those saw it who had the access then; he may have joined them since.
  test('are 410 as they were at a version before something was hidden', async () => {
    const { index, collection } = await fixture('a');
    index.put(snapshotOf('a', 'w', since(1n)));
    index.put(snapshotOf('a', 'x', since(1n)));
    index.put(snapshotOf('a', 'x'));
    const at = (version: string) => {
      const query = new URLSearchParams({ resourceVersion: version, resourceVersionMatch: 'Exact' });
      const { items } = snapshotFor(collection, parseListOptions(requestInfo('GET', parseTarget('/apis/g/v1/r')), query));
      return [...items].map(({ metadata }) => metadata?.name);
    };
    expect(at('103')).toEqual(['w']);
    for (const version of ['101', '102']) expect(() => at(version)).toThrow(expect.objectContaining({ code: 410 }));
  });

  test.each(['', 'x', '-1', '1.0'])('cannot be watched from what is no version: %j', async version => {
    const { collection } = await fixture('a');
    expect(() => collection.watch(version, () => undefined)).toThrow(expect.objectContaining({ code: 400 }));
  });
});

describe('the workspaces of all parents', () => {
  test.each([
    ['https://kcp:6443/clusters/root:org:x', 'root:org:x'],
    ['https://kcp:6443/clusters/1abcdefghijklmno', '1abcdefghijklmno'],
    ['https://kcp:6443/services/x', undefined],
    ['https://kcp:6443/clusters/..', undefined],
    ['', undefined],
  ])('say where they are: %s', async (url, expected) => {
    const { index, collection } = await fixture(undefined);
    const snapshot = snapshotOf('a', 'x', at(url));
    index.put(snapshot);
    const [object] = collection.list().items;
    expect(object?.metadata?.annotations?.['kcp.io/path']).toBe(expected);
    expect(object?.metadata?.resourceVersion).toBe('2');
    expect(collection.list().items[0]).toBe(object);
    expect(snapshot.object.metadata?.annotations).toBeUndefined();
  });

  // Its URL is whatever the owner of what is mounted has written.
  test('say nothing of where mounts are', async () => {
    const { index, collection } = await fixture(undefined);
    const mount = { edges: to('u:ada'), shardWide: edges() };
    index.put(snapshotOf('a', 'x', { ...at('https://kcp:6443/clusters/root:other'), mount }));
    expect(collection.list().items[0]?.metadata?.annotations).toEqual({});
  });

  test('say nothing of where one is that is mounted, and names a logical cluster, too', async () => {
    const { index, collection } = await fixture(undefined);
    const { object, ...rest } = at('https://kcp:6443/clusters/root:other');
    const forged = { ...object, spec: { ...object?.spec, cluster: 'c', mount: { ref: {} } } };
    index.put(snapshotOf('a', 'x', { ...rest, object: forged }));
    expect(collection.list().items[0]?.metadata?.annotations).toEqual({});
  });

  test('have no names of their own', async () => {
    const { index, collection } = await fixture(undefined);
    index.put(snapshotOf('a', 'x', since(1n)));
    expect(collection.get('x', '')).toBeUndefined();
  });
});
