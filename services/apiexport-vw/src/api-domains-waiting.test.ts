import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createApiDomains, EXPORT_INDEXES } from './api-domains.ts';
import type { ApiSet } from './api-set.ts';
import { exportAt, LiveInformer, ORDINARY_SHARD, schemaAt } from './apiexport.fixture.ts';
import type { ApiExport, ApiResourceSchema } from './apis-kcp-io.ts';

const KEY = { cluster: 'provider', name: 'cowboys.dev' };
const PATIENCE = 2_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

type Outcome = { readonly set: ApiSet | undefined } | { readonly error: unknown };

function world() {
  const exports = new LiveInformer<ApiExport>(EXPORT_INDEXES);
  const schemas = new LiveInformer<ApiResourceSchema>();
  const domains = createApiDomains({
    shardResources: ORDINARY_SHARD,
    exports,
    schemas,
    openapi: () => undefined,
    patience: PATIENCE,
  });
  /** The outcome of a question, undefined while it waits. */
  const ask = (key = KEY): (() => Outcome | undefined) => {
    let outcome: Outcome | undefined;
    domains.setOf(key).then(
      set => {
        outcome = { set };
      },
      error => {
        outcome = { error };
      },
    );
    return () => outcome;
  };
  return { exports, schemas, domains, ask };
}

/** Lets promises settle, and that much time pass. */
const pass = (milliseconds = 0): Promise<void> => jest.advanceTimersByTimeAsync(milliseconds);

describe('who asks for an export that is not there', () => {
  test('waits, and is told that it is not there', async () => {
    const { ask } = world();
    const outcome = ask();
    await pass(PATIENCE - 1);
    expect(outcome()).toBeUndefined();
    await pass(1);
    expect(outcome()).toEqual({ set: undefined });
  });

  // The URL of an export may be published before the cache here has the export: a test that lists once must not get a 404.
  test('gets it as soon as it appears, without waiting for a timer', async () => {
    const { ask, exports } = world();
    const outcome = ask();
    await pass();
    exports.put(exportAt('provider/cowboys.dev'));
    await pass();
    expect(outcome()).toEqual({ set: expect.objectContaining({ complete: true }) });
  });

  test('goes on waiting when it appears without an identity, and gets it with one', async () => {
    const { ask, exports } = world();
    const outcome = ask();
    await pass();
    exports.put(exportAt('provider/cowboys.dev', { identity: '' }));
    await pass();
    expect(outcome()).toBeUndefined();
    exports.put(exportAt('provider/cowboys.dev'));
    await pass();
    expect(outcome()).toHaveProperty('set.complete', true);
  });

  test('is not woken for good by other exports of its logical cluster', async () => {
    const { ask, exports } = world();
    const outcome = ask();
    await pass();
    for (const name of ['a', 'b']) exports.put(exportAt(`provider/${name}`));
    await pass(PATIENCE - 1);
    expect(outcome()).toBeUndefined();
    await pass(1);
    expect(outcome()).toEqual({ set: undefined });
  });

  test('is one of a thousand at most who wait: one more is told at once', async () => {
    const { ask } = world();
    const waiting = Array.from({ length: 1_000 }, (_, i) => ask({ cluster: `c${i % 50}`, name: `e${i}` }));
    await pass();
    expect(waiting.filter(outcome => outcome() !== undefined)).toEqual([]);
    const tooMany = ask();
    await pass();
    expect(tooMany()).toEqual({ set: undefined });
  });

  test('has a place among these again when others have been told', async () => {
    const { ask } = world();
    for (let i = 0; i < 1_000; i++) ask({ cluster: 'c', name: `e${i}` });
    await pass(PATIENCE);
    const outcome = ask();
    await pass();
    expect(outcome()).toBeUndefined();
  });

  // Woken and left to wait again, requests held a process up that was to end.
  test('is told at once when everything stops', async () => {
    const { ask, domains } = world();
    const outcome = ask();
    await pass();
    domains.stop();
    await pass();
    expect(outcome()).toEqual({ set: undefined });
    expect(jest.getTimerCount()).toBe(0);
  });

  test('leaves no timer behind when it has appeared', async () => {
    const { ask, exports } = world();
    ask();
    await pass();
    exports.put(exportAt('provider/cowboys.dev'));
    await pass();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('who asks before the caches are there', () => {
  test.each(['exports', 'schemas'] as const)('is told to come again if the %s are not there in time', async missing => {
    const made = world();
    made[missing].isSynced = false;
    made.exports.put(exportAt('provider/cowboys.dev'));
    const outcome = made.ask();
    await pass(PATIENCE);
    expect(outcome()).toEqual({ error: expect.objectContaining({ code: 503 }) });
  });

  test('is answered when they are', async () => {
    const { ask, exports } = world();
    exports.isSynced = false;
    exports.put(exportAt('provider/cowboys.dev'));
    const outcome = ask();
    await pass(500);
    expect(outcome()).toBeUndefined();
    exports.isSynced = true;
    await pass(100);
    expect(outcome()).toHaveProperty('set.complete', true);
  });
});

describe('a schema that is missing', () => {
  const exported = () => exportAt('provider/cowboys.dev', { schemas: ['c'] });

  test('is waited for', async () => {
    const { ask, exports, schemas } = world();
    exports.put(exported());
    const outcome = ask();
    await pass(100);
    expect(outcome()).toBeUndefined();
    schemas.put(schemaAt('provider/c', 'cowboys.dev'));
    await pass();
    expect(outcome()).toHaveProperty('set.complete', true);
  });

  test('is done without after a while, with what is there', async () => {
    const { ask, exports } = world();
    exports.put(exported());
    const outcome = ask();
    await pass(PATIENCE);
    expect(outcome()).toHaveProperty('set.complete', false);
  });

  test('holds up nobody who asks later', async () => {
    const { ask, exports } = world();
    exports.put(exported());
    ask();
    await pass(PATIENCE);
    const later = ask();
    await pass();
    expect(later()).toHaveProperty('set.complete', false);
  });

  // Each had its own full wait: who came just before the end of the first one's waited as long again, for what was given up already.
  test('holds up everybody until the same moment', async () => {
    const { ask, exports } = world();
    exports.put(exported());
    ask();
    await pass(PATIENCE - 10);
    const second = ask();
    await pass(10);
    expect(second()).toHaveProperty('set.complete', false);
  });

  test('holds up nobody when it goes missing of an export that has been asked for before', async () => {
    const { ask, exports, schemas } = world();
    exports.put(exported());
    schemas.put(schemaAt('provider/c', 'cowboys.dev'));
    ask();
    await pass(PATIENCE);
    schemas.remove('provider', 'c');
    const outcome = ask();
    await pass();
    expect(outcome()).toHaveProperty('set.complete', false);
  });

  test('of an export that is claimed from holds up nobody', async () => {
    const { ask, exports } = world();
    exports.put(exportAt('lender/x', { identity: 'other', schemas: ['missing'] }));
    exports.put(exportAt('provider/cowboys.dev', { claims: [{ group: 'g', resource: 'r', identityHash: 'other' }] }));
    const outcome = ask();
    await pass();
    expect(outcome()).toHaveProperty('set.complete', true);
  });
});

// Whoever owns any logical cluster may wait for exports in it: that must not take the place of all others.
test('the requests that wait for one logical cluster leave room for those that wait for another', async () => {
  const { ask, exports } = world();
  for (let i = 0; i < 5_000; i++) ask({ cluster: 'greedy', name: `none-${i}` });
  const outcome = ask();
  await pass(1_000);
  expect(outcome()).toBeUndefined();
  exports.put(exportAt('provider/cowboys.dev'));
  await pass();
  expect(outcome()).toMatchObject({ set: { complete: true } });
});
