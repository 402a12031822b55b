import { expect, test } from '@jest/globals';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import type { CollectionEvent } from '@kcp-vw/shared/view/collection.ts';
import fc from 'fast-check';
import type { ApiResourceSchema } from './apis-kcp-io.ts';
import { apiExport, binding, FakeSources, schema } from './resource-schemas.fixture.ts';
import { followResourceSchemas } from './resource-schemas.ts';

const CONSUMERS = ['c1', 'c2'];
const PROVIDERS = ['p1', 'p2', 'c1'];
const EXPORTS = ['e1', 'e2'];
const SCHEMAS = ['s1', 's2', 's3'];

const consumer = fc.constantFrom(...CONSUMERS);
const provider = fc.constantFrom(...PROVIDERS);
const name = fc.constantFrom('b1', 'b2', 'b3');
const exportName = fc.constantFrom(...EXPORTS);
const schemaName = fc.constantFrom(...SCHEMAS);

type Act = (world: World) => void;

/** Something that happens, as a function on the world. */
const act: fc.Arbitrary<Act> = fc.oneof(
  fc
    .tuple(consumer, name, provider, exportName, fc.constantFrom('Bound', 'Bound', 'Binding'))
    .map(([cluster, one, of, exported, phase]) => bindings(it => it.put(binding(cluster, one, `${of}/${exported}`, phase)))),
  fc.tuple(consumer, name).map(([cluster, one]) => bindings(it => it.remove(cluster, one))),
  fc
    .tuple(provider, exportName, fc.uniqueArray(schemaName))
    .map(([cluster, one, names]) => exports(it => it.put(apiExport(cluster, one, names)))),
  fc.tuple(provider, exportName).map(([cluster, one]) => exports(it => it.remove(cluster, one))),
  fc
    .tuple(provider, schemaName, fc.constantFrom('u1', 'u2'))
    .map(([cluster, one, uid]) => schemas(it => it.put(schema(cluster, one, uid)))),
  fc.tuple(provider, schemaName).map(([cluster, one]) => schemas(it => it.remove(cluster, one))),
  // A watch that was lost: of what was there some is gone, all at once.
  fc
    .tuple(fc.constantFrom(bindings, exports, schemas), fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }))
    .map(([of, keep]) => of(it => it.replace(it.list().filter((_, i) => keep[i] === true) as never))),
  fc.constantFrom(1, 20).map(minutes => (world: World) => {
    world.minutes += minutes;
  }),
  consumer.map(one => (world: World) => {
    world.resourceSchemas.of(one);
  }),
);

function bindings(change: (it: FakeSources['bindings']) => void): Act {
  return world => change(world.sources.bindings);
}
function exports(change: (it: FakeSources['exports']) => void): Act {
  return world => change(world.sources.exports);
}
function schemas(change: (it: FakeSources['schemas']) => void): Act {
  return world => change(world.sources.schemas);
}

class World {
  readonly sources = new FakeSources();
  minutes = 0;
  readonly resourceSchemas = followResourceSchemas(this.sources, {
    clock: { now: () => this.minutes * 60_000, after: () => () => undefined },
  });

  /** There is much to bind at first, and of each name in every provider. */
  constructor() {
    for (const cluster of PROVIDERS) {
      for (const one of SCHEMAS) this.sources.schemas.put(schema(cluster, one, 'u1'));
      for (const one of EXPORTS) this.sources.exports.put(apiExport(cluster, one, SCHEMAS));
    }
  }

  /** The same question answered from the whole state, the other way around: which schemas does any bound export name? */
  expected(of: string): ApiResourceSchema[] {
    const { bindings, exports, schemas } = this.sources;
    const isNamed = (candidate: ApiResourceSchema): boolean =>
      exports
        .list()
        .some(
          one =>
            clusterOf(one) === clusterOf(candidate) &&
            one.spec?.resources?.some(resource => resource.schema === candidate.metadata?.name) &&
            bindings
              .list()
              .some(
                ({ metadata, spec, status }) =>
                  metadata?.annotations?.['kcp.io/cluster'] === of &&
                  status?.phase === 'Bound' &&
                  `${status.apiExportClusterName}/${spec?.reference?.export?.name}` === `${clusterOf(one)}/${one.metadata?.name}`,
              ),
        );
    const named = schemas.list().filter(isNamed);
    return PROVIDERS.toSorted().flatMap(cluster =>
      SCHEMAS.flatMap(one => {
        const sameName = named.filter(({ metadata }) => metadata?.name === one);
        const first = sameName.map(clusterOf).sort()[0];
        return first === cluster ? sameName.filter(candidate => clusterOf(candidate) === cluster) : [];
      }),
    );
  }
}

const withoutVersion = ({ metadata, ...rest }: ApiResourceSchema) => ({
  ...rest,
  metadata: { ...metadata, resourceVersion: '' },
});

/** A client that lists once and then believes its watch. */
class Client {
  readonly objects = new Map<string, ApiResourceSchema>();
  readonly violations: string[] = [];
  #version: bigint;

  constructor(world: World, of: string) {
    const collection = world.resourceSchemas.of(of);
    const { items, metadata } = collection.list();
    for (const item of items) this.objects.set(item.metadata?.name ?? '', item);
    this.#version = BigInt(metadata?.resourceVersion ?? '');
    collection.watch(String(this.#version), event => this.#see(event));
  }

  #see({ type, object, resourceVersion }: CollectionEvent<ApiResourceSchema>): void {
    const objectName = object.metadata?.name ?? '';
    const held = this.objects.get(objectName);
    const expectThat = (holds: boolean, rule: string): void => {
      if (!holds) this.violations.push(`${type} ${objectName}: ${rule}`);
    };
    expectThat((held === undefined) === (type === 'ADDED'), 'the type fits what the client holds');
    expectThat(BigInt(resourceVersion) > this.#version, 'versions rise');
    expectThat(object.metadata?.resourceVersion === resourceVersion, 'an object carries the version of its event');
    if (held)
      expectThat(clusterOf(held) === clusterOf(object) && held.metadata?.uid === object.metadata?.uid, 'it is one object');
    this.#version = BigInt(resourceVersion);
    if (type === 'DELETED') this.objects.delete(objectName);
    else this.objects.set(objectName, object);
  }
}

test('after any changes a list is what the bindings say, and list plus watch lead there too', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 20 }), fc.array(act, { maxLength: 40 }), (before, after) => {
      const world = new World();
      for (const happens of before) happens(world);
      // `c1` is watched throughout, `c2` only asked about now and then.
      const client = new Client(world, 'c1');
      for (const happens of after) {
        happens(world);
        const atOnce = world.resourceSchemas.of('c1').list().items;
        expect([...client.objects.values()].sort(byHome)).toEqual(atOnce);
      }
      expect(client.violations).toEqual([]);
      for (const of of CONSUMERS) {
        const { items } = world.resourceSchemas.of(of).list();
        expect(items.map(withoutVersion)).toEqual(world.expected(of).map(withoutVersion));
        for (const item of items) expect(world.resourceSchemas.of(of).get(item.metadata?.name ?? '', '')).toBe(item);
      }
    }),
    { numRuns: 500 },
  );
});

const homeAndName = (object: ApiResourceSchema): string => `${clusterOf(object)}/${object.metadata?.name}`;
const byHome = (a: ApiResourceSchema, b: ApiResourceSchema): number => (homeAndName(a) < homeAndName(b) ? -1 : 1);
