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
  readonly bases?: Readonly<Record<string, string>>;
  readonly prepare?: (servers: FakeServers) => void;
}

async function setUp({ bases = { one: ONE }, prepare }: SetUp = {}) {
  const servers = new FakeServers();
  if (prepare) prepare(servers);
  else servers.serve(at(ONE, COMPUTE), at(ONE, DATABASES));
  const { shards, set } = fakeShards(bases);
  const { lines, log } = fakeLog();
  const time = timing();
  const listeners = new Set<() => void>();
  let compute: KnownExport | undefined = COMPUTE;
  let missing: string | undefined;
  const consumers = createConsumers({
    ...{ ...time, shards, log, connections: servers.connections, bases: () => shards.bases().values() },
    exports: {
      compute: () => compute,
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
    setCompute(next: KnownExport | undefined) {
      compute = next;
      for (const listener of listeners) listener();
    },
    setMissing(what: string | undefined) {
      missing = what;
    },
  };
}

describe('a logical cluster lets SyncTargets in', () => {
  test('as long as it has a binding that is Bound', async () => {
    const { servers, consumers } = await setUp();
    bind(servers, 'w', { phase: 'Binding' });
    expect(consumers.letsIn('w', 'c0')).toBe(false);
    bind(servers, 'w');
    expect(consumers.letsIn('w', 'c0')).toBe(true);
    servers.remove(at(ONE, COMPUTE), 'kubernetes', 'w');
    expect(consumers.letsIn('w', 'c0')).toBe(false);
  });

  test('until the last of its bindings is gone', async () => {
    const { servers, consumers } = await setUp();
    bind(servers, 'w', { name: 'one' });
    bind(servers, 'w', { name: 'two' });
    servers.remove(at(ONE, COMPUTE), 'one', 'w');
    expect(consumers.letsIn('w', 'c0')).toBe(true);
    servers.remove(at(ONE, COMPUTE), 'two', 'w');
    expect(consumers.letsIn('w', 'c0')).toBe(false);
  });

  // An export that claims bindings is shown all of them.
  test('only if the binding is to the compute export', async () => {
    const { servers, consumers } = await setUp();
    bind(servers, 'w', { to: exported('c9', 'kubernetes'), through: COMPUTE });
    bind(servers, 'w', { to: exported('c0', 'workload.kcp.io'), through: COMPUTE });
    expect([consumers.letsIn('w', 'c9'), consumers.letsIn('w', 'c0')]).toEqual([false, false]);
  });

  // Its provider would get what has been accepted for the compute export, Secrets among it.
  test('but not those of whoever provides something else that it has bound', async () => {
    const { servers, consumers } = await setUp();
    bind(servers, 'w');
    bind(servers, 'w', { to: DATABASES });
    expect(['c0', 'c1', 'w'].map(cluster => reaches(consumers, { cluster }, 'w'))).toEqual([true, false, true]);
    expect(consumers.missingOf('c1')).toBeUndefined();
  });

  test('on any of the shards that are followed', async () => {
    const { servers, consumers, setShards } = await setUp({
      bases: { one: ONE, two: TWO },
      prepare: servers => servers.serve(at(ONE, COMPUTE), at(TWO, COMPUTE)),
    });
    bind(servers, 'v');
    bind(servers, 'w', { base: TWO });
    expect(['v', 'w'].map(cluster => consumers.letsIn(cluster, 'c0'))).toEqual([true, true]);
    setShards({ one: ONE });
    expect(['v', 'w'].map(cluster => consumers.letsIn(cluster, 'c0'))).toEqual([true, false]);
    expect(servers.streams).toEqual([at(ONE, COMPUTE)]);
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

  test('follow the compute export', async () => {
    const { servers, consumers, setCompute, changes } = await setUp();
    bind(servers, 'v');
    bind(servers, 'w', { to: DATABASES });
    // Other schemas are no other export, and one that is not known for a moment is the one that it was.
    const asked = servers.requests.length;
    setCompute({ ...COMPUTE });
    setCompute(undefined);
    await settleAll();
    expect([consumers.letsIn('v', 'c0'), servers.requests.length]).toEqual([true, asked]);
    setCompute(DATABASES);
    expect(consumers.missingOf('c1')).toBe('the bindings of databases (waiting)');
    await settleAll();
    expect([consumers.letsIn('v', 'c0'), consumers.letsIn('w', 'c1'), consumers.missingOf('c1')]).toEqual([
      false,
      true,
      undefined,
    ]);
    expect(changes()).toBe(3);
    expect(servers.streams).toEqual([at(ONE, DATABASES)]);
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

  test('is all as long as the compute export is not known', async () => {
    const { shards } = fakeShards({ one: ONE });
    const exports = { compute: () => undefined, missing: () => 'the export kubernetes', onChange: () => () => undefined };
    const { connections } = new FakeServers();
    const consumers = createConsumers({ ...timing(), shards, exports, connections, log: fakeLog().log, bases: () => [ONE] });
    stops.push(() => consumers.stop());
    expect([consumers.missing(), consumers.missingOf('c9')]).toEqual(['the export kubernetes', 'the compute export']);
  });
});

test('a consumer that cannot be seen any more is kept for a while only', async () => {
  const { servers, consumers, clock } = await setUp();
  bind(servers, 'w');
  servers.refused.set(at(ONE, COMPUTE), 403);
  servers.expire();
  await clock.advance(2000);
  await settleAll();
  expect([consumers.letsIn('w', 'c0'), consumers.missingOf('c0')]).toEqual([true, 'the bindings of kubernetes (forbidden)']);
  await clock.advance(KEPT_WHEN_REFUSED_MS);
  expect(consumers.letsIn('w', 'c0')).toBe(false);
});

test('nothing stays open', async () => {
  const { consumers, servers, setCompute } = await setUp();
  consumers.stop();
  setCompute(DATABASES);
  await settleAll();
  expect(servers.streams).toEqual([]);
});
