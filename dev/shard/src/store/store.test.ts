import { describe, expect, test } from '@jest/globals';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ResourceDefinition } from './definition.ts';
import type { Change } from './event-log.ts';
import { Store } from './store.ts';

const THINGS: ResourceDefinition = {
  ...{ group: 'example.dev', versions: ['v1'], resource: 'things', singular: 'thing', kind: 'Thing', namespaced: true },
  ...{ custom: true, statusSubresource: true, tracksGeneration: true, columns: [] },
};
const MAPS: ResourceDefinition = {
  ...THINGS,
  group: '',
  resource: 'maps',
  kind: 'Map',
  statusSubresource: false,
  tracksGeneration: false,
};

const thing = (name: string, rest: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): KubeObject => ({
  metadata: { name, namespace: 'n', ...metadata },
  ...rest,
});
const IN_N = { cluster: 'c', namespace: 'n' };

function refusal(attempt: () => unknown): StatusError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const listened = (store: Store): Change[] => {
  const changes: Change[] = [];
  store.onChange(change => changes.push(change));
  return changes;
};

describe('a created object', () => {
  test('gets type, uid, version, generation, time and the name of its logical cluster', () => {
    const store = new Store({ firstVersion: 41, now: () => new Date('2026-01-02T03:04:05.678Z') });
    const created = store.create(THINGS, 'c', thing('a', { spec: { x: 1 } }));
    expect(created).toEqual({
      apiVersion: 'example.dev/v1',
      kind: 'Thing',
      metadata: {
        name: 'a',
        namespace: 'n',
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        generation: 1,
        creationTimestamp: '2026-01-02T03:04:05Z',
        resourceVersion: '42',
        annotations: { 'kcp.io/cluster': 'c' },
      },
      spec: { x: 1 },
    });
    expect(store.resourceVersion).toBe('42');
  });

  test('loses a status that is a subresource, unless a controller keeps it', () => {
    const store = new Store();
    expect(store.create(THINGS, 'c', thing('a', { status: { x: 1 } })).status).toBeUndefined();
    expect(store.create(THINGS, 'c', thing('b', { status: { x: 1 } }), { keepStatus: true }).status).toEqual({ x: 1 });
  });

  test('is named after generateName when it has no name', () => {
    const store = new Store();
    const { metadata } = store.create(THINGS, 'c', { metadata: { generateName: 'a-' } });
    expect(metadata?.name).toMatch(/^a-[b-z2-9]{5}$/);
  });

  test('is refused when its name is taken in the same namespace of the same logical cluster only', () => {
    const store = new Store();
    store.create(THINGS, 'c', thing('a'));
    expect(refusal(() => store.create(THINGS, 'c', thing('a'))).status).toMatchObject({
      reason: 'AlreadyExists',
      message: 'things.example.dev "a" already exists',
      details: { name: 'a', group: 'example.dev', kind: 'things' },
    });
    store.create(THINGS, 'd', thing('a'));
    store.create(THINGS, 'c', thing('a', {}, { namespace: 'other' }));
    store.create(MAPS, 'c', thing('a'));
  });

  test('cannot be changed by whoever reads it', () => {
    const created = new Store().create(THINGS, 'c', thing('a', { spec: { list: [1] } }));
    expect(() => Object.assign(created.spec as object, { y: 2 })).toThrow(TypeError);
  });

  test('is not stored in a dry run', () => {
    const store = new Store();
    expect(store.create(THINGS, 'c', thing('a'), { dryRun: true }).metadata?.resourceVersion).toBeUndefined();
    expect(store.get(THINGS, 'c', 'a', 'n')).toBeUndefined();
    expect(store.resourceVersion).toBe('1000');
  });
});

describe('an update', () => {
  test('keeps the status, and one of the status keeps everything else', () => {
    const store = new Store();
    store.create(THINGS, 'c', thing('a', { spec: 1, status: 1 }), { keepStatus: true });
    expect(store.update(THINGS, 'c', thing('a', { spec: 2, status: 2 }))).toMatchObject({ spec: 2, status: 1 });
    const updated = store.updateStatus(THINGS, 'c', thing('a', { spec: 3, status: 3 }, { labels: { x: 'y' } }));
    expect(updated).toMatchObject({ spec: 2, status: 3 });
    expect(updated.metadata?.labels).toBeUndefined();
  });

  test('counts a generation for each change of what is desired', () => {
    const store = new Store();
    store.create(THINGS, 'c', thing('a', { spec: 1 }));
    expect(store.update(THINGS, 'c', thing('a', { spec: 1 }, { labels: { x: 'y' } })).metadata?.generation).toBe(1);
    expect(store.update(THINGS, 'c', thing('a', { spec: 2 })).metadata?.generation).toBe(2);
    expect(store.updateStatus(THINGS, 'c', thing('a', { status: 1 })).metadata?.generation).toBe(2);
  });

  test('of an older version is a conflict', () => {
    const store = new Store();
    const { metadata } = store.create(THINGS, 'c', thing('a'));
    store.update(THINGS, 'c', thing('a', { spec: 1 }));
    expect(refusal(() => store.update(THINGS, 'c', { metadata: { ...metadata }, spec: 2 })).status).toMatchObject({
      reason: 'Conflict',
      code: 409,
      message:
        'Operation cannot be fulfilled on things.example.dev "a": the object has been modified; please apply your changes to the latest version and try again',
    });
  });

  test('of another object with the same name is a conflict', () => {
    const store = new Store();
    store.create(THINGS, 'c', thing('a'));
    expect(refusal(() => store.update(THINGS, 'c', thing('a', {}, { uid: 'other' }))).message).toContain(
      'UID in precondition: other',
    );
  });

  test('that changes nothing gets no version and is told to nobody', () => {
    const store = new Store();
    const created = store.create(THINGS, 'c', thing('a', { spec: { x: 1, y: 2 } }));
    const changes = listened(store);
    expect(store.update(THINGS, 'c', thing('a', { spec: { y: 2, x: 1 } }))).toBe(created);
    expect(changes).toEqual([]);
  });

  test('cannot change what the server alone decides', () => {
    const store = new Store();
    const { metadata } = store.create(THINGS, 'c', thing('a'));
    const update = thing(
      'a',
      { spec: 1 },
      { creationTimestamp: '2000-01-01T00:00:00Z', generation: 77, deletionTimestamp: '2000-01-01T00:00:00Z' },
    );
    const updated = store.update(THINGS, 'c', update).metadata;
    expect(updated).toMatchObject({ creationTimestamp: metadata?.creationTimestamp, generation: 2, uid: metadata?.uid });
    expect(updated?.deletionTimestamp).toBeUndefined();
  });

  test('of what does not exist is a 404', () => {
    expect(refusal(() => new Store().update(THINGS, 'c', thing('a'))).code).toBe(404);
  });
});

describe('a deletion', () => {
  test('without finalizers removes the object, which is told with its last state and a new version', () => {
    const store = new Store();
    store.create(THINGS, 'c', thing('a', { spec: 1 }));
    const changes = listened(store);
    expect(store.delete(THINGS, { ...IN_N, name: 'a' }).gone).toBe(true);
    expect(store.get(THINGS, 'c', 'a', 'n')).toBeUndefined();
    expect(changes).toMatchObject([
      { type: 'DELETED', object: { spec: 1, metadata: { resourceVersion: '1002' } }, resourceVersion: '1002' },
    ]);
  });

  test('with finalizers marks the object, once, and removing the last of them ends it', () => {
    const store = new Store();
    store.create(THINGS, 'c', thing('a', {}, { finalizers: ['x/1', 'x/2'] }));
    const changes = listened(store);
    const { object, gone } = store.delete(THINGS, { ...IN_N, name: 'a' });
    expect(gone).toBe(false);
    expect(object.metadata).toMatchObject({
      deletionTimestamp: expect.any(String),
      deletionGracePeriodSeconds: 0,
      generation: 2,
    });
    expect(store.delete(THINGS, { ...IN_N, name: 'a' }).object).toBe(object);
    store.update(THINGS, 'c', thing('a', {}, { finalizers: ['x/2'] }));
    store.update(THINGS, 'c', thing('a'));
    expect(changes.map(({ type }) => type)).toEqual(['MODIFIED', 'MODIFIED', 'DELETED']);
    expect(store.get(THINGS, 'c', 'a', 'n')).toBeUndefined();
  });

  test('that has begun lets nobody add a finalizer', () => {
    const store = new Store();
    store.create(THINGS, 'c', thing('a', {}, { finalizers: ['x/1'] }));
    store.delete(THINGS, { ...IN_N, name: 'a' });
    const { status } = refusal(() => store.update(THINGS, 'c', thing('a', {}, { finalizers: ['x/1', 'x/2'] })));
    expect(status).toMatchObject({ code: 422, details: { causes: [{ field: 'metadata.finalizers' }] } });
  });

  test('with preconditions concerns the object that is meant only', () => {
    const store = new Store();
    const { metadata } = store.create(THINGS, 'c', thing('a'));
    const place = { ...IN_N, name: 'a' };
    expect(refusal(() => store.delete(THINGS, place, { preconditions: { uid: 'x' } })).code).toBe(409);
    expect(refusal(() => store.delete(THINGS, place, { preconditions: { resourceVersion: '1' } })).code).toBe(409);
    expect(store.delete(THINGS, place, { preconditions: { uid: metadata?.uid } }).gone).toBe(true);
  });

  test('is only looked at in a dry run', () => {
    const store = new Store();
    store.create(THINGS, 'c', thing('a'));
    expect(store.delete(THINGS, { ...IN_N, name: 'a' }, { dryRun: true }).gone).toBe(true);
    expect(store.get(THINGS, 'c', 'a', 'n')).toBeDefined();
  });
});

describe('a list', () => {
  test('of all logical clusters is sorted by logical cluster, namespace and name', () => {
    const store = new Store();
    for (const [cluster, namespace, name] of [
      ['d', 'n', 'a'],
      ['c', 'n-2', 'a'],
      ['c', 'n', 'b'],
      ['c', 'n', 'a-1'],
      ['c', 'n', 'a'],
    ] as const) {
      store.create(THINGS, cluster, thing(name, {}, { namespace }));
    }
    const places = store
      .list(THINGS, { cluster: '*' })
      .items.map(({ metadata }) => `${metadata?.annotations?.['kcp.io/cluster']} ${metadata?.namespace} ${metadata?.name}`);
    expect(places).toEqual(['c n a', 'c n a-1', 'c n b', 'c n-2 a', 'd n a']);
    expect(store.list(THINGS, { cluster: 'c', namespace: 'n' }).items).toHaveLength(3);
    expect(store.list(THINGS, { cluster: 'nowhere' }).items).toEqual([]);
  });
});

describe('the history', () => {
  test('can be asked for from every version in the window, and is 410 before it', () => {
    const store = new Store({ window: 3, firstVersion: 10 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) store.create(THINGS, 'c', thing(name));
    expect(store.changesSince('12').map(({ name }) => name)).toEqual(['c', 'd', 'e']);
    expect(store.changesSince('15')).toEqual([]);
    const { status } = refusal(() => store.changesSince('11'));
    expect(status).toMatchObject({ code: 410, reason: 'Expired', message: 'too old resource version: 11 (12)' });
  });

  test('is gone after a compaction', () => {
    const store = new Store();
    store.create(THINGS, 'c', thing('a'));
    store.compact();
    expect(store.changesSince('1001')).toEqual([]);
    expect(refusal(() => store.changesSince('1000')).code).toBe(410);
    store.create(THINGS, 'c', thing('b'));
    expect(store.changesSince('1001')).toHaveLength(1);
  });
});

describe('a listener', () => {
  test('hears a change after it is committed, and what it changes itself afterwards, in order', () => {
    const store = new Store();
    const heard: string[] = [];
    store.onChange(({ name }) => {
      if (name === 'a') store.create(THINGS, 'c', thing('made-by-listener'));
    });
    store.onChange(({ name, type }) => heard.push(`${type} ${name} ${store.get(THINGS, 'c', name, 'n') !== undefined}`));
    store.create(THINGS, 'c', thing('a'));
    expect(heard).toEqual(['ADDED a true', 'ADDED made-by-listener true']);
  });

  test('that fails keeps no other from hearing, and its failure is not swallowed', () => {
    const store = new Store();
    store.onChange(() => {
      throw new Error('a bug');
    });
    const changes = listened(store);
    expect(() => store.create(THINGS, 'c', thing('a'))).toThrow(AggregateError);
    expect(changes).toHaveLength(1);
  });

  test('that registers while a change is told does not hear that change', () => {
    const store = new Store();
    const late: Change[] = [];
    store.onChange(() => {
      if (late.length === 0) store.onChange(change => late.push(change));
    });
    store.create(THINGS, 'c', thing('a'));
    expect(late).toEqual([]);
    store.create(THINGS, 'c', thing('b'));
    expect(late.map(({ name }) => name)).toEqual(['b']);
  });
});
