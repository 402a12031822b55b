import { afterEach, describe, expect, test } from '@jest/globals';
import type { ExportReference } from '../controllers/sync-target.ts';
import { createExports } from './exports.ts';
import { KEPT_WHEN_REFUSED_MS } from './followed-collection.ts';
import { FakeServers, fakeLog, settleAll, timing } from './knowledge.fixture.ts';
import type { KnownSyncTarget, SyncTargetChange } from './knowledge.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const SERVER = 'https://kcp:6443';
const COMPUTE = 'root:compute';
const exportsAt = (workspace: string): string => `${SERVER}/clusters/${workspace}/apis/apis.kcp.io/v1alpha2/apiexports`;
const schemasAt = (workspace: string): string => `${SERVER}/clusters/${workspace}/apis/apis.kcp.io/v1alpha1/apiresourceschemas`;

function putExport(
  servers: FakeServers,
  workspace: string,
  cluster: string,
  name: string,
  schemas: readonly string[] = [],
): void {
  servers.serve(schemasAt(workspace));
  servers.put(exportsAt(workspace), name, {
    cluster,
    spec: { resources: schemas.map(schema => ({ group: 'g', name: 'n', schema })) },
    status: { identityHash: `hash-${name}` },
  });
}

function putCompute(servers: FakeServers): void {
  putExport(servers, COMPUTE, 'c0', 'kubernetes', ['v1.pods.core', 'v1.deployments.apps']);
  putExport(servers, COMPUTE, 'c0', 'workload.kcp.io');
  servers.put(schemasAt(COMPUTE), 'v1.pods.core', { cluster: 'c0', spec: { group: '' } });
}

const targetOf = (name: string, supported: readonly ExportReference[], cluster = 'st'): KnownSyncTarget => ({
  identity: { cluster, name, uid: `uid-${name}` },
  key: name,
  base: 'https://one',
  object: { spec: { supportedAPIExports: supported } },
});

interface SetUp {
  readonly targets?: readonly KnownSyncTarget[];
  readonly prepare?: (servers: FakeServers) => void;
  readonly mostWorkspaces?: number;
}

async function setUp({ targets = [], prepare = putCompute, ...more }: SetUp = {}) {
  const servers = new FakeServers();
  prepare(servers);
  const { lines, log } = fakeLog();
  const time = timing();
  const listeners = new Set<(change: SyncTargetChange) => void>();
  const known = [...targets];
  let missing: string | undefined;
  const exports = createExports({
    ...{ ...time, ...more, log, connections: servers.connections, server: new URL(`${SERVER}/clusters/${COMPUTE}`) },
    compute: { workspace: COMPUTE },
    syncTargets: {
      list: () => known,
      missing: () => missing,
      onChange(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
  });
  stops.push(() => exports.stop());
  let changes = 0;
  exports.onChange(() => {
    changes += 1;
  });
  const tell = (type: SyncTargetChange['type'], target: KnownSyncTarget): void => {
    for (const listener of listeners) listener({ type, target });
  };
  const names = () => exports.list().map(({ cluster, name }) => `${cluster}/${name}`);
  await settleAll();
  return {
    ...{ servers, exports, lines, tell, names, clock: time.clock },
    changes: () => changes,
    setMissing: (what: string | undefined) => {
      missing = what;
    },
  };
}

describe('the compute export', () => {
  test('is known with those of its schemas that are there, frozen', async () => {
    const { exports, names } = await setUp();
    const compute = exports.compute();
    expect(compute).toMatchObject({ cluster: 'c0', name: 'kubernetes', identityHash: 'hash-kubernetes' });
    expect(compute?.schemas.map(({ metadata }) => metadata?.name)).toEqual(['v1.pods.core']);
    expect([Object.isFrozen(compute?.schemas), Object.isFrozen(compute?.schemas[0])]).toEqual([true, true]);
    expect([names(), exports.missing()]).toEqual([['c0/kubernetes'], undefined]);
    expect(exports.find(COMPUTE, 'kubernetes')).toBe(compute);
    expect(exports.find('c0', 'kubernetes')).toBe(compute);
  });

  test('gets its schemas in the order in which it names them', async () => {
    const { exports, servers } = await setUp();
    servers.put(schemasAt(COMPUTE), 'v1.deployments.apps', { cluster: 'c0' });
    expect(exports.compute()?.schemas.map(({ metadata }) => metadata?.name)).toEqual(['v1.pods.core', 'v1.deployments.apps']);
  });

  test('is the same as long as it says the same', async () => {
    const { exports, servers, changes } = await setUp();
    const [before, list, told] = [exports.compute(), exports.list(), changes()];
    putExport(servers, COMPUTE, 'c0', 'kubernetes', ['v1.pods.core', 'v1.deployments.apps']);
    servers.put(schemasAt(COMPUTE), 'v1.others.apps', { cluster: 'c0' });
    expect([exports.compute() === before, exports.list() === list, changes()]).toEqual([true, true, told]);
    servers.put(exportsAt(COMPUTE), 'kubernetes', {
      cluster: 'c0',
      spec: { resources: [{ schema: 'v1.pods.core' }] },
      status: { identityHash: 'another' },
    });
    expect(exports.compute()).toMatchObject({ identityHash: 'another' });
    expect(exports.compute()?.schemas).toBe(before?.schemas);
    expect(changes()).toBe(told + 1);
  });

  test('is waited for, with the reason', async () => {
    const { exports, servers } = await setUp({ prepare: servers => servers.refused.set(exportsAt(COMPUTE), 403) });
    expect(exports.missing()).toContain('the export kubernetes: the exports of root:compute (');
    expect(exports.compute()).toBeUndefined();
    servers.refused.clear();
  });

  test('without an identity is none yet', async () => {
    const { exports, servers } = await setUp({
      prepare(servers) {
        servers.serve(schemasAt(COMPUTE));
        servers.put(exportsAt(COMPUTE), 'kubernetes', { cluster: 'c0', status: {} });
      },
    });
    expect(exports.missing()).toBe('the export kubernetes: root:compute has none that is ready');
    putCompute(servers);
    expect(exports.missing()).toBeUndefined();
  });
});

describe('the export of SyncTargets', () => {
  test('is known, and told of, though nobody supports it', async () => {
    const { exports, servers, changes } = await setUp({ prepare: servers => putExport(servers, COMPUTE, 'c0', 'kubernetes') });
    const told = changes();
    expect(exports.workload()).toBeUndefined();
    putExport(servers, COMPUTE, 'c0', 'workload.kcp.io');
    expect(exports.workload()).toMatchObject({ cluster: 'c0', name: 'workload.kcp.io' });
    expect([changes(), exports.list().length]).toEqual([told + 1, 1]);
  });
});

describe('an export of another workspace', () => {
  const prepare = (servers: FakeServers): void => {
    putCompute(servers);
    putExport(servers, 'root:org:db', 'c1', 'databases');
    putExport(servers, 'root:org:db', 'c1', 'unsupported');
    putExport(servers, 'st', 'st', 'own');
  };

  test('is known as long as a SyncTarget supports it, by path or in its own workspace', async () => {
    const target = targetOf('us', [{ path: 'root:org:db', export: 'databases' }, { export: 'own' }]);
    const { exports, names, tell, servers } = await setUp({ prepare, targets: [target] });
    expect(names()).toEqual(['c0/kubernetes', 'c1/databases', 'st/own']);
    expect(exports.find('root:org:db', 'databases')).toBe(exports.find('c1', 'databases'));
    expect([exports.find('st', 'own')?.cluster, exports.find('root:org:db', 'unsupported')]).toEqual(['st', undefined]);
    tell('DELETED', target);
    await settleAll();
    expect([names(), exports.find('c1', 'databases')]).toEqual([['c0/kubernetes'], undefined]);
    expect(servers.streams).toEqual([schemasAt(COMPUTE), exportsAt(COMPUTE)]);
  });

  test('is known as long as one of several SyncTargets supports it', async () => {
    const [one, two] = ['one', 'two'].map(name => targetOf(name, [{ path: 'root:org:db', export: 'databases' }]));
    if (!one || !two) throw new Error('there are two');
    const { names, tell } = await setUp({ prepare, targets: [one, two] });
    tell('DELETED', one);
    await settleAll();
    expect(names()).toEqual(['c0/kubernetes', 'c1/databases']);
    tell('MODIFIED', targetOf('two', []));
    await settleAll();
    expect(names()).toEqual(['c0/kubernetes']);
  });

  test('is not left for a moment when its SyncTarget is made again', async () => {
    const target = targetOf('us', [{ export: 'own' }]);
    const { tell, names, servers } = await setUp({ prepare, targets: [target] });
    const asked = servers.requests.length;
    tell('DELETED', target);
    tell('ADDED', target);
    await settleAll();
    expect([names(), servers.requests.length]).toEqual([['c0/kubernetes', 'st/own'], asked]);
  });

  test('that may not be read degrades nothing else', async () => {
    const { exports, names, clock } = await setUp({
      prepare(servers) {
        prepare(servers);
        servers.refused.set(exportsAt('root:org:db'), 403);
      },
      targets: [targetOf('us', [{ path: 'root:org:db', export: 'databases' }, { export: 'own' }])],
    });
    expect([names(), exports.missing()]).toEqual([['c0/kubernetes', 'st/own'], undefined]);
    expect([exports.missingOf('root:org:db'), exports.missingOf('st')]).toEqual([
      'the exports of root:org:db (forbidden)',
      undefined,
    ]);
    await clock.advance(KEPT_WHEN_REFUSED_MS);
    await settleAll();
    // There is none for us, and that is that.
    expect(exports.missingOf('root:org:db')).toBeUndefined();
  });

  // Whoever makes a SyncTarget chooses what its paths lead to.
  test('does not take the place of another by saying that it is that one', async () => {
    const { exports } = await setUp({
      prepare(servers) {
        prepare(servers);
        putExport(servers, 'aaa', 'c0', 'kubernetes', ['forged']);
        servers.put(schemasAt('aaa'), 'forged', { cluster: 'c0' });
      },
      targets: [targetOf('us', [{ path: 'aaa', export: 'kubernetes' }])],
    });
    expect(exports.list()).toEqual([exports.compute()]);
    expect(exports.find('aaa', 'kubernetes')).toBe(exports.compute());
    expect(exports.compute()?.schemas.map(({ metadata }) => metadata?.name)).toEqual(['v1.pods.core']);
  });

  test.each([['*'], ['a/b'], ['..'], ['root:Org'], ['a?b']])('at %s is not asked for', async path => {
    const { servers } = await setUp({ targets: [targetOf('us', [{ path, export: 'x' }])] });
    expect(new Set(servers.requests)).toEqual(new Set([exportsAt(COMPUTE), schemasAt(COMPUTE)]));
  });

  test('is not known of more workspaces than there may be, which is warned of; the first stay', async () => {
    const targets = ['one', 'two'].map(name => targetOf(name, [{ path: `root:${name}`, export: 'x' }]));
    const { names, tell, lines } = await setUp({
      prepare(servers) {
        putCompute(servers);
        for (const name of ['a', 'one', 'two']) putExport(servers, `root:${name}`, name, 'x');
      },
      targets,
      mostWorkspaces: 2,
    });
    tell('ADDED', targetOf('three', [{ path: 'root:a', export: 'x' }]));
    await settleAll();
    expect(names()).toEqual(['c0/kubernetes', 'one/x', 'two/x']);
    expect(lines.filter(({ fields }) => fields.leftOut).map(({ fields }) => fields.such)).toEqual([['root:a']]);
    tell('DELETED', targetOf('one', []));
    await settleAll();
    expect(names()).toEqual(['a/x', 'c0/kubernetes', 'two/x']);
  });
});

describe('until all is known that SyncTargets support', () => {
  test('the SyncTargets are waited for, and their exports', async () => {
    const { exports, setMissing, tell } = await setUp();
    setMissing('the SyncTargets of one');
    const target = targetOf('us', [{ path: 'root:org:db', export: 'databases' }]);
    tell('ADDED', target);
    expect(exports.missing()).toBe('the SyncTargets of one');
    setMissing(undefined);
    expect(exports.missing()).toBe('the exports that SyncTargets support');
    await Promise.resolve();
    expect(exports.missing()).toBe('the exports of root:org:db');
    await settleAll();
    expect(exports.missing()).toBeUndefined();
    // From then on nobody keeps others waiting by making a SyncTarget.
    tell('ADDED', targetOf('eu', [{ path: 'root:org:other', export: 'x' }]));
    await Promise.resolve();
    expect([exports.missing(), exports.missingOf('root:org:other')]).toEqual([
      undefined,
      'the exports of root:org:other (waiting)',
    ]);
  });
});

test('nothing stays open', async () => {
  const { exports, servers, tell } = await setUp();
  exports.stop();
  tell('ADDED', targetOf('us', [{ export: 'own' }]));
  await settleAll();
  expect(servers.streams).toEqual([]);
});
