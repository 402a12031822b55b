import { afterEach, describe, expect, test } from '@jest/globals';
import { createConsumers } from './consumers.ts';
import { KEPT_WHEN_REFUSED_MS } from './followed-collection.ts';
import { FakeServers, fakeLog, fakeShards, settleAll, timing } from './knowledge.fixture.ts';
import { type KnownExport, reaches } from './knowledge.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const ONE = 'https://one';
const TWO = 'https://two/vw';
const exported = (cluster: string, name: string): KnownExport => ({ cluster, name, identityHash: 'h', schemas: [] });
const COMPUTE = exported('c0', 'kubernetes');
const DATABASES = exported('c1', 'databases');
const at = (base: string, { cluster, name }: KnownExport): string =>
  `${base}/services/apiexport/${cluster}/${name}/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings`;

interface Binding {
  readonly to?: KnownExport;
  readonly phase?: string;
  readonly through?: KnownExport;
  readonly base?: string;
  readonly name?: string;
}

function bind(
  servers: FakeServers,
  cluster: string,
  { to = COMPUTE, phase = 'Bound', through = to, base = ONE, name = to.name }: Binding = {},
): void {
  servers.put(at(base, through), name, {
    cluster,
    spec: { reference: { export: { path: 'root:somewhere', name: to.name } } },
    status: { apiExportClusterName: to.cluster, phase },
  });
}

interface SetUp {
  readonly exports?: readonly KnownExport[];
  readonly bases?: Readonly<Record<string, string>>;
  readonly prepare?: (servers: FakeServers) => void;
}

async function setUp({ exports: first = [COMPUTE], bases = { one: ONE }, prepare }: SetUp = {}) {
  const servers = new FakeServers();
  if (prepare) prepare(servers);
  else servers.serve(...first.map(one => at(ONE, one)));
  const { shards, set } = fakeShards(bases);
  const { lines, log } = fakeLog();
  const time = timing();
  const listeners = new Set<() => void>();
  let list = first;
  let missing: string | undefined;
  const consumers = createConsumers({
    ...{ ...time, shards, log, connections: servers.connections, bases: () => shards.bases().values() },
    exports: {
      list: () => list,
      compute: () => COMPUTE,
      missing: () => missing,
      onChange(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
  });
  stops.push(() => consumers.stop());
  let changes = 0;
  consumers.onChange(() => {
    changes += 1;
  });
  await settleAll();
  return {
    ...{ servers, consumers, lines, clock: time.clock, setShards: set },
    changes: () => changes,
    setExports(next: readonly KnownExport[]) {
      list = next;
      for (const listener of listeners) listener();
    },
    setMissing(what: string | undefined) {
      missing = what;
    },
  };
}

describe('a logical cluster has bound an export', () => {
  test('as long as it has a binding that is Bound', async () => {
    const { servers, consumers } = await setUp();
    bind(servers, 'w', { phase: 'Binding' });
    expect(consumers.binds('w', 'c0')).toBe(false);
    bind(servers, 'w');
    expect([consumers.binds('w', 'c0'), [...consumers.of(COMPUTE)]]).toEqual([true, ['w']]);
    servers.remove(at(ONE, COMPUTE), 'kubernetes', 'w');
    expect([consumers.binds('w', 'c0'), consumers.of(COMPUTE).size]).toEqual([false, 0]);
  });

  test('until the last of its bindings is gone', async () => {
    const { servers, consumers } = await setUp();
    bind(servers, 'w', { name: 'one' });
    bind(servers, 'w', { name: 'two' });
    servers.remove(at(ONE, COMPUTE), 'one', 'w');
    expect(consumers.binds('w', 'c0')).toBe(true);
    servers.remove(at(ONE, COMPUTE), 'two', 'w');
    expect(consumers.binds('w', 'c0')).toBe(false);
  });

  // An export that claims bindings is shown all of them.
  test('only if the binding is to that export, through whichever it is seen', async () => {
    const { servers, consumers } = await setUp({ exports: [COMPUTE, DATABASES] });
    bind(servers, 'w', { to: exported('c9', 'databases'), through: DATABASES });
    bind(servers, 'w', { to: exported('c1', 'others'), through: DATABASES });
    expect([consumers.binds('w', 'c1'), consumers.binds('w', 'c9')]).toEqual([false, false]);
    bind(servers, 'w', { to: DATABASES });
    expect([consumers.binds('w', 'c1'), consumers.binds('w', 'c0')]).toEqual([true, false]);
  });

  test('and lets the SyncTargets in that are where the export is', async () => {
    const { servers, consumers } = await setUp({ exports: [COMPUTE, DATABASES] });
    bind(servers, 'w', { to: DATABASES });
    expect([reaches(consumers, { cluster: 'c1' }, 'w'), reaches(consumers, { cluster: 'c2' }, 'w')]).toEqual([true, false]);
    expect(reaches(consumers, { cluster: 'w' }, 'w')).toBe(true);
  });

  test('on any of the shards that are followed', async () => {
    const { servers, consumers, setShards } = await setUp({
      bases: { one: ONE, two: TWO },
      prepare: servers => servers.serve(at(ONE, COMPUTE), at(TWO, COMPUTE)),
    });
    bind(servers, 'v');
    bind(servers, 'w', { base: TWO });
    expect([...consumers.of(COMPUTE)]).toEqual(['v', 'w']);
    setShards({ one: ONE });
    expect([[...consumers.of(COMPUTE)], servers.streams]).toEqual([['v'], [at(ONE, COMPUTE)]]);
  });
});

describe('changes', () => {
  test('are told once for a list, and not when nobody has come or gone', async () => {
    const { servers, changes } = await setUp({
      prepare(servers) {
        bind(servers, 'v');
        bind(servers, 'w');
      },
    });
    expect(changes()).toBe(1);
    bind(servers, 'w');
    bind(servers, 'w', { name: 'another' });
    expect(changes()).toBe(1);
    bind(servers, 'x');
    expect(changes()).toBe(2);
  });

  test('follow the exports', async () => {
    const { servers, consumers, setExports, changes } = await setUp();
    bind(servers, 'w', { to: DATABASES });
    setExports([COMPUTE, DATABASES]);
    expect(consumers.missingOf('c1')).toBe('the bindings of c1/databases (waiting)');
    await settleAll();
    expect([consumers.binds('w', 'c1'), consumers.missingOf('c1'), changes()]).toEqual([true, undefined, 1]);
    // Other schemas are no other export.
    const asked = servers.requests.length;
    setExports([COMPUTE, { ...DATABASES }]);
    await settleAll();
    expect(servers.requests).toHaveLength(asked);
    setExports([COMPUTE]);
    expect([consumers.binds('w', 'c1'), consumers.of(DATABASES).size, changes()]).toEqual([false, 0, 2]);
    expect(servers.streams).toEqual([at(ONE, COMPUTE)]);
  });
});

describe('what is missing', () => {
  test('is what exports miss, then where to look, then the bindings of the compute export', async () => {
    const { consumers, setMissing, setShards, servers } = await setUp({
      bases: {},
      prepare: servers => servers.refused.set(at(ONE, COMPUTE), 403),
    });
    setMissing('the export kubernetes');
    expect(consumers.missing()).toBe('the export kubernetes');
    setMissing(undefined);
    expect(consumers.missing()).toBe('where the shard is whose bindings are looked for');
    setShards({ one: ONE });
    await settleAll();
    expect(consumers.missing()).toBe('the bindings of kubernetes');
    servers.refused.clear();
  });

  test('is nothing where nobody has bound the export yet', async () => {
    const { consumers } = await setUp({ prepare: () => undefined });
    expect([consumers.missing(), consumers.missingOf('c0')]).toEqual([undefined, undefined]);
  });

  test('are no bindings of an export that its provider does not let us see, but for that one', async () => {
    const { consumers, clock } = await setUp({
      exports: [COMPUTE, DATABASES],
      prepare(servers) {
        servers.serve(at(ONE, COMPUTE));
        servers.refused.set(at(ONE, DATABASES), 403);
      },
    });
    expect([consumers.missing(), consumers.missingOf('c0')]).toEqual([undefined, undefined]);
    expect(consumers.missingOf('c1')).toBe('the bindings of c1/databases (forbidden)');
    await clock.advance(KEPT_WHEN_REFUSED_MS);
    await settleAll();
    expect(consumers.missingOf('c1')).toBeUndefined();
  });
});

// Or a provider could keep a consumer that has left, by taking the right away to see that it has.
test('a consumer that cannot be seen any more is kept for a while only', async () => {
  const { servers, consumers, clock } = await setUp();
  bind(servers, 'w');
  servers.refused.set(at(ONE, COMPUTE), 403);
  servers.expire();
  await clock.advance(2000);
  await settleAll();
  expect([consumers.binds('w', 'c0'), consumers.missingOf('c0')]).toEqual([true, 'the bindings of c0/kubernetes (forbidden)']);
  await clock.advance(KEPT_WHEN_REFUSED_MS);
  expect(consumers.binds('w', 'c0')).toBe(false);
});

test('nothing stays open', async () => {
  const { consumers, servers, setExports } = await setUp();
  consumers.stop();
  setExports([COMPUTE, DATABASES]);
  await settleAll();
  expect(servers.streams).toEqual([]);
});
