import { describe, expect, test } from '@jest/globals';
import { effectiveUsers } from '@kcp-vw/shared/authn/effective-users.ts';
import { WARRANT_KEY } from '@kcp-vw/shared/authn/faces.ts';
import { asCaller, type Caller, identity } from '@kcp-vw/shared/authn/identity.ts';
import { CLUSTER_NAME_KEY, SCOPES_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import fc from 'fast-check';
import { NaiveIndex, type PlainEntrance, type PlainSnapshot } from '../index/naive.fixture.ts';
import type { Snapshot } from '../index/snapshot.ts';
import { createWorkspaceIndex } from '../index/workspace-index.ts';
import { CLUSTERS, type Edit, histories, PARENTS } from '../index/world.fixture.ts';
import { createIndexSight } from './index-sight.ts';
import { sees } from './may-enter.ts';
import type { SeenEvent, Sight } from './sight.ts';
import { viewerOf } from './viewer-of.ts';

/* What is seen by way of the index, against kcp's chain put down once more without any care for its cost. */

const EPOCH = 1000n;
const ROBOT = 'system:serviceaccount:default:robot';
const runs = { numRuns: 100 };

const names = fc.constantFrom('ann', 'bob', 'eve', ROBOT);
const groups = fc
  .subarray(['system:authenticated', 'staff', 'team', 'admins'])
  .chain(some =>
    fc
      .constantFrom<readonly string[]>(
        [],
        [],
        [],
        [],
        ['system:kcp:admin'],
        ['system:kcp:tenancy:workspace-bootstrapper'],
        ['system:kcp:external-logical-cluster-admin'],
        ['system:kcp:logical-cluster-admin'],
        ['system:masters'],
      )
      .map(special => [...some, ...special]),
  );
const scopes = fc.oneof(
  { weight: 3, arbitrary: fc.constant<readonly string[]>([]) },
  {
    weight: 2,
    arbitrary: fc.array(
      fc.subarray(CLUSTERS, { maxLength: 3 }).map(some => some.map(one => `cluster:${one}`).join(',')),
      { minLength: 1, maxLength: 2 },
    ),
  },
);
const homes = fc.constantFrom<readonly string[]>([], ['home'], ['team'], ['root-one'], ['team', 'root-one']);

const extras = fc.tuple(scopes, homes).map(([scope, home]) => ({
  ...(scope.length > 0 && { [SCOPES_KEY]: scope }),
  ...(home.length > 0 && { [CLUSTER_NAME_KEY]: home }),
}));

const warrant = (inner: fc.Arbitrary<readonly string[]>): fc.Arbitrary<string> =>
  fc
    .tuple(names, groups, extras, inner)
    .map(([user, of, extra, warrants]) => JSON.stringify({ user, groups: of, extra: { ...extra, [WARRANT_KEY]: warrants } }));
const few = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<readonly string[]> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant<readonly string[]>([]) },
    { weight: 1, arbitrary: fc.array(arbitrary, { maxLength: 2 }) },
  );
const warrants = few(warrant(few(warrant(fc.constant([])))));

const callers: fc.Arbitrary<Caller> = fc
  .tuple(names, groups, extras, warrants)
  .map(([name, of, extra, lent]) =>
    asCaller(identity(name, of, '', { ...extra, ...(lent.length > 0 && { [WARRANT_KEY]: lent }) }), 'request-header'),
  );

/** Read off kcp's authorizers, from top to bottom. */
function naivelyEnters(who: Caller, { cluster, open, requiredGroups, edges, shardWide }: PlainEntrance): boolean {
  const users = effectiveUsers(who, cluster);
  const has = (group: string): boolean => users.some(user => user.groups.includes(group));
  const isAccount = who.name.startsWith('system:serviceaccount:');
  if (who.groups.includes('system:masters')) return true;
  if (cluster === '') return false;
  if (has('system:kcp:logical-cluster-admin')) return true;
  const alternatives = [...(requiredGroups ?? []), ['system:kcp:admin'], ['system:kcp:tenancy:workspace-bootstrapper']];
  const isRequired = requiredGroups !== null && !isAccount && !has('system:kcp:external-logical-cluster-admin');
  if (isRequired && !alternatives.some(all => all.every(has))) return false;
  if (!open) return false;
  if (isAccount && users.some(({ name }) => name === who.name) && isLocal(who, cluster)) return true;
  return isBound(who, cluster, [...edges, ...shardWide]);
}

const isBound = (who: Caller, cluster: string, subjects: readonly string[]): boolean =>
  effectiveUsers(who, cluster).some(({ name, groups: of }) =>
    subjects.some(one => one === `u:${name}` || (of.includes(one.slice(2)) && one.startsWith('g:'))),
  );

function isLocal({ extra }: Caller, cluster: string): boolean {
  const home = extra[CLUSTER_NAME_KEY] ?? [];
  const isHere = home.length === 0 || (home.length === 1 && home[0] === cluster);
  return isHere && (extra[SCOPES_KEY] ?? []).every(scope => scope.split(',').includes(`cluster:${cluster}`));
}

function naivelySees(who: Caller, { parent, entrance, mount, creator }: PlainSnapshot): boolean {
  const nowhere = effectiveUsers(who, 'nowhere-that-is-named').flatMap(user => user.groups);
  const isSpecial = ['system:kcp:logical-cluster-admin', 'system:kcp:external-logical-cluster-admin'].some(group =>
    nowhere.includes(group),
  );
  if (isSpecial || who.groups.includes('system:masters')) return true;
  const by = creator as Snapshot['creator'] | null;
  const home = who.name === ROBOT && who.extra[CLUSTER_NAME_KEY]?.length === 1 ? who.extra[CLUSTER_NAME_KEY][0] : undefined;
  const isHimself = effectiveUsers(who, parent).some(({ name }) => name === who.name);
  if (by?.name === who.name && by.cluster === home && isHimself) return true;
  if (!naivelyEnters(who, entrance)) return false;
  return mount === null || isBound(who, parent, [...mount.edges, ...mount.shardWide]);
}

type World = ReturnType<typeof createWorkspaceIndex>;

function live(history: readonly (readonly Edit[])[], look: (index: World, naive: NaiveIndex) => void, index: World): void {
  const naive = new NaiveIndex();
  look(index, naive);
  for (const batch of history) {
    index.batch(() => {
      for (const edit of batch) edit.apply(index);
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

const parents = [undefined, ...PARENTS];

describe('what is seen by way of the index, after any history', () => {
  test('is what the chain of kcp lets in, and nothing else', () => {
    fc.assert(
      fc.property(histories, fc.array(callers, { minLength: 1, maxLength: 6 }), (history, people) => {
        const index = createWorkspaceIndex({ epoch: EPOCH });
        const look = (_: World, naive: NaiveIndex): void => {
          for (const who of people) {
            const sight = createIndexSight(index, viewerOf(who));
            const expected = naive.all().filter(one => naivelySees(who, one));
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
        live(history, look, index);
      }),
      runs,
    );
  });

  test('is what it was at any earlier version with the events since, which are those that a watcher has been told', () => {
    fc.assert(
      fc.property(histories, callers, (history, who) => {
        const index = createWorkspaceIndex({ epoch: EPOCH });
        const sight = createIndexSight(index, viewerOf(who));
        const past: { version: bigint; states: readonly State[] }[] = [];
        const watchers = parents.map(parent => heard(sight, EPOCH, parent));
        const look = (): void => {
          past.push({ version: index.version, states: parents.map(parent => stateOf(sight, parent)) });
          for (const { version, states } of past) {
            for (const [at, parent] of parents.entries()) {
              const { events, stop } = heard(sight, version, parent);
              stop();
              expect(applied(states[at] ?? new Map(), events)).toEqual(stateOf(sight, parent));
              expect(events).toEqual(watchers[at]?.events.filter(event => event.version > version));
            }
          }
        };
        live(history, look, index);
      }),
      runs,
    );
  });

  test('is told in order, and with nothing in it that its caller was not entitled to', () => {
    fc.assert(
      fc.property(histories, callers, (history, who) => {
        const index = createWorkspaceIndex({ epoch: EPOCH });
        const viewer = viewerOf(who);
        const { events } = heard(createIndexSight(index, viewer), EPOCH);
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
