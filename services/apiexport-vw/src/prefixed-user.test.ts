import { describe, expect, test } from '@jest/globals';
import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import fc from 'fast-check';
import { prefixedUser } from './prefixed-user.ts';

const PREFIX = 'apis.kcp.io:binding:';
const WARRANT = 'authorization.kcp.io/warrant';
const SCOPES = 'authentication.kcp.io/scopes';
const HOME = 'authentication.kcp.io/cluster-name';

const user = (parts: Partial<Identity>): Identity => ({ name: 'alice', uid: '', groups: [], extra: {}, ...parts });
const warrantsOf = (parts: Partial<Identity>): unknown[] =>
  (prefixedUser(user(parts)).extra[WARRANT] ?? []).map(text => JSON.parse(text));

describe('a user, for a maximal permission policy', () => {
  test('has the prefix before his name and before each of his groups', () => {
    const prefixed = prefixedUser(user({ uid: 'u', groups: ['team', 'system:authenticated'] }));
    expect(prefixed).toEqual({
      name: `${PREFIX}alice`,
      uid: 'u',
      groups: [`${PREFIX}team`, `${PREFIX}system:authenticated`],
      extra: {},
    });
  });

  test('keeps his extras, scopes among them', () => {
    const extra = { [SCOPES]: ['cluster:a'], [HOME]: ['a'], color: ['red'] };
    expect(prefixedUser(user({ extra })).extra).toEqual(extra);
  });

  test('is worked out once', () => {
    const frozen = Object.freeze(user({}));
    expect(prefixedUser(frozen)).toBe(prefixedUser(frozen));
  });

  test('is not changed himself, and cannot be changed afterwards', () => {
    const before = user({ groups: ['team'], extra: { [WARRANT]: ['{"user":"bob"}'] } });
    const copy = structuredClone(before);
    const after = prefixedUser(before);
    expect(before).toEqual(copy);
    expect([after, after.groups, after.extra].every(Object.isFrozen)).toBe(true);
  });
});

describe('a service account, for a maximal permission policy', () => {
  const name = 'system:serviceaccount:default:rest';

  test('has its global name, and neither scopes nor a logical cluster', () => {
    const extra = { [SCOPES]: ['cluster:home'], [HOME]: ['home'], color: ['red'] };
    expect(prefixedUser(user({ name, groups: ['system:serviceaccounts'], extra }))).toMatchObject({
      name: `${PREFIX}system:kcp:serviceaccount:home:default:rest`,
      groups: [`${PREFIX}system:serviceaccounts`],
    });
    expect(prefixedUser(user({ name, extra })).extra).toEqual({ color: ['red'] });
  });

  // Such a name means another account in every logical cluster: as `default:rest` of somewhere it would have that one's rights.
  test.each([
    ['none', {}],
    ['no', { [HOME]: [] }],
    ['two', { [HOME]: ['a', 'b'] }],
  ])('of %s logical cluster is nobody, and has nothing but whether it is authenticated', (_, extra) => {
    const all = { ...extra, [WARRANT]: ['{"user":"bob"}'], color: ['red'] };
    const nobody = { name: `${PREFIX}system:anonymous`, uid: '', extra: {} };
    const groups = ['team', 'system:authenticated'];
    expect(prefixedUser(user({ name, uid: 'u', groups, extra: all }))).toEqual({
      ...nobody,
      groups: [`${PREFIX}system:authenticated`],
    });
    expect(prefixedUser(user({ name, groups: ['team'], extra: all }))).toEqual({
      ...nobody,
      groups: [`${PREFIX}system:unauthenticated`],
    });
  });
});

describe('a warrant, for a maximal permission policy', () => {
  test('is prefixed as its user is', () => {
    const warrant = JSON.stringify({ user: 'bob', uid: 'b', groups: ['team'], extra: { [SCOPES]: ['cluster:a'] } });
    expect(warrantsOf({ extra: { [WARRANT]: [warrant] } })).toEqual([
      { user: `${PREFIX}bob`, uid: 'b', groups: [`${PREFIX}team`], extra: { [SCOPES]: ['cluster:a'] } },
    ]);
  });

  test('is prefixed in a warrant, too', () => {
    const inner = JSON.stringify({ user: 'carol', groups: ['inner'] });
    const outer = JSON.stringify({ user: 'bob', extra: { [WARRANT]: [inner] } });
    const [prefixed] = warrantsOf({ extra: { [WARRANT]: [outer] } }) as { extra: Record<string, string[]> }[];
    expect(JSON.parse(prefixed?.extra[WARRANT]?.[0] ?? '')).toEqual({ user: `${PREFIX}carol`, groups: [`${PREFIX}inner`] });
  });

  // Only the extras of the user himself are freed of scopes: a warrant keeps what holds it back.
  test('of a service account has its global name and keeps its scopes and logical cluster', () => {
    const extra = { [HOME]: ['home'], [SCOPES]: ['cluster:home'] };
    const warrant = JSON.stringify({ user: 'system:serviceaccount:default:rest', groups: ['system:kcp:admin'], extra });
    expect(warrantsOf({ extra: { [WARRANT]: [warrant] } })).toEqual([
      { user: `${PREFIX}system:kcp:serviceaccount:home:default:rest`, groups: [`${PREFIX}system:kcp:admin`], extra },
    ]);
  });

  test('of a service account of no logical cluster is nobody', () => {
    const warrant = JSON.stringify({ user: 'system:serviceaccount:default:rest', groups: ['system:kcp:admin'] });
    expect(warrantsOf({ extra: { [WARRANT]: [warrant] } })).toEqual([
      { user: `${PREFIX}system:anonymous`, groups: [`${PREFIX}system:unauthenticated`] },
    ]);
  });

  // kcp's decoder gives up on each of these. What was readable of one was taken, which made another user of it: `bob` without his groups.
  test.each([
    'no JSON',
    '"text"',
    '[]',
    '[{"user":"bob"}]',
    '{"user":5}',
    '{"user":"bob","uid":5}',
    '{"user":"bob","groups":"team"}',
    '{"user":"bob","groups":[5]}',
    '{"user":"bob","extra":[]}',
    '{"user":"bob","extra":"text"}',
    '{"user":"bob","extra":5}',
    '{"user":"bob","extra":{"a":"b"}}',
    '{"user":"bob","extra":{"a":[5]}}',
  ])('that is none is left out: %s', text => {
    expect(prefixedUser(user({ extra: { [WARRANT]: [text], color: ['red'] } })).extra).toEqual({ color: ['red'] });
  });

  test('that is none does not take others with it', () => {
    expect(warrantsOf({ extra: { [WARRANT]: ['{', '{"user":"bob"}', '5'] } })).toEqual([{ user: `${PREFIX}bob` }]);
  });

  test('cannot smuggle a prototype in', () => {
    const warrant = '{"user":"bob","extra":{"__proto__":["x"]}}';
    const [prefixed] = prefixedUser(user({ extra: { [WARRANT]: [warrant] } })).extra[WARRANT] ?? [];
    expect(prefixed).toBe(`{"user":"${PREFIX}bob","extra":{"__proto__":["x"]}}`);
  });
});

const word = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('system:masters', 'system:kcp:admin', 'system:serviceaccount:n:a', PREFIX, 'system:authenticated'),
);
const person: fc.Arbitrary<Identity> = fc.letrec<{ person: Identity; text: string }>(tie => ({
  person: fc
    .record({
      name: word,
      uid: fc.constantFrom('', 'u'),
      groups: fc.array(word, { maxLength: 3 }),
      homes: fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 }),
      warrants: fc.array(tie('text'), { maxLength: 2 }),
      other: fc.array(word, { maxLength: 2 }),
    })
    .map(({ homes, warrants, other, ...rest }) => ({ ...rest, extra: { [HOME]: homes, [WARRANT]: warrants, other } })),
  text: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.json(),
    tie('person').map(({ name, ...rest }) => JSON.stringify({ user: name, ...rest })),
  ),
})).person;

/** The user, and whoever his warrants speak of, however deep. */
function everyone({ name, groups, extra }: Pick<Identity, 'name' | 'groups' | 'extra'>): string[] {
  const warranted = (extra[WARRANT] ?? []).flatMap(text => {
    const warrant = JSON.parse(text) as { user: string; groups?: string[]; extra?: Identity['extra'] };
    return everyone({ name: warrant.user, groups: warrant.groups ?? [], extra: warrant.extra ?? {} });
  });
  return [name, ...groups, ...warranted];
}

// An owner gives prefixed names what borrowers may. A name without the prefix is somebody in the owner's own workspace.
test('no name and no group is ever without the prefix, however deep a warrant is in others', () => {
  fc.assert(
    fc.property(person, who => {
      expect(everyone(prefixedUser(who)).filter(name => !name.startsWith(PREFIX))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
