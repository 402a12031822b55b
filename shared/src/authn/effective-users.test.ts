import { describe, expect, test } from '@jest/globals';
import { clustersNamedBy, effectiveUsers, isInScope, MAX_WARRANT_DEPTH, MAX_WARRANTS, parseWarrant } from './effective-users.ts';
import { WARRANT_KEY } from './faces.ts';
import { type Identity, identity } from './identity.ts';
import { CLUSTER_NAME_KEY, SCOPES_KEY } from './service-account-name.ts';

const AUTHENTICATED = ['system:authenticated'];
const ROBOT = 'system:serviceaccount:default:robot';
type Extra = Identity['extra'];

const user = (name: string, extra: Extra = {}, groups = AUTHENTICATED): Identity => identity(name, groups, '', extra);
const scoped = (...values: string[]): Extra => ({ [SCOPES_KEY]: values });
const carrying = (...warrants: string[]): Extra => ({ [WARRANT_KEY]: warrants });
const of = (...clusters: string[]): Extra => ({ [CLUSTER_NAME_KEY]: clusters });
const warrant = (name: string, extra: Extra = {}, groups = AUTHENTICATED): string =>
  JSON.stringify({ user: name, groups, extra });
const names = (who: Identity, cluster: string | undefined): string[] => effectiveUsers(who, cluster).map(({ name }) => name);
const groupsOf = (who: Identity, cluster: string | undefined): string[] => [
  ...new Set(effectiveUsers(who, cluster).flatMap(({ groups }) => groups)),
];

describe('whether an identity is in scope in "this"', () => {
  test.each<[string, Identity, boolean]>([
    ['has no scopes', user('ada'), true],
    ['has an empty scope', user('ada', scoped('')), false],
    ['has this scope', user('ada', scoped('cluster:this')), true],
    ['has another scope', user('ada', scoped('cluster:other')), false],
    ['has two that contradict each other', user('ada', scoped('cluster:this', 'cluster:other')), false],
    ['has an empty one beside this', user('ada', scoped('', 'cluster:this')), false],
    ['has a scope of no known sort', user('ada', scoped('unknown:this', 'this')), false],
    ['has this among others', user('ada', scoped('cluster:other,cluster:this')), true],
    ['has this in each of several', user('ada', scoped('cluster:other,cluster:this', 'cluster:this,cluster:third')), true],
    ['has this beside empty ones', user('ada', scoped(',,cluster:this')), true],
    ['is a service account from here', user(ROBOT, of('this')), true],
    ['is a service account from elsewhere', user(ROBOT, of('other')), false],
    ['is a service account from elsewhere with this scope', user(ROBOT, { ...of('other'), ...scoped('cluster:this') }), false],
    ['is a service account from here with another scope', user(ROBOT, { ...of('this'), ...scoped('cluster:other') }), false],
    ['is a service account of two logical clusters', user(ROBOT, of('this', 'this')), false],
    // As in a SubjectAccessReview made in the logical cluster itself.
    ['is a service account of none', user(ROBOT), true],
    ['is no service account, and names a logical cluster', user('ada', of('other')), true],
  ])('one that %s', (_, who, expected) => {
    expect(isInScope(who, 'this')).toBe(expected);
  });

  test('has no answer but no for a logical cluster that nobody names, unless there are no scopes', () => {
    expect(isInScope(user('ada'), undefined)).toBe(true);
    expect(isInScope(user('ada', scoped('cluster:undefined')), undefined)).toBe(false);
    expect(isInScope(user(ROBOT, of('undefined')), undefined)).toBe(false);
  });
});

describe('an identity that is out of scope', () => {
  test('is only somebody who is authenticated, and from where', () => {
    const who = user('ada', scoped('cluster:a,cluster:b', 'cluster:b,cluster:c'), ['team', ...AUTHENTICATED]);
    expect(effectiveUsers(who, 'x')).toEqual([
      { name: 'system:anonymous', uid: '', groups: ['system:authenticated', 'system:cluster:b'], extra: {} },
    ]);
  });

  test('is nobody when it was not authenticated', () => {
    expect(groupsOf(user('ada', scoped('cluster:a'), ['team']), 'x')).toEqual(['system:unauthenticated']);
  });
});

describe('a warrant', () => {
  test('lends its identity and its groups, and its own warrants theirs', () => {
    const inner = warrant('carol', carrying(warrant('dave', {}, ['d'])), ['c']);
    const who = user('ada', carrying(warrant('bob', {}, ['b']), inner), ['a']);
    expect(names(who, 'this')).toEqual(['ada', 'bob', 'carol', 'dave']);
    expect(groupsOf(who, 'this')).toEqual(['a', 'b', 'c', 'd']);
  });

  test('counts where the one that carries it does not', () => {
    expect(names(user('ada', { ...scoped('cluster:other'), ...carrying(warrant('bob')) }), 'this')).toEqual([
      'bob',
      'system:anonymous',
    ]);
  });

  test('is subject to its own scopes', () => {
    const who = user('ada', carrying(warrant('bob', scoped('cluster:other'), [])));
    expect(names(who, 'this')).toEqual(['ada', 'system:anonymous']);
    expect(groupsOf(who, 'this')).toEqual(['system:authenticated', 'system:unauthenticated']);
  });

  test('that has scopes is in the groups of their logical clusters, also where they count', () => {
    expect(groupsOf(user('ada', carrying(warrant('bob', scoped('cluster:this')))), 'this')).toContain('system:cluster:this');
    expect(groupsOf(user('ada', scoped('cluster:this')), 'this')).toEqual(AUTHENTICATED);
  });

  test('of a service account counts in the logical cluster that it names', () => {
    const who = user(ROBOT, { ...of('other'), ...carrying(warrant(ROBOT, of('this'))) });
    expect(names(who, 'this')).toContain(ROBOT);
    expect(names(who, 'other')).toContain(ROBOT);
    expect(names(who, 'third')).not.toContain(ROBOT);
  });

  test('of a service account that names no logical cluster is worth nothing', () => {
    expect(names(user('ada', carrying(warrant(ROBOT))), 'this')).toEqual(['ada']);
  });

  test.each(['{', '7', '[]', 'null', '{"user":1}', '{"groups":"a"}', '{"groups":[1]}', '{"extra":[]}', '{"extra":{"a":"b"}}'])(
    'that is none is passed over: %s',
    text => {
      expect(names(user('ada', carrying(text)), 'this')).toEqual(['ada']);
    },
  );

  test('may have null for what is absent, as Go writes it', () => {
    const text = '{"user":"bob","uid":null,"groups":null,"extra":{"a":null}}';
    expect(parseWarrant(text)).toEqual({ name: 'bob', uid: '', groups: [], extra: { a: [] } });
  });

  test('that is one too many is as if it were not there', () => {
    const many = Array.from({ length: MAX_WARRANTS + 5 }, (_, index) => warrant(`w${index}`));
    expect(names(user('ada', carrying(...many)), 'this')).toHaveLength(1 + MAX_WARRANTS);
  });

  test('that is too deep is as if it were not there', () => {
    let who = user(`u${MAX_WARRANT_DEPTH + 1}`);
    for (let depth = MAX_WARRANT_DEPTH; depth >= 0; depth -= 1) who = user(`u${depth}`, carrying(warrant(who.name, who.extra)));
    expect(names(who, 'this')).toEqual(Array.from({ length: MAX_WARRANT_DEPTH + 1 }, (_, depth) => `u${depth}`));
  });

  // Each is small, and all of their warrants together are 2¹⁶.
  test('does not make us work without end by holding others', () => {
    let text = warrant('leaf');
    for (let depth = 0; depth < 10; depth += 1) text = warrant(`n${depth}`, carrying(text, text));
    expect(names(user('ada', carrying(text)), 'this').length).toBeLessThanOrEqual(1 + MAX_WARRANTS);
  });
});

describe('a service account', () => {
  const robot = user(ROBOT, { ...of('a'), ...scoped('cluster:a') }, ['system:serviceaccounts', ...AUTHENTICATED]);
  const GLOBAL = 'system:kcp:serviceaccount:a:default:robot';

  test('has another name that counts everywhere, with nothing of its groups but that it is authenticated', () => {
    expect(names(robot, 'a')).toEqual([ROBOT, GLOBAL]);
    expect(names(robot, 'b')).toEqual([GLOBAL, 'system:anonymous']);
    expect(effectiveUsers(robot, 'b')[0]?.groups).toEqual(['system:authenticated', 'system:cluster:a']);
  });

  test('has no such name when its logical cluster is not certain', () => {
    expect(names(user(ROBOT), 'a')).toEqual([ROBOT]);
    expect(names(user(ROBOT, of('a', 'b')), 'a')).toEqual(['system:anonymous']);
  });
});

describe('the logical clusters that an identity names', () => {
  test('are those of its scopes, of its account, and of all its warrants', () => {
    const inner = warrant('carol', scoped('cluster:d,other:x'));
    const lent = [warrant(ROBOT, { ...of('c'), ...carrying(inner) }), warrant('bob', of('not-an-account'))];
    expect(clustersNamedBy(user(ROBOT, { ...of('a'), ...scoped('cluster:a,cluster:b'), ...carrying(...lent) }))).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
  });

  test('are all that matters: in any other it has the same effective users', () => {
    const who = user(ROBOT, { ...of('a'), ...carrying(warrant('bob', scoped('cluster:b')), warrant('carol')) });
    expect(effectiveUsers(who, 'x')).toEqual(effectiveUsers(who, undefined));
    expect(effectiveUsers(who, 'a')).not.toEqual(effectiveUsers(who, undefined));
    expect(effectiveUsers(who, 'b')).not.toEqual(effectiveUsers(who, undefined));
  });
});
