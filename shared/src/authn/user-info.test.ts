import { describe, expect, it } from '@jest/globals';
import { identity } from './identity.ts';
import { fromUserInfo, toUserInfo } from './user-info.ts';

describe('UserInfo', () => {
  it('and identity hold the same', () => {
    const who = identity('jane', ['a'], 'u1', { 'example.com/k': ['1', '2'] });
    expect(fromUserInfo(JSON.parse(JSON.stringify(toUserInfo(who))))).toEqual(who);
  });

  it('may leave fields out or null, as Go writes them', () => {
    expect(fromUserInfo({ username: 'jane', groups: null, extra: { k: null } })).toEqual(identity('jane', [], '', { k: [] }));
  });

  it.each([
    null,
    'jane',
    { username: 1 },
    { username: 'a', uid: 1 },
    { username: 'a', groups: 'system:masters' },
    { username: 'a', groups: [1] },
    { username: 'a', extra: { k: 'v' } },
    { username: 'a', extra: 'v' },
  ])('of another shape is none: %j', value => {
    expect(fromUserInfo(value)).toBeUndefined();
  });
});
