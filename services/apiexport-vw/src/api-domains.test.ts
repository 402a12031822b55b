import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type ApiDomains, createApiDomains, EXPORT_INDEXES } from './api-domains.ts';
import type { ApiDefinition } from './api-set.ts';
import { type ExportParts, exportAt, LiveInformer, ORDINARY_SHARD, schemaAt } from './apiexport.fixture.ts';
import type { ApiExport, ApiResourceSchema } from './apis-kcp-io.ts';

const KEY = { cluster: 'provider', name: 'cowboys.dev' };
const AT = 'provider/cowboys.dev';
const COWBOYS = 'dev/v1/cowboys';
const SHERIFFS = 'wild.west/v1/sheriffs';
const CLAIM = { group: 'wild.west', resource: 'sheriffs', identityHash: 'other' };

let domains: ApiDomains | undefined;
afterEach(() => domains?.stop());

/** An export with one schema that claims a resource of another one. */
function world(parts: ExportParts = { schemas: ['c'], claims: [CLAIM] }) {
  const exports = new LiveInformer<ApiExport>(EXPORT_INDEXES);
  const schemas = new LiveInformer<ApiResourceSchema>();
  schemas.put(schemaAt('provider/c', 'cowboys.dev'));
  schemas.put(schemaAt('lender/s', 'sheriffs.wild.west'));
  exports.put(exportAt(AT, parts));
  exports.put(exportAt('lender/x', { identity: 'other', schemas: ['s'] }));
  const made = createApiDomains({ shardResources: ORDINARY_SHARD, exports, schemas, openapi: () => undefined });
  domains = made;
  return { exports, schemas, domains: made };
}

/** The definition as it is served, and how often it was told to be replaced. */
async function followed(of: ApiDomains, key: string) {
  const definition = (await of.setOf(KEY))?.definitions.get(key);
  if (definition === undefined) throw new Error(`${key} is not served`);
  const told: string[] = [];
  const stop = of.whenReplaced(KEY, definition, () => told.push(key));
  return { definition, told, stop };
}

describe('the API set of an export', () => {
  test('is what it exports and claims', async () => {
    const set = await world().domains.setOf(KEY);
    expect([...(set?.definitions.keys() ?? [])]).toEqual([
      'apis.kcp.io/v1alpha1/apibindings',
      'apis.kcp.io/v1alpha2/apibindings',
      COWBOYS,
      SHERIFFS,
    ]);
  });

  test('is the same object while nothing changes', async () => {
    const { domains } = world();
    expect(await domains.setOf(KEY)).toBe(await domains.setOf(KEY));
  });

  test('is not computed again for what happens to exports that have nothing to do with it', async () => {
    const { domains, exports, schemas } = world();
    const before = await domains.setOf(KEY);
    exports.put(exportAt('elsewhere/e', { identity: 'third' }));
    schemas.put(schemaAt('elsewhere/s', 'cowboys.dev'));
    expect(await domains.setOf(KEY)).toBe(before);
  });

  // Whoever asks right after an event of the informer must not be answered from before it, also not in the same turn of the loop.
  test('is that of the caches for who asks in the same turn as they change', async () => {
    const { domains, exports } = world();
    await domains.setOf(KEY);
    exports.put(exportAt(AT, { claims: [{ resource: 'secrets' }] }));
    expect((await domains.setOf(KEY))?.definitions.has('/v1/secrets')).toBe(true);
  });

  test('has again what an identity is claimed of when an export of it comes', async () => {
    const { domains, exports } = world();
    exports.remove('lender', 'x');
    expect((await domains.setOf(KEY))?.definitions.has(SHERIFFS)).toBe(false);
    exports.put(exportAt('lender/y', { identity: 'other', schemas: ['s'] }));
    expect((await domains.setOf(KEY))?.definitions.has(SHERIFFS)).toBe(true);
  });

  test('follows a claimed schema that comes after its export', async () => {
    const { domains, schemas } = world();
    schemas.remove('lender', 's');
    expect((await domains.setOf(KEY))?.definitions.has(SHERIFFS)).toBe(false);
    schemas.put(schemaAt('lender/s', 'sheriffs.wild.west'));
    expect((await domains.setOf(KEY))?.definitions.has(SHERIFFS)).toBe(true);
  });

  test('follows an export that leaves a claimed identity for another', async () => {
    const { domains, exports } = world();
    expect((await domains.setOf(KEY))?.definitions.has(SHERIFFS)).toBe(true);
    exports.put(exportAt('lender/x', { identity: 'rotated', schemas: ['s'] }));
    expect((await domains.setOf(KEY))?.definitions.has(SHERIFFS)).toBe(false);
  });

  // What a set was looked up by is known for each set: left as it was at first, later claims would never have been followed.
  test('follows exports of an identity that it claims only since it was first asked for', async () => {
    const { domains, exports } = world({ schemas: ['c'] });
    await domains.setOf(KEY);
    exports.put(exportAt(AT, { claims: [CLAIM] }));
    expect((await domains.setOf(KEY))?.definitions.has(SHERIFFS)).toBe(true);
    exports.remove('lender', 'x');
    expect((await domains.setOf(KEY))?.definitions.has(SHERIFFS)).toBe(false);
  });

  test('is made anew of everything on refresh', async () => {
    const openapi: Record<string, { paths: object; components: object }> = {};
    const { exports, schemas } = world({ claims: [{ resource: 'secrets' }] });
    domains?.stop();
    domains = createApiDomains({
      shardResources: ORDINARY_SHARD,
      exports,
      schemas,
      openapi: (_, __, resource) => openapi[resource] as never,
    });
    const before = await domains.setOf(KEY);
    openapi.secrets = { paths: {}, components: {} };
    expect(await domains.setOf(KEY)).toBe(before);
    domains.refresh();
    const described = (await domains.setOf(KEY))?.apis.filter(api => api.openapi !== undefined);
    expect(described?.map(api => api.name)).toEqual(['secrets']);
  });
});

describe('exports of one identity', () => {
  test('are sorted', () => {
    const { domains, exports } = world();
    for (const at of ['b/z', 'a/z', 'c/a']) exports.put(exportAt(at, { identity: 'shared' }));
    const names = domains
      .exportsOf('shared')
      .map(one => `${one.metadata?.annotations?.['kcp.io/cluster']}/${one.metadata?.name}`);
    expect(names).toEqual(['c/a', 'a/z', 'b/z']);
  });

  test('are none of an export without an identity, also not of the empty one', () => {
    expect(world({ identity: '' }).domains.exportsOf('')).toEqual([]);
  });
});

describe('whoever follows a definition is told', () => {
  const events: readonly [string, string, (w: ReturnType<typeof world>) => void][] = [
    ['its claim is removed', SHERIFFS, ({ exports }) => exports.put(exportAt(AT, { schemas: ['c'] }))],
    ['it is no longer exported', COWBOYS, ({ exports }) => exports.put(exportAt(AT))],
    ['its schema changes', COWBOYS, ({ schemas }) => schemas.put(schemaAt('provider/c', 'cowboys.dev', { uid: 'new' }))],
    ['its schema is deleted', COWBOYS, ({ schemas }) => schemas.remove('provider', 'c')],
    ['its export is deleted', COWBOYS, ({ exports }) => exports.remove('provider', 'cowboys.dev')],
    ['its export loses its identity', COWBOYS, ({ exports }) => exports.put(exportAt(AT, { identity: '', schemas: ['c'] }))],
    [
      'a claimed schema changes',
      SHERIFFS,
      ({ schemas }) => schemas.put(schemaAt('lender/s', 'sheriffs.wild.west', { uid: 'new' })),
    ],
    ['a claimed export is deleted', SHERIFFS, ({ exports }) => exports.remove('lender', 'x')],
    [
      'its version is served no more',
      COWBOYS,
      ({ schemas }) => schemas.put(schemaAt('provider/c', 'cowboys.dev', { versions: [{ served: false }] })),
    ],
  ];
  test.each(events)('when %s, within one turn of the loop and once', async (_, key, happen) => {
    const made = world();
    const { told } = await followed(made.domains, key);
    happen(made);
    await nextTurn();
    await nextTurn();
    expect(told).toEqual([key]);
    made.domains.refresh();
    await nextTurn();
    expect(told).toEqual([key]);
  });

  test('at once if the definition was replaced before he began to follow it', async () => {
    const { domains, schemas } = world();
    const { definition } = await followed(domains, COWBOYS);
    schemas.put(schemaAt('provider/c', 'cowboys.dev', { uid: 'new' }));
    await nextTurn();
    const told: number[] = [];
    domains.whenReplaced(KEY, definition, () => told.push(1));
    expect(told).toEqual([1]);
  });

  test('at once if the export is not even known', async () => {
    const { domains } = world();
    const { definition } = await followed(domains, COWBOYS);
    const told: number[] = [];
    domains.whenReplaced({ cluster: 'provider', name: 'unknown' }, definition, () => told.push(1));
    expect(told).toEqual([1]);
  });
});

describe('whoever follows a definition is not told', () => {
  test.each<[string, (w: ReturnType<typeof world>) => void]>([
    ['another resource changes', ({ schemas }) => schemas.put(schemaAt('lender/s', 'sheriffs.wild.west', { uid: 'new' }))],
    ['its schema comes again as it was', ({ schemas }) => schemas.put(schemaAt('provider/c', 'cowboys.dev'))],
    [
      'only verbs of claims change',
      ({ exports }) => exports.put(exportAt(AT, { schemas: ['c'], claims: [{ ...CLAIM, verbs: ['get'] }] })),
    ],
    ['the caches are listed anew', ({ schemas }) => schemas.replace(schemas.list())],
  ])('when %s', async (_, happen) => {
    const made = world();
    const { told } = await followed(made.domains, COWBOYS);
    happen(made);
    await nextTurn();
    expect(told).toEqual([]);
  });

  test('once he has stopped', async () => {
    const { domains, exports } = world();
    const { told, stop } = await followed(domains, COWBOYS);
    stop();
    exports.remove('provider', 'cowboys.dev');
    await nextTurn();
    expect(told).toEqual([]);
  });

  // Those who were to be told were copied first: one that another one had stopped, as the end of a request does, was told all the same.
  test('when one who is told before him makes him stop', async () => {
    const { domains, exports } = world();
    const definition = (await domains.setOf(KEY))?.definitions.get(COWBOYS) as ApiDefinition;
    const told: string[] = [];
    let stopSecond = (): void => undefined;
    domains.whenReplaced(KEY, definition, () => {
      told.push('first');
      stopSecond();
    });
    stopSecond = domains.whenReplaced(KEY, definition, () => told.push('second'));
    exports.remove('provider', 'cowboys.dev');
    await nextTurn();
    expect(told).toEqual(['first']);
  });

  test('after everything has stopped', async () => {
    const { domains, exports } = world();
    const { told } = await followed(domains, COWBOYS);
    exports.remove('provider', 'cowboys.dev');
    domains.stop();
    await nextTurn();
    expect(told).toEqual([]);
  });
});

// An export that is deleted and made again is another export, and may be another owner's.
test('an export that comes again after its deletion is a new domain, whose definitions are its own', async () => {
  const { domains, exports } = world();
  const { told } = await followed(domains, COWBOYS);
  exports.remove('provider', 'cowboys.dev');
  exports.put(exportAt(AT, { identity: 'new', schemas: ['c'] }));
  await nextTurn();
  expect(told).toEqual([COWBOYS]);
  expect((await domains.setOf(KEY))?.definitions.get(COWBOYS)?.identity).toBe('new');
});
