import { describe, expect, test } from '@jest/globals';
import { WARRANT_KEY } from '@kcp-vw/shared/authn/faces.ts';
import { asCaller, type Caller, identity } from '@kcp-vw/shared/authn/identity.ts';
import { CLUSTER_NAME_KEY, SCOPES_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import { NOBODY } from '../index/facts.ts';
import type { Entrance, Snapshot } from '../index/snapshot.ts';
import { mayEnter, sees, sinceWhen } from './may-enter.ts';
import { caller, edges, entranceOf, snapshotOf, to } from './sight.fixture.ts';
import { viewerOf } from './viewer-of.ts';

const ROBOT = 'system:serviceaccount:default:robot';
const GLOBAL_ROBOT = 'u:system:kcp:serviceaccount:home:default:robot';
const robot = (cluster: string | undefined, extra: Caller['extra'] = {}): Caller =>
  caller(ROBOT, ['system:serviceaccounts'], { ...(cluster && { [CLUSTER_NAME_KEY]: [cluster] }), ...extra });
const scoped = (...values: string[]): Caller['extra'] => ({ [SCOPES_KEY]: values });
const lending = (...warrants: object[]): Caller['extra'] => ({ [WARRANT_KEY]: warrants.map(one => JSON.stringify(one)) });
const anonymous = asCaller(identity('system:anonymous', ['system:unauthenticated']), 'anonymous');

const open = (...subjects: string[]): Entrance => entranceOf('this', { edges: to(...subjects) });
const gated = (requiredGroups: string): Entrance => ({ ...open('u:ada', 'u:bob', GLOBAL_ROBOT), requiredGroups });
const closed = entranceOf('this', { open: false, edges: to('u:ada', 'g:team') });

type Row = readonly [what: string, who: Caller, entrance: Entrance, expected: boolean];

describe('whether somebody may enter', () => {
  test.each<Row>([
    ['a user who is bound', caller('ada'), open('u:ada'), true],
    ['a user who is not', caller('bob'), open('u:ada'), false],
    ['a user whose name is that of a bound group', caller('team'), open('g:team'), false],
    ['a member of a bound group', caller('bob', ['team']), open('g:team'), true],
    ['a user who is bound on the whole shard', caller('ada'), entranceOf('this', { shardWide: to('u:ada') }), true],
    ['anybody where everybody is bound', caller('bob'), open('g:system:authenticated'), true],
    ['nobody where everybody who is authenticated is bound', anonymous, open('g:system:authenticated'), false],
    ['nobody where nobody is bound', anonymous, open('g:system:unauthenticated'), true],
    ['a user who is bound where it is closed', caller('ada'), closed, false],
    ['a member of masters where it is closed', caller('x', ['system:masters']), closed, true],
    ['a logical cluster admin where it is closed', caller('x', ['system:kcp:logical-cluster-admin']), closed, true],
    ['a user with a master for a warrant', caller('x', [], lending({ groups: ['system:masters'] })), closed, false],
    ['a user who is bound where there is no logical cluster', caller('ada'), { ...open('u:ada'), cluster: '' }, false],
    ['a user who is bound in a system cluster', caller('ada'), { ...open('u:ada'), cluster: 'system:admin' }, false],
  ])('%s: %#', (_, who, entrance, expected) => {
    expect(mayEnter(viewerOf(who), entrance)).toBe(expected);
  });
});

describe('whether somebody with scopes may enter', () => {
  test.each<Row>([
    ['in scope', caller('ada', [], scoped('cluster:this')), open('u:ada'), true],
    ['out of scope', caller('ada', ['team'], scoped('cluster:other')), open('u:ada', 'g:team'), false],
    ['out of one of two scopes', caller('ada', [], scoped('cluster:this', 'cluster:other')), open('u:ada'), false],
    ['out of scope, where everybody may', caller('ada', [], scoped('cluster:other')), open('g:system:authenticated'), true],
    ['from a logical cluster that may', caller('ada', [], scoped('cluster:other')), open('g:system:cluster:other'), true],
    [
      'in scope, by the group for those from here',
      caller('ada', [], scoped('cluster:this')),
      open('g:system:cluster:this'),
      false,
    ],
  ])('%s', (_, who, entrance, expected) => {
    expect(mayEnter(viewerOf(who), entrance)).toBe(expected);
  });
});

describe('whether somebody with warrants may enter', () => {
  test.each<Row>([
    ['who is lent a bound user', caller('bob', [], lending({ user: 'ada' })), open('u:ada'), true],
    ['who is lent a bound group', caller('bob', [], lending({ user: 'x', groups: ['team'] })), open('g:team'), true],
    [
      'out of scope with a warrant',
      caller('bob', [], { ...scoped('cluster:o'), ...lending({ user: 'ada' }) }),
      open('u:ada'),
      true,
    ],
    [
      'whose warrant is out of scope',
      caller('bob', [], lending({ user: 'ada', extra: scoped('cluster:o') })),
      open('u:ada'),
      false,
    ],
    [
      'with a warrant in a warrant',
      caller('bob', [], lending({ user: 'x', extra: lending({ user: 'ada' }) })),
      open('u:ada'),
      true,
    ],
    ['with a service account of nowhere', caller('bob', [], lending({ user: ROBOT })), open(`u:${ROBOT}`), false],
    [
      'with a service account of here, which is bound',
      caller('bob', [], lending({ user: ROBOT, extra: { [CLUSTER_NAME_KEY]: ['this'] } })),
      open(`u:${ROBOT}`),
      true,
    ],
    // Only of the caller's own name kcp asks whether it is local.
    [
      'with a service account of here, which is not',
      caller('bob', [], lending({ user: ROBOT, extra: { [CLUSTER_NAME_KEY]: ['this'] } })),
      open(),
      false,
    ],
  ])('one %s', (_, who, entrance, expected) => {
    expect(mayEnter(viewerOf(who), entrance)).toBe(expected);
  });
});

describe('whether a service account may enter', () => {
  test.each<Row>([
    ['its own', robot('this'), open(), true],
    ['its own, closed', robot('this'), closed, false],
    ['its own, which requires groups', robot('this'), { ...open(), requiredGroups: 'team' }, true],
    ['its own, where its scopes do not reach', robot('this', scoped('cluster:other')), open(), false],
    ['another, where one of its name is bound', robot('home'), open(`u:${ROBOT}`), false],
    ['another, where it is bound by its global name', robot('home'), open(GLOBAL_ROBOT), true],
    ['another, where it is bound and groups are required', robot('home'), gated('team'), true],
    ['another, where all service accounts are bound', robot('home'), open('g:system:serviceaccounts'), false],
    ['another, where everybody may', robot('home'), open('g:system:authenticated'), true],
    // As kcp has it: a shard's own reviews leave the logical cluster out.
    ['any, when it says of none that it is its own', robot(undefined), open(), true],
  ])('%s', (_, who, entrance, expected) => {
    expect(mayEnter(viewerOf(who), entrance)).toBe(expected);
  });
});

describe('whether somebody may enter where groups are required', () => {
  test.each<Row>([
    ['the only one', caller('ada', ['a']), gated('a'), true],
    ['none', caller('ada'), gated('a'), false],
    ['all of one alternative', caller('ada', ['b', 'c']), gated('a;b,c'), true],
    ['a part of each alternative', caller('ada', ['a', 'c']), gated('a,b;c,d'), false],
    ['some of a warrant and some of his own', caller('ada', ['a'], lending({ groups: ['b'] })), gated('a,b'), true],
    ['all, but is not bound', caller('eve', ['a']), gated('a'), false],
    ['those of an admin of kcp', caller('ada', ['system:kcp:admin']), gated('a'), true],
    ['those of a bootstrapper', caller('ada', ['system:kcp:tenancy:workspace-bootstrapper']), gated('a'), true],
    ['those of an admin of kcp, but is not bound', caller('eve', ['system:kcp:admin']), gated('a'), false],
    [
      'those of an external admin of this logical cluster alone',
      caller('ada', [], lending({ groups: ['system:kcp:external-logical-cluster-admin'], extra: scoped('cluster:this') })),
      gated('a'),
      true,
    ],
    [
      'them only where he is in scope',
      caller('ada', ['a'], { ...scoped('cluster:o'), ...lending({ user: 'bob' }) }),
      gated('a'),
      false,
    ],
    ['anything where the annotation is empty', caller('ada', ['a']), gated(''), false],
    ['one where the others are empty', caller('ada', ['a']), gated(';,;a'), true],
    ['one where one without a name is needed besides', caller('ada', ['a']), gated('a,'), false],
    ['a group without a name, where that is needed', caller('ada', ['']), gated('b;'), true],
    ['any groups where nobody has what is needed', caller('ada', ['a', '']), gated(NOBODY), false],
    ['those of an admin of kcp where nobody has what is needed', caller('ada', ['system:kcp:admin']), gated(NOBODY), true],
  ])('one who has %s', (_, who, entrance, expected) => {
    expect(mayEnter(viewerOf(who), entrance)).toBe(expected);
  });
});

test('groups are taken apart rightly however many texts ask for them', () => {
  const ada = viewerOf(caller('ada', ['a']));
  const texts = Array.from({ length: 600 }, (_, at) => `${at},x;${at % 2 === 0 ? 'a' : 'b'}`);
  for (const _ of [1, 2])
    expect(texts.filter(text => mayEnter(ada, gated(text)))).toEqual(texts.filter(text => text.endsWith('a')));
});

describe('whether a workspace is shown', () => {
  const parent = entranceOf('parent', { edges: to('u:ada', 'u:bob') });
  const mount = (changes: Partial<Snapshot> = {}): Snapshot =>
    snapshotOf('parent', 'm', { entrance: parent, mount: { edges: to('u:ada', 'u:eve'), shardWide: to('g:all') }, ...changes });
  const created = (creator: Snapshot['creator']): Snapshot =>
    snapshotOf('parent', 'w', { entrance: entranceOf('', { open: false }), ...(creator && { creator }) });

  test.each<readonly [what: string, who: Caller, snapshot: Snapshot, expected: boolean]>([
    ['to one who may enter it', caller('ada'), snapshotOf('parent', 'w', { entrance: open('u:ada') }), true],
    ['to one who may enter its parent only', caller('ada'), snapshotOf('parent', 'w', { entrance: open() }), false],
    ['to masters, whatever it is', caller('x', ['system:masters']), created(undefined), true],
    // They note its shard in a workspace whose logical cluster nobody may enter yet.
    [
      "to kcp's controllers, whatever it is",
      caller('x', ['system:kcp:external-logical-cluster-admin']),
      created(undefined),
      true,
    ],
    ['as a mount, to one who may get it and enter its parent', caller('ada'), mount(), true],
    ['as a mount, to one who may only enter its parent', caller('bob'), mount(), false],
    ['as a mount, to one who may only get it', caller('eve'), mount(), false],
    ['as a mount, to one who may get those of the shard', caller('bob', ['all']), mount(), true],
    ['as a mount, when its parent is closed', caller('ada'), mount({ entrance: { ...parent, open: false } }), false],
    ['as a mount, to one out of scope in its parent', caller('ada', [], scoped('cluster:m')), mount(), false],
    ['before it is there, to nobody but those', caller('ada'), created({ name: 'ada' }), false],
  ])('%s', (_, who, snapshot, expected) => {
    expect(sees(viewerOf(who), snapshot)).toBe(expected);
  });
});

describe('the version that is shown', () => {
  const entrance = (changes: Partial<Entrance>): Snapshot =>
    snapshotOf('p', 'w', { objectVersion: 5n, entrance: entranceOf('this', changes) });

  test.each<readonly [what: string, who: Caller, snapshot: Snapshot, expected: bigint]>([
    ['that of the object when he could enter before it', caller('ada'), entrance({ edges: edges({ 'u:ada': 3n }) }), 5n],
    ['that of his grant when it came later', caller('ada'), entrance({ edges: edges({ 'u:ada': 9n }) }), 9n],
    [
      'that of his first grant',
      caller('ada', ['t']),
      entrance({ edges: edges({ 'u:ada': 9n }), shardWide: edges({ 'g:t': 7n }) }),
      7n,
    ],
    ['that of the gate when it changed last', caller('ada'), entrance({ edges: edges({ 'u:ada': 9n }), version: 11n }), 11n],
    ['that of the gate for an account that is at home', robot('this'), entrance({ version: 8n }), 8n],
    ['that of the object for masters', caller('x', ['system:masters']), entrance({ version: 8n }), 5n],
    [
      'of a mount, that of the last of both that he needs',
      caller('ada'),
      { ...entrance({ edges: edges({ 'u:ada': 6n }) }), mount: { edges: edges({ 'u:ada': 12n }), shardWide: edges() } },
      12n,
    ],
  ])('is %s', (_, who, snapshot, expected) => {
    expect(sinceWhen(viewerOf(who), snapshot)).toBe(expected);
  });
});
