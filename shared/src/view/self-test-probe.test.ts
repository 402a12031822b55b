import { describe, expect, it } from '@jest/globals';
import { type Identity, identity } from '../authn/identity.ts';
import { differenceFrom, PROBE } from './self-test-probe.ts';

const CLUSTER = 'authentication.kcp.io/cluster-name';
const SCOPES = 'authentication.kcp.io/scopes';
const probeWith = (changes: Partial<Identity>): Identity => {
  const { name, groups, uid, extra } = { ...PROBE, ...changes };
  return identity(name, groups, uid, extra);
};
const withExtra = (extra: Record<string, readonly string[]>): Identity => probeWith({ extra: { ...PROBE.extra, ...extra } });

describe('the probe of the self-test', () => {
  it('has what gets lost on the way: a UID, one logical cluster, a key with upper case, a value twice, commas, UTF-8', () => {
    expect(PROBE.name).toMatch(/^system:serviceaccount:/);
    expect(PROBE.uid).not.toBe('');
    expect(PROBE.extra[CLUSTER]).toHaveLength(1);
    const keys = Object.keys(PROBE.extra);
    expect([keys.some(key => /[A-Z]/.test(key)), keys.some(key => key.includes('%'))]).toEqual([true, true]);
    expect(Object.values(PROBE.extra).some(values => values.length > 1)).toBe(true);
    expect(PROBE.groups.some(group => group.includes(',') && /[^\x20-\x7e]/.test(group))).toBe(true);
  });
});

describe('an identity that has arrived', () => {
  it('is the one that was sent, in any order of its groups', () => {
    expect(differenceFrom(PROBE, PROBE)).toBeUndefined();
    expect(differenceFrom(PROBE, probeWith({ groups: [...PROBE.groups].reverse() }))).toBeUndefined();
  });

  it('may be authenticated and kept to a logical cluster besides, as shards do', () => {
    expect(differenceFrom(identity('a', []), identity('a', ['system:authenticated']))).toBeUndefined();
    expect(differenceFrom(PROBE, withExtra({ [SCOPES]: ['cluster:system:admin'] }))).toBeUndefined();
  });

  it.each<[string, Identity, string]>([
    ['another name', probeWith({ name: 'kcp-front-proxy' }), 'the user is "kcp-front-proxy"'],
    ['no UID', probeWith({ uid: '' }), 'the UID is "" instead of "self-test-uid"'],
    ['a group fewer', probeWith({ groups: PROBE.groups.slice(1) }), 'of the groups "system:masters" is missing'],
    ['a group more', probeWith({ groups: [...PROBE.groups, 'x'] }), 'of the groups "x" has been added'],
    [
      'a group that was split at its comma',
      probeWith({ groups: PROBE.groups.flatMap(group => group.split(', ')) }),
      'of the groups "self-test: commas, \\"quotes\\" and ü" is missing',
    ],
    ['no logical cluster', withExtra({ [CLUSTER]: [] }), `of the extra "${CLUSTER}" "selftest" is missing`],
    ['two logical clusters', withExtra({ [CLUSTER]: ['selftest', 'other'] }), `of the extra "${CLUSTER}" "other" has been added`],
    ['the same one twice', withExtra({ [CLUSTER]: ['selftest', 'selftest'] }), '"selftest" has been added'],
    ['no extra at all', probeWith({ extra: {} }), 'is missing'],
    ['another extra', withExtra({ x: ['y'] }), 'of the extra "x" "y" has been added'],
    ['another scope', withExtra({ [SCOPES]: ['user:x'] }), '"user:x" has been added'],
  ])('with %s is another one', (_, seen, sentence) => {
    expect(differenceFrom(PROBE, seen)).toContain(sentence);
  });
});
