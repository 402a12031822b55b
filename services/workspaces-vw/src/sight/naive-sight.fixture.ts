/** Test equipment: callers of all kinds, and kcp's chain put down once more without any care for its cost. */
import { effectiveUsers } from '@kcp-vw/shared/authn/effective-users.ts';
import { WARRANT_KEY } from '@kcp-vw/shared/authn/faces.ts';
import { asCaller, type Caller, identity } from '@kcp-vw/shared/authn/identity.ts';
import { CLUSTER_NAME_KEY, SCOPES_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import fc from 'fast-check';
import type { NaiveIndex, PlainEntrance, PlainSnapshot } from '../index/naive.fixture.ts';
import type { Snapshot } from '../index/snapshot.ts';
import { CLUSTERS } from '../index/world.fixture.ts';

const ROBOT = 'system:serviceaccount:default:robot';

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

export const callers: fc.Arbitrary<Caller> = fc
  .tuple(names, groups, extras, warrants)
  .map(([name, of, extra, lent]) =>
    asCaller(identity(name, of, '', { ...extra, ...(lent.length > 0 && { [WARRANT_KEY]: lent }) }), 'request-header'),
  );

/** Read off kcp's authorizers, from top to bottom. */
export function naivelyEnters(who: Caller, { cluster, open, requiredGroups, edges, shardWide }: PlainEntrance): boolean {
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

export function naivelySees(naive: NaiveIndex, who: Caller, { parent, entrance, mount, creator }: PlainSnapshot): boolean {
  const nowhere = effectiveUsers(who, 'nowhere-that-is-named').flatMap(user => user.groups);
  const isSpecial = ['system:kcp:logical-cluster-admin', 'system:kcp:external-logical-cluster-admin'].some(group =>
    nowhere.includes(group),
  );
  if (isSpecial || who.groups.includes('system:masters')) return true;
  const by = creator as Snapshot['creator'] | null;
  const home = who.name === ROBOT && who.extra[CLUSTER_NAME_KEY]?.length === 1 ? who.extra[CLUSTER_NAME_KEY][0] : undefined;
  const isHimself = effectiveUsers(who, parent).some(({ name }) => name === who.name);
  const above = naive.entrance(parent);
  const isAwaited = by?.name === who.name && by.cluster === home && isHimself;
  if (isAwaited && above !== undefined && naivelyEnters(who, above)) return true;
  if (!naivelyEnters(who, entrance)) return false;
  return mount === null || isBound(who, parent, [...mount.edges, ...mount.shardWide]);
}
