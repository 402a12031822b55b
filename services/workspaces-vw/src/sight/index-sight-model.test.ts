import { describe, expect, test } from '@jest/globals';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import fc from 'fast-check';
import type { IndexWriter } from '../index/facts.ts';
import { NaiveIndex } from '../index/naive.fixture.ts';
import type { Snapshot } from '../index/snapshot.ts';
import { createWorkspaceIndex } from '../index/workspace-index.ts';
import { CLUSTERS, type Edit, histories, PARENTS } from '../index/world.fixture.ts';
import { createIndexSight } from './index-sight.ts';
import { sees } from './may-enter.ts';
import { callers, naivelyEnters, naivelySees } from './naive-sight.fixture.ts';
import { NOON } from './sight.fixture.ts';
import type { SeenEvent, Sight } from './sight.ts';
import { viewerOf } from './viewer-of.ts';

const EPOCH = 1000n;
const runs = { numRuns: 100 };

type World = ReturnType<typeof createWorkspaceIndex>;

/** Objects as a shard gives them: made just now. */
function stamped(index: World): IndexWriter {
  const creationTimestamp = new Date(NOON).toISOString();
  return {
    role: (...given) => index.role(...given),
    binding: (...given) => index.binding(...given),
    logicalCluster: (...given) => index.logicalCluster(...given),
    workspace: (shard, cluster, name, object) =>
      index.workspace(shard, cluster, name, object && { ...object, metadata: { ...object.metadata, creationTimestamp } }),
    forgetShard: name => index.forgetShard(name),
    batch: work => index.batch(work),
  };
}

const sightOf = (index: World, who: Caller): Sight => createIndexSight(index, viewerOf(who), () => NOON);

function live(
  history: readonly (readonly Edit[])[],
  look: (index: World, naive: NaiveIndex) => void,
  index: World,
  writer: IndexWriter = index,
): void {
  const naive = new NaiveIndex();
  look(index, naive);
  for (const batch of history) {
    index.batch(() => {
      for (const edit of batch) edit.apply(writer);
    });
    for (const edit of batch) edit.apply(naive);
    look(index, naive);
  }
}

const keysOf = (sight: Sight, parent?: string): string[] =>
  [...sight.list(parent)].map(({ snapshot }) => `${snapshot.parent}/${snapshot.name}`);

/** By name, the version of the object, which says which it is. */
type State = ReadonlyMap<string, bigint>;

const stateOf = (sight: Sight, parent?: string): State =>
  new Map([...sight.list(parent)].map(({ snapshot }) => [`${snapshot.parent}/${snapshot.name}`, snapshot.objectVersion]));

function applied(state: State, events: readonly SeenEvent[]): State {
  const next = new Map(state);
  for (const { type, snapshot } of events) {
    const key = `${snapshot.parent}/${snapshot.name}`;
    // Whoever is told that something changes or goes has been told before that it is there.
    expect(next.has(key)).toBe(type !== 'ADDED');
    if (type === 'DELETED') next.delete(key);
    else next.set(key, snapshot.objectVersion);
  }
  return next;
}

function heard(sight: Sight, version: bigint, parent?: string) {
  const events: SeenEvent[] = [];
  return { events, stop: sight.watch(version, parent, event => events.push(event)) };
}

/** Undefined: 410. */
function replayed(sight: Sight, version: bigint, parent?: string): readonly SeenEvent[] | undefined {
  const events: SeenEvent[] = [];
  try {
    sight.watch(version, parent, event => events.push(event))();
    return events;
  } catch (error) {
    expect(error).toMatchObject({ code: 410 });
    expect(events).toEqual([]);
    return undefined;
  }
}

/** The same object is there, as whatever. */
const isThere = (index: World, { parent, name, object }: Snapshot): boolean =>
  index.find(parent, name)?.object.metadata?.uid === object.metadata?.uid;

/** Those DELETED that do not end the object, or only for a while, or because another takes its place that is not shown. */
function takenAway(index: World, sight: Sight, told: readonly SeenEvent[]): readonly SeenEvent[] {
  return told.filter(({ type, version, snapshot }) => {
    if (type !== 'DELETED') return false;
    if (told.some(one => one.type === 'ADDED' && one.version === version)) return false;
    const [event] = index.since(version - 1n);
    return event?.after !== undefined || (isThere(index, snapshot) && !sight.get(snapshot.parent, snapshot.name));
  });
}

const parents = [undefined, ...PARENTS];

describe('what is seen by way of the index, after any history', () => {
  test('is what the chain of kcp lets in, and nothing else', () => {
    fc.assert(
      fc.property(histories, fc.array(callers, { minLength: 1, maxLength: 6 }), (history, people) => {
        const index = createWorkspaceIndex({ epoch: EPOCH });
        const look = (_: World, naive: NaiveIndex): void => {
          for (const who of people) {
            const sight = sightOf(index, who);
            const expected = naive.all().filter(one => naivelySees(naive, who, one));
            for (const parent of parents) {
              const within = expected.filter(one => parent === undefined || one.parent === parent);
              expect(keysOf(sight, parent)).toEqual(within.map(one => `${one.parent}/${one.name}`));
            }
            for (const { parent, name } of naive.all()) {
              expect(sight.get(parent, name) !== undefined).toBe(
                expected.some(one => one.parent === parent && one.name === name),
              );
            }
            for (const cluster of CLUSTERS) {
              const entrance = naive.entrance(cluster);
              const enters = viewerOf(who).seesEverything || (entrance !== undefined && naivelyEnters(who, entrance));
              expect(sight.mayEnter(cluster)).toBe(enters);
            }
            for (const { snapshot, version } of sight.list()) {
              expect(version).toBeGreaterThanOrEqual(snapshot.objectVersion);
              expect(version).toBeLessThanOrEqual(index.version);
            }
          }
        };
        live(history, look, index, stamped(index));
      }),
      runs,
    );
  });

  test('is what it was at any earlier version with the events since, which a watcher has been told, unless something was taken away', () => {
    fc.assert(
      fc.property(histories, callers, (history, who) => {
        const index = createWorkspaceIndex({ epoch: EPOCH });
        const sight = sightOf(index, who);
        const past: { version: bigint; states: readonly State[] }[] = [];
        const watchers = parents.map(parent => heard(sight, EPOCH, parent));
        const look = (): void => {
          past.push({ version: index.version, states: parents.map(parent => stateOf(sight, parent)) });
          for (const { version, states } of past) {
            for (const [at, parent] of parents.entries()) {
              const told = watchers[at]?.events.filter(event => event.version > version) ?? [];
              const taken = takenAway(index, sight, told);
              const events = replayed(sight, version, parent);
              // What was taken away and has gone since may be told, or not.
              if (taken.some(({ snapshot }) => isThere(index, snapshot))) expect(events).toBeUndefined();
              if (events === undefined) {
                expect(taken).not.toEqual([]);
                continue;
              }
              expect(applied(states[at] ?? new Map(), events)).toEqual(stateOf(sight, parent));
              expect(events).toEqual(told);
            }
          }
        };
        live(history, look, index);
      }),
      runs,
    );
  });

  test('is never what is there and hidden today from who comes for the first time, from whatever version', () => {
    fc.assert(
      fc.property(histories, callers, (history, who) => {
        const index = createWorkspaceIndex({ epoch: EPOCH });
        const versions = [EPOCH];
        live(history, () => versions.push(index.version), index);
        const sight = sightOf(index, who);
        for (const version of versions) {
          for (const { snapshot } of replayed(sight, version) ?? []) {
            if (isThere(index, snapshot)) expect(sight.get(snapshot.parent, snapshot.name)).toBeDefined();
          }
        }
      }),
      runs,
    );
  });

  test('is told in order, and with nothing in it that its caller was not entitled to', () => {
    fc.assert(
      fc.property(histories, callers, (history, who) => {
        const index = createWorkspaceIndex({ epoch: EPOCH });
        const viewer = viewerOf(who);
        const { events } = heard(sightOf(index, who), EPOCH);
        live(history, () => undefined, index);
        let last = EPOCH;
        for (const { type, version, snapshot, previous } of events) {
          expect(version).toBeGreaterThanOrEqual(last);
          last = version;
          expect(sees(viewer, snapshot)).toBe(true);
          expect(previous !== undefined).toBe(type !== 'ADDED');
          if (previous) expect(sees(viewer, previous.snapshot)).toBe(true);
          if (type === 'DELETED') expect(previous?.snapshot).toBe(snapshot);
          if (type === 'MODIFIED') expect(previous?.snapshot.objectVersion).not.toBe(snapshot.objectVersion);
        }
      }),
      runs,
    );
  });
});
