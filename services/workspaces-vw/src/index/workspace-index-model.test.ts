import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { edgesOf, NaiveIndex, plainEntrance, plainSnapshot } from './naive.fixture.ts';
import type { Edges, IndexEvent, Interest, Snapshot, WorkspaceIndex } from './snapshot.ts';
import { createWorkspaceIndex } from './workspace-index.ts';
import { CLUSTERS, type Edit, edits, histories, interests, PARENTS, SHARDS } from './world.fixture.ts';

const EPOCH = 1000n;
const runs = { numRuns: 100 };

type World = ReadonlyMap<string, Snapshot>;

const keyOf = ({ parent, name }: Snapshot): string => `${parent}/${name}`;

const worldOf = (index: WorkspaceIndex): World => new Map([...index.candidates({})].map(snapshot => [keyOf(snapshot), snapshot]));

const concerned = ({ before, after }: IndexEvent): Snapshot => {
  const snapshot = after ?? before;
  if (!snapshot) throw new Error('an event of nothing');
  return snapshot;
};

/** Lives through a history, and looks after each batch. */
function live(
  history: readonly (readonly Edit[])[],
  look: (index: ReturnType<typeof createWorkspaceIndex>, naive: NaiveIndex) => void,
) {
  const index = createWorkspaceIndex({ epoch: EPOCH });
  const naive = new NaiveIndex();
  look(index, naive);
  for (const batch of history) {
    const [only, ...others] = batch;
    if (only && others.length === 0) only.apply(index);
    else index.batch(() => batch.forEach(edit => void edit.apply(index)));
    for (const edit of batch) edit.apply(naive);
    look(index, naive);
  }
  return index;
}

describe('the index, after any history', () => {
  test('says of every workspace and every logical cluster what all facts together say', () => {
    fc.assert(
      fc.property(histories, history => {
        live(history, (index, naive) => {
          const expected = naive.all();
          expect([...index.candidates({})].map(plainSnapshot)).toEqual(expected);
          for (const { parent, name, upstreamVersion } of expected)
            expect(index.find(parent, name)?.upstreamVersion).toBe(upstreamVersion);
          for (const cluster of CLUSTERS) {
            const entrance = index.entrance(cluster);
            expect(entrance && plainEntrance(entrance)).toEqual(naive.entrance(cluster));
          }
          for (const parent of PARENTS) {
            expect(new Set(index.shardsOf(parent))).toEqual(naive.shardsOf(parent));
            expect(index.hasUnresolved(parent)).toBe(naive.hasUnresolved(parent));
          }
          expect(index.hasUnresolved()).toBe(naive.hasUnresolved());
          expect(index.stats().workspaces).toBe(expected.length);
        });
      }),
      runs,
    );
  });

  test('finds for any interest all candidates and no others, sorted', () => {
    fc.assert(
      fc.property(histories, fc.array(interests, { minLength: 1, maxLength: 4 }), (history, wanted) => {
        live(history, (index, naive) => {
          for (const interest of wanted) {
            expect([...index.candidates(interest)].map(plainSnapshot)).toEqual(naive.candidates(interest));
          }
        });
      }),
      runs,
    );
  });

  test('finds the workspace of a logical cluster, first of all the one that the logical cluster itself names', () => {
    fc.assert(
      fc.property(histories, history => {
        live(history, (index, naive) => {
          for (const cluster of CLUSTERS) {
            const tenants = naive.all().filter(({ spec, mount }) => !mount && (spec as { cluster?: string }).cluster === cluster);
            const found = index.byCluster(cluster);
            expect(found !== undefined).toBe(tenants.length > 0);
            if (tenants.some(({ entrance }) => entrance.open)) expect(found?.entrance.open).toBe(true);
          }
        });
      }),
      runs,
    );
  });

  test('can be made from what it was at any earlier version and the events since, of all parents and of one', () => {
    fc.assert(
      fc.property(histories, history => {
        const past: { version: bigint; world: World }[] = [];
        live(history, index => {
          past.push({ version: index.version, world: worldOf(index) });
          for (const { version, world } of past) {
            expect(replayed(world, index.since(version))).toEqual(worldOf(index));
            for (const parent of PARENTS) {
              const events = [...index.since(version, parent)];
              expect(events).toEqual([...index.since(version)].filter(event => concerned(event).parent === parent));
            }
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  test('numbers its events one after the other, each workspace once in a batch, sorted, and has none in which nothing is other', () => {
    fc.assert(
      fc.property(histories, history => {
        let version = EPOCH;
        live(history, index => {
          const events = [...index.since(version)];
          expect(events.map(event => event.version)).toEqual(events.map((_, at) => version + BigInt(at + 1)));
          version += BigInt(events.length);
          expect(index.version).toBe(version);

          const keys = events.map(event => keyOf(concerned(event)));
          expect(keys).toEqual([...new Set(keys)].sort());
          for (const { before, after } of events) {
            if (!before || !after || before.entrance.version !== after.entrance.version) continue;
            // Whoever may get it by two roles may lose one.
            if (before.mount?.edges !== after.mount?.edges || before.mount?.shardWide !== after.mount?.shardWide) continue;
            expect(plainSnapshot(after)).not.toEqual(plainSnapshot(before));
          }
        });
      }),
      runs,
    );
  });

  test('gives an object the version of the event that changed it, and never less sight of it than the events say', () => {
    fc.assert(
      fc.property(histories, history => {
        let version = EPOCH;
        live(history, index => {
          for (const event of index.since(version)) {
            const { before, after } = event;
            if (!after) continue;
            expect(after.object.metadata?.resourceVersion).toBe(String(after.objectVersion));
            expect(after.object === before?.object).toBe(after.objectVersion === before?.objectVersion);
            if (after.object !== before?.object) expect(after.objectVersion).toBe(event.version);
            expectVersionsOfSight(before, after, event.version, index.version);
          }
          version = index.version;
        });
      }),
      runs,
    );
  });

  test('tells a follower once, in order, of all that concerns him', () => {
    fc.assert(
      fc.property(histories, fc.array(fc.tuple(interests, fc.nat(8)), { maxLength: 5 }), (history, wanted) => {
        const told = wanted.map((): IndexEvent[] => []);
        const from: bigint[] = [];
        let step = 0;
        const index = live(history, present => {
          wanted.forEach(([interest, start], at) => {
            if (start % (history.length + 1) !== step) return;
            from[at] = present.version;
            present.follow(interest, event => told[at]?.push(event));
          });
          step += 1;
        });
        const events = [...index.since(EPOCH)];
        wanted.forEach(([interest], at) => {
          const possible = events.filter(event => event.version > (from[at] ?? 0n));
          const got = new Set(told[at]);
          expect(told[at]).toEqual(possible.filter(event => got.has(event)));
          for (const event of possible) if (isOfInterest(event, interest)) expect(got.has(event)).toBe(true);
        });
      }),
      runs,
    );
  });

  test('keeps nothing after thousands of changes when each fact has been taken out again', () => {
    fc.assert(
      fc.property(fc.array(edits, { minLength: 3000, maxLength: 3000 }), history => {
        const index = createWorkspaceIndex({ epoch: EPOCH, capacity: 64 });
        for (const edit of history) edit.apply(index);
        for (const edit of history) edit.takeBack(index);
        expect(index.stats()).toMatchObject({ workspaces: 0, edges: 0, subjects: 0, followers: 0, kept: 0 });
      }),
      { numRuns: 2 },
    );
  });

  test('keeps nothing of shards that have been forgotten, nor of followers that have left', () => {
    fc.assert(
      fc.property(histories, interests, (history, interest) => {
        const index = live(history, () => undefined);
        const stop = index.follow(interest, () => undefined);
        for (const shard of SHARDS) index.forgetShard(shard);
        stop();
        expect([...index.candidates({})]).toEqual([]);
        expect(index.stats()).toMatchObject({ workspaces: 0, edges: 0, subjects: 0, followers: 0, kept: 0 });
      }),
      runs,
    );
  });
});

function replayed(world: World, events: Iterable<IndexEvent>): World {
  const next = new Map(world);
  for (const event of events) {
    const { before, after } = event;
    const key = keyOf(concerned(event));
    // The very value: whoever has seen it has seen what the event starts from.
    expect(next.get(key) === before).toBe(true);
    if (after) next.set(key, after);
    else next.delete(key);
  }
  return new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The version at which a subject came to see a workspace by its edges; undefined: it does not. */
function sightOf({ objectVersion, entrance, mount }: Snapshot, subject: string): bigint | undefined {
  const entered = sinceIn(subject, entrance.edges, entrance.shardWide);
  const seen = mount ? sinceIn(subject, mount.edges, mount.shardWide) : 0n;
  if (!entrance.open || entered === undefined || seen === undefined) return undefined;
  return [objectVersion, entrance.version, entered, seen].reduce((a, b) => (a > b ? a : b));
}

function sinceIn(subject: string, ...all: readonly Edges[]): bigint | undefined {
  const versions = all.map(edges => edges.since(subject)).filter(version => version !== undefined);
  return versions.reduce<bigint | undefined>((a, b) => (a !== undefined && a < b ? a : b), undefined);
}

function expectVersionsOfSight(before: Snapshot | undefined, after: Snapshot, version: bigint, head: bigint): void {
  for (const subject of new Set([...edgesOf(plainSnapshot(after)), ...(before ? edgesOf(plainSnapshot(before)) : [])])) {
    const now = sightOf(after, subject);
    const then = before && sightOf(before, subject);
    if (now === undefined) continue;
    expect(now <= head).toBe(true);
    // A client that resumes from it must not miss this event, nor go back.
    expect(now >= (then ?? version)).toBe(true);
  }
}

function isOfInterest({ before, after }: IndexEvent, { parent, subjects, clusters, creator }: Interest): boolean {
  return [before, after].some(snapshot => {
    if (!snapshot || (parent !== undefined && snapshot.parent !== parent)) return false;
    if (!subjects || (creator !== undefined && snapshot.creator?.name === creator)) return true;
    if (!snapshot.mount && [...(clusters ?? [])].some(cluster => snapshot.object.spec?.cluster === cluster)) return true;
    const wanted = new Set(subjects);
    return edgesOf(plainSnapshot(snapshot)).some(subject => wanted.has(subject));
  });
}
