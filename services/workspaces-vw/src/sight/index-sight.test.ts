import { describe, expect, test } from '@jest/globals';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { CLUSTER_NAME_KEY, SCOPES_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import type { Snapshot } from '../index/snapshot.ts';
import { createIndexSource } from './index-source.ts';
import { caller, createdAt, edges, entranceOf, fakeIndex, NOON, snapshotOf, to } from './sight.fixture.ts';
import type { SeenEvent, Sight } from './sight.ts';

const ROBOT = 'system:serviceaccount:default:robot';
const scoped = (...clusters: string[]): Caller['extra'] => ({ [SCOPES_KEY]: [clusters.map(one => `cluster:${one}`).join(',')] });

const CREATED: Partial<Snapshot> = {
  entrance: entranceOf('', { open: false }),
  creator: { name: 'ada' },
  object: createdAt(new Date(NOON).toISOString(), snapshotOf('a', 'x')).object,
};

function fixture() {
  const index = fakeIndex();
  const source = createIndexSource(index, () => NOON);
  const put = (parent: string, name: string, subjects: readonly string[], changes: Partial<Snapshot> = {}): void =>
    index.put(snapshotOf(parent, name, { entrance: entranceOf(`c-${name}`, { edges: to(...subjects) }), ...changes }));
  const names = async (who: Caller, parent?: string): Promise<string[]> =>
    [...(await source.sightOf(who, parent)).list(parent)].map(({ snapshot }) => `${snapshot.parent}/${snapshot.name}`);
  return { index, source, put, names };
}

function record(sight: Sight, version: bigint, parent?: string) {
  const events: SeenEvent[] = [];
  const stop = sight.watch(version, parent, event => events.push(event));
  const told = (): string[] => events.map(({ type, version: at, snapshot }) => `${type} ${snapshot.name} ${at}`);
  return { events, told, stop };
}

describe('a list', () => {
  test('is what the caller may enter, of one parent or of all, sorted', async () => {
    const { put, names } = fixture();
    put('b', 'x', ['u:ada']);
    put('a', 'z', ['g:team']);
    put('a', 'y', ['u:ada', 'g:team']);
    put('a', 'w', ['u:bob']);
    expect(await names(caller('ada', ['team']))).toEqual(['a/y', 'a/z', 'b/x']);
    expect(await names(caller('ada', ['team']), 'a')).toEqual(['a/y', 'a/z']);
  });

  test('is everything for masters, also what nobody can enter', async () => {
    const { put, names } = fixture();
    put('a', 'x', [], { entrance: entranceOf('', { open: false }) });
    expect(await names(caller('root', ['system:masters']))).toEqual(['a/x']);
  });

  test('has what only those in scope may enter in the right place, and not what only those out of scope may', async () => {
    const { put, names } = fixture();
    for (const name of ['m', 'n', 'o']) put('a', name, ['g:system:authenticated']);
    put('a', 'l', ['u:ada']);
    put('a', 'nn', ['u:ada']);
    put('a', 'p', ['u:ada']);
    put('b', 'q', ['u:ada']);
    put('a', 'r', ['g:system:cluster:c-l']);
    const ada = caller('ada', [], scoped('c-l', 'c-nn', 'c-q', 'c-r'));
    expect(await names(ada, 'a')).toEqual(['a/l', 'a/m', 'a/n', 'a/nn', 'a/o']);
    expect(await names(ada)).toEqual(['a/l', 'a/m', 'a/n', 'a/nn', 'a/o', 'b/q']);
  });

  test('has what is mounted where the caller is in scope, and nowhere else', async () => {
    const { put, names } = fixture();
    const mounted = (parent: string) => ({
      entrance: entranceOf(parent, { edges: to('u:ada') }),
      mount: { edges: to('u:ada'), shardWide: edges() },
    });
    put('a', 'm', [], mounted('a'));
    put('b', 'm', [], mounted('b'));
    expect(await names(caller('ada'))).toEqual(['a/m', 'b/m']);
    expect(await names(caller('ada', [], scoped('a')))).toEqual(['a/m']);
    expect(await names(caller('ada', [], scoped('a')), 'a')).toEqual(['a/m']);
    expect(await names(caller('ada', [], scoped('a')), 'b')).toEqual([]);
  });

  test("has a service account's own workspace, to which no binding leads", async () => {
    const { put, names } = fixture();
    put('a', 'x', []);
    put('a', 'y', []);
    expect(await names(caller(ROBOT, [], { [CLUSTER_NAME_KEY]: ['c-x'] }), 'a')).toEqual(['a/x']);
    // kcp takes one that names no logical cluster for a local one of each.
    expect(await names(caller(ROBOT), 'a')).toEqual(['a/x', 'a/y']);
  });

  test('has what the caller has created, before there is anything to enter', async () => {
    const { index, put, names } = fixture();
    index.enter(entranceOf('a', { edges: to('u:ada') }));
    put('a', 'x', [], CREATED);
    expect(await names(caller('ada'), 'a')).toEqual(['a/x']);
    expect(await names(caller('ada', [], scoped('a')), 'a')).toEqual(['a/x']);
    expect(await names(caller('ada', [], scoped('b')), 'a')).toEqual([]);
    expect(await names(caller('bob'), 'a')).toEqual([]);
  });

  // What is written into a workspace elsewhere puts nothing into his list.
  test('has nothing that only says that the caller has created it, where he may not go', async () => {
    const { index, put, names } = fixture();
    index.enter(entranceOf('mallory', { edges: to('u:mallory') }));
    put('mallory', 'payroll', [], CREATED);
    expect(await names(caller('ada'))).toEqual([]);
    expect(await names(caller('ada'), 'mallory')).toEqual([]);
  });
});

describe('one workspace', () => {
  test('is there for who may enter it, and for nobody else', async () => {
    const { put, source } = fixture();
    put('a', 'x', ['u:ada']);
    expect((await source.sightOf(caller('ada'), 'a')).get('a', 'x')?.snapshot.name).toBe('x');
    expect((await source.sightOf(caller('bob'), 'a')).get('a', 'x')).toBeUndefined();
    expect((await source.sightOf(caller('ada'), 'a')).get('a', 'y')).toBeUndefined();
  });
});

describe('the gate', () => {
  test('is the entrance of the logical cluster, of which masters need none', async () => {
    const { index, source } = fixture();
    index.enter(entranceOf('a', { edges: to('u:ada') }));
    expect((await source.sightOf(caller('ada'), 'a')).mayEnter('a')).toBe(true);
    expect((await source.sightOf(caller('bob'), 'a')).mayEnter('a')).toBe(false);
    expect((await source.sightOf(caller('ada'), 'b')).mayEnter('b')).toBe(false);
    expect((await source.sightOf(caller('x', ['system:masters']), 'b')).mayEnter('b')).toBe(true);
  });
});

describe('a watch', () => {
  test('tells what comes into sight, changes there, and goes', async () => {
    const { index, source, put } = fixture();
    const { told } = record(await source.sightOf(caller('ada'), 'a'), 100n, 'a');
    put('a', 'x', []);
    put('a', 'x', ['u:ada']);
    put('a', 'x', ['u:ada'], { objectVersion: 103n });
    put('a', 'x', ['u:ada', 'u:bob'], { objectVersion: 103n });
    put('a', 'x', [], { objectVersion: 103n });
    put('a', 'x', [], { objectVersion: 106n });
    put('a', 'x', ['u:ada'], { objectVersion: 106n });
    index.remove('a', 'x');
    put('b', 'y', ['u:ada']);
    expect(told()).toEqual(['ADDED x 102', 'MODIFIED x 103', 'DELETED x 105', 'ADDED x 107', 'DELETED x 108']);
  });

  test('tells the same to one who comes later, and goes on from there', async () => {
    const { source, put } = fixture();
    const live = record(await source.sightOf(caller('ada'), undefined), 100n);
    put('a', 'x', ['u:ada']);
    put('b', 'y', ['u:ada']);
    const late = record(await source.sightOf(caller('ada'), undefined), 100n);
    const later = record(await source.sightOf(caller('ada'), undefined), 101n);
    put('a', 'x', []);
    expect(live.told()).toEqual(['ADDED x 101', 'ADDED y 102', 'DELETED x 103']);
    expect(late.events).toEqual(live.events);
    expect(later.events).toEqual(live.events.slice(1));
  });

  test('does not show what became of a workspace when its caller was let in no more', async () => {
    const { source, put } = fixture();
    put('a', 'x', ['u:ada'], { objectVersion: 2n });
    const { events } = record(await source.sightOf(caller('ada'), 'a'), 101n, 'a');
    put('a', 'x', [], { objectVersion: 102n });
    expect(events).toMatchObject([
      { type: 'DELETED', version: 102n, snapshot: { objectVersion: 2n }, previous: { version: 2n } },
    ]);
  });

  // A client that waits for the end of an object would wait for ever for one that comes again at once.
  test('tells that a workspace is gone when another takes its name in the same moment', async () => {
    const { source, put } = fixture();
    put('a', 'x', ['u:ada']);
    const { told } = record(await source.sightOf(caller('ada'), 'a'), 101n, 'a');
    put('a', 'x', ['u:ada'], { objectVersion: 102n, object: { metadata: { name: 'x', uid: 'another' } } });
    expect(told()).toEqual(['DELETED x 102', 'ADDED x 102']);
  });

  // His name leads to it only where he is in scope, and its logical cluster is none that he names.
  test('tells one in scope of what is mounted there', async () => {
    const { index, source, put } = fixture();
    const { told } = record(await source.sightOf(caller('ada', [], scoped('a')), 'a'), 100n, 'a');
    const entrance = entranceOf('a', { edges: to('u:ada') });
    put('a', 'm', [], { entrance, mount: { edges: to('u:ada'), shardWide: edges() } });
    put('a', 'n', [], { entrance, mount: { edges: to('u:bob'), shardWide: edges() } });
    index.remove('a', 'm');
    expect(told()).toEqual(['ADDED m 101', 'DELETED m 103']);
  });

  test('tells of named logical clusters, and of what the caller has created', async () => {
    const { index, source, put } = fixture();
    index.enter(entranceOf('a', { edges: to('u:ada') }));
    const robot = caller(ROBOT, [], { [CLUSTER_NAME_KEY]: ['c-x'] });
    const { told } = record(await source.sightOf(robot, 'a'), 100n, 'a');
    put('a', 'x', []);
    expect(told()).toEqual(['ADDED x 101']);
    const created = record(await source.sightOf(caller('ada'), 'a'), 101n, 'a');
    put('a', 'y', [], CREATED);
    expect(created.told()).toEqual(['ADDED y 102']);
  });

  test('hears nothing more when it has been stopped', async () => {
    const { index, source, put } = fixture();
    const { told, stop } = record(await source.sightOf(caller('ada'), 'a'), 100n, 'a');
    stop();
    put('a', 'x', ['u:ada']);
    expect(told()).toEqual([]);
    expect(index.stats().followers).toBe(0);
  });

  // He may have joined the team after all that: what it once saw is not for him.
  test('does not go back to before somebody was let in no more, neither with what there was nor with its name', async () => {
    const { source, put } = fixture();
    put('a', 'x', ['g:team']);
    put('a', 'y', ['g:team']);
    put('a', 'x', []);
    const sight = await source.sightOf(caller('ada', ['team']), 'a');
    const told: unknown[] = [];
    for (const version of [100n, 101n, 102n]) {
      expect(() => sight.watch(version, 'a', event => told.push(event))).toThrow(expect.objectContaining({ code: 410 }));
    }
    expect(told).toEqual([]);
    expect(record(sight, 103n, 'a').told()).toEqual([]);
    // Who has never seen it goes back as far as he likes, and so do those who see everything.
    expect(record(await source.sightOf(caller('bob'), 'a'), 100n, 'a').told()).toEqual([]);
    const masters = await source.sightOf(caller('root', ['system:masters']), 'a');
    expect(record(masters, 100n, 'a').told()).toEqual(['ADDED x 101', 'ADDED y 102']);
  });

  test('goes back to before a workspace was deleted, though its bindings went before it', async () => {
    const { index, source, put } = fixture();
    const leaving = { object: { metadata: { name: 'x', uid: 'uid-x', deletionTimestamp: '2026-01-01T00:00:00Z' } } };
    put('a', 'x', ['u:ada']);
    put('a', 'x', ['u:ada'], { ...leaving, objectVersion: 102n });
    put('a', 'x', [], { ...leaving, objectVersion: 102n });
    const sight = await source.sightOf(caller('ada'), 'a');
    // It is still there, and he may not know.
    expect(() => sight.watch(100n, 'a', () => undefined)).toThrow(expect.objectContaining({ code: 410 }));
    index.remove('a', 'x');
    expect(record(sight, 100n, 'a').told()).toEqual(['ADDED x 101', 'MODIFIED x 102', 'DELETED x 103']);
    // Nor does another of its name change that.
    put('a', 'x', [], { object: { metadata: { name: 'x', uid: 'another' } }, objectVersion: 105n });
    expect(record(sight, 102n, 'a').told()).toEqual(['DELETED x 103']);
  });

  test('does not go back to before another, which he may not see, took the name', async () => {
    const { source, put } = fixture();
    put('a', 'x', ['u:ada']);
    put('a', 'x', [], { object: { metadata: { name: 'x', uid: 'another' } }, objectVersion: 102n });
    const sight = await source.sightOf(caller('ada'), 'a');
    expect(() => sight.watch(101n, 'a', () => undefined)).toThrow(expect.objectContaining({ code: 410 }));
  });

  test('is refused with 410 from a version that is not known any more', async () => {
    const { source } = fixture();
    const sight = await source.sightOf(caller('ada'), 'a');
    expect(() => sight.watch(99n, 'a', () => undefined)).toThrow(expect.objectContaining({ code: 410 }));
  });
});
