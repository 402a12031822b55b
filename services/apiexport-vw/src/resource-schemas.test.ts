import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import type { Collection } from '@kcp-vw/shared/view/collection.ts';
import type { ApiResourceSchema } from './apis-kcp-io.ts';
import { apiExport, binding, FakeSources, schema } from './resource-schemas.fixture.ts';
import { followResourceSchemas, type ResourceSchemasOptions } from './resource-schemas.ts';

type Schemas = Collection<ApiResourceSchema>;

/** `c1` has bound two exports of `p1` and `p2`; all is there. */
function setUp(options: ResourceSchemasOptions = {}) {
  const sources = new FakeSources();
  const clock = new ManualClock();
  sources.bindings.put(binding('c1', 'first', 'p1/cows'));
  sources.bindings.put(binding('c1', 'second', 'p2/dogs'));
  sources.exports.put(apiExport('p1', 'cows', ['v1.cows', 'v1.calves']));
  sources.exports.put(apiExport('p2', 'dogs', ['v1.dogs']));
  for (const name of ['v1.cows', 'v1.calves', 'v2.cows']) sources.schemas.put(schema('p1', name));
  sources.schemas.put(schema('p2', 'v1.dogs'));
  const resourceSchemas = followResourceSchemas(sources, { clock, ...options });
  return { sources, clock, resourceSchemas, c1: resourceSchemas.of('c1') };
}

const homeOf = ({ metadata }: ApiResourceSchema): string | undefined => metadata?.annotations?.['kcp.io/cluster'];
const listed = (collection: Schemas): string[] => collection.list().items.map(item => `${homeOf(item)}/${item.metadata?.name}`);
const versionOf = (collection: Schemas): string => collection.list().metadata?.resourceVersion ?? '';

/** What a watch from now on is told: `ADDED p1/v1.cows`. */
function watched(collection: Schemas): { events: string[]; stop: () => void } {
  const events: string[] = [];
  const stop = collection.watch(versionOf(collection), ({ type, object }) =>
    events.push(`${type} ${homeOf(object)}/${object.metadata?.name}`),
  );
  return { events, stop };
}

describe('the schemas of a consumer', () => {
  test('are those named by the exports that it has bound, sorted', () => {
    const { c1 } = setUp();
    expect(listed(c1)).toEqual(['p1/v1.calves', 'p1/v1.cows', 'p2/v1.dogs']);
  });

  test('are whole, as they are stored, with a version of the collection', () => {
    const { sources, c1 } = setUp();
    const stored = sources.schemas.get('p2', 'v1.dogs');
    const served = c1.get('v1.dogs', '');
    expect(served).toEqual({ ...stored, metadata: { ...stored?.metadata, resourceVersion: served?.metadata?.resourceVersion } });
    expect(served?.metadata?.resourceVersion).toBe(versionOf(c1));
  });

  test('say what they are, even where the informer left that out', () => {
    const { sources, c1 } = setUp();
    const { apiVersion: _, kind: __, ...bare } = schema('p2', 'v1.dogs');
    sources.schemas.put(bare);
    expect(c1.get('v1.dogs', '')).toMatchObject({ apiVersion: 'apis.kcp.io/v1alpha1', kind: 'APIResourceSchema' });
  });

  test('are none where nothing is bound', () => {
    const { resourceSchemas } = setUp();
    expect(resourceSchemas.of('c2').list()).toMatchObject({ kind: 'APIResourceSchemaList', items: [] });
  });

  test('leave out bindings that are not bound, exports that are gone and schemas that are not there', () => {
    const { sources, resourceSchemas } = setUp();
    sources.bindings.put(binding('c3', 'binding', 'p1/cows', 'Binding'));
    sources.bindings.put(binding('c3', 'nothing', 'p9/gone'));
    sources.bindings.put(binding('c3', 'unresolved', '/cows'));
    sources.bindings.put(binding('c3', 'unnamed', 'p1/'));
    sources.bindings.put(binding('c3', 'partial', 'p2/dogs'));
    sources.exports.put(apiExport('p2', 'dogs', ['v1.dogs', 'v1.puppies', '']));
    expect(listed(resourceSchemas.of('c3'))).toEqual(['p2/v1.dogs']);
  });

  test('of one name in two logical clusters are the one whose logical cluster comes first, whatever the order of the bindings', () => {
    for (const order of [
      ['p1', 'p0', 'p2'],
      ['p2', 'p1', 'p0'],
    ]) {
      const { sources, resourceSchemas } = setUp();
      for (const provider of order) {
        sources.exports.put(apiExport(provider, 'same', ['same']));
        sources.schemas.put(schema(provider, 'same'));
        sources.bindings.put(binding('c4', provider, `${provider}/same`));
      }
      const c4 = resourceSchemas.of('c4');
      expect(listed(c4)).toEqual(['p0/same']);
      expect(homeOf(c4.get('same', '') ?? {})).toBe('p0');
    }
  });
});

describe('a watch sees', () => {
  test('a schema come and go with its binding', () => {
    const { sources, c1 } = setUp();
    const { events } = watched(c1);
    sources.bindings.put(binding('c1', 'second', 'p2/dogs', 'Binding'));
    sources.bindings.put(binding('c1', 'second', 'p2/dogs'));
    sources.bindings.remove('c1', 'first');
    expect(events).toEqual(['DELETED p2/v1.dogs', 'ADDED p2/v1.dogs', 'DELETED p1/v1.calves', 'DELETED p1/v1.cows']);
  });

  test('another schema in its export, old before new', () => {
    const { sources, c1 } = setUp();
    const { events } = watched(c1);
    sources.exports.put(apiExport('p1', 'cows', ['v2.cows', 'v1.calves']));
    expect(events).toEqual(['DELETED p1/v1.cows', 'ADDED p1/v2.cows']);
  });

  test('a schema that is written, deleted, or made late', () => {
    const { sources, c1 } = setUp();
    const { events } = watched(c1);
    sources.schemas.put(schema('p1', 'v1.cows'));
    sources.schemas.remove('p1', 'v1.cows');
    sources.schemas.put(schema('p1', 'v1.cows'));
    expect(events).toEqual(['MODIFIED p1/v1.cows', 'DELETED p1/v1.cows', 'ADDED p1/v1.cows']);
  });

  test('a schema that was made anew as another object', () => {
    const { sources, c1 } = setUp();
    const { events } = watched(c1);
    sources.schemas.put(schema('p1', 'v1.cows', 'another-uid'));
    expect(events).toEqual(['DELETED p1/v1.cows', 'ADDED p1/v1.cows']);
  });

  test('the schema of the same name elsewhere when the first is gone', () => {
    const { sources, c1 } = setUp();
    sources.schemas.put(schema('p2', 'v1.cows'));
    sources.exports.put(apiExport('p2', 'dogs', ['v1.dogs', 'v1.cows']));
    const { events } = watched(c1);
    sources.schemas.remove('p1', 'v1.cows');
    expect(events).toEqual(['DELETED p1/v1.cows', 'ADDED p2/v1.cows']);
    expect(homeOf(c1.get('v1.cows', '') ?? {})).toBe('p2');
  });

  test('nothing of other consumers, of unbound schemas, or of changes that change nothing here', () => {
    const { sources, c1, resourceSchemas } = setUp();
    resourceSchemas.of('c2');
    const { events } = watched(c1);
    sources.bindings.put(binding('c2', 'first', 'p1/cows'));
    sources.schemas.put(schema('p1', 'v2.cows'));
    sources.schemas.put(schema('p9', 'v1.cows'));
    sources.exports.put(apiExport('p1', 'cows', ['v1.calves', 'v1.cows']));
    sources.bindings.put(binding('c1', 'first', 'p1/cows'));
    expect(events).toEqual([]);
  });
});

test('a watcher that fails keeps neither other events nor other consumers from being told', () => {
  const { sources, c1, resourceSchemas } = setUp();
  sources.bindings.put(binding('c2', 'first', 'p1/cows'));
  const other = watched(resourceSchemas.of('c2'));
  const fail = (): never => {
    throw new Error('a bug in a watcher');
  };
  c1.watch(versionOf(c1), fail);
  expect(() => sources.exports.remove('p1', 'cows')).toThrow(AggregateError);
  expect(listed(c1)).toEqual(['p2/v1.dogs']);
  expect(other.events).toEqual(['DELETED p1/v1.calves', 'DELETED p1/v1.cows']);
});

describe('a collection', () => {
  test('is the same for everyone who asks', () => {
    const { c1, resourceSchemas } = setUp();
    expect(versionOf(resourceSchemas.of('c1'))).toBe(versionOf(c1));
    expect(resourceSchemas.size).toBe(1);
  });

  test('is let go when nobody has used it for a while, and its versions are expired then', async () => {
    const { clock, c1, resourceSchemas } = setUp({ unwatchedLifetime: 1000 });
    const before = versionOf(c1);
    await clock.advance(999);
    resourceSchemas.of('c1');
    await clock.advance(999);
    resourceSchemas.of('c2');
    expect(resourceSchemas.size).toBe(2);
    await clock.advance(1);
    resourceSchemas.of('c3');
    expect(resourceSchemas.size).toBe(2);
    // Two collections of one millisecond would begin at one version.
    await new Promise(resolve => setTimeout(resolve, 2));
    const again = resourceSchemas.of('c1');
    expect(() => again.watch(before, () => undefined)).toThrow(expect.objectContaining({ code: 410 }));
  });

  test('is also let go when only the sources change', async () => {
    const { clock, sources, resourceSchemas } = setUp({ unwatchedLifetime: 1000 });
    await clock.advance(1000);
    sources.bindings.put(binding('c9', 'first', 'p1/cows'));
    expect(resourceSchemas.size).toBe(0);
  });

  test('that was let go is not made again and again from what changes', async () => {
    const { clock, sources } = setUp({ unwatchedLifetime: 1000 });
    await clock.advance(1000);
    sources.bindings.put(binding('c9', 'first', 'p1/cows'));
    const { byIndex } = sources.bindings;
    const asked: string[] = [];
    sources.bindings.byIndex = (index, key) => {
      asked.push(key);
      return byIndex(index, key);
    };
    sources.exports.put(apiExport('p1', 'cows', ['v2.cows']));
    sources.schemas.put(schema('p1', 'v1.cows'));
    sources.bindings.remove('c1', 'first');
    expect(asked).toEqual([]);
  });

  test('is kept for as long as it is watched, and a while longer', async () => {
    const { clock, sources, c1, resourceSchemas } = setUp({ unwatchedLifetime: 1000 });
    const { events, stop } = watched(c1);
    await clock.advance(5000);
    sources.schemas.put(schema('p1', 'v1.cows'));
    expect(events).toEqual(['MODIFIED p1/v1.cows']);
    stop();
    stop();
    await clock.advance(999);
    sources.schemas.put(schema('p1', 'v1.cows'));
    expect(resourceSchemas.size).toBe(1);
    await clock.advance(1);
    sources.schemas.put(schema('p1', 'v1.cows'));
    expect(resourceSchemas.size).toBe(0);
  });

  test('makes room for others, the one that was not used for longest first, never a watched one', () => {
    const { c1, resourceSchemas } = setUp({ maxUnwatched: 2 });
    watched(c1);
    const c2 = resourceSchemas.of('c2');
    const c3 = resourceSchemas.of('c3');
    resourceSchemas.of('c2');
    resourceSchemas.of('c4');
    expect(resourceSchemas.size).toBe(3);
    expect(() => watched(c3)).toThrow(expect.objectContaining({ code: 410 }));
    expect(watched(c2).events).toEqual([]);
    expect(watched(c1).events).toEqual([]);
  });
});
