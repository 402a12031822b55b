import { describe, expect, it } from '@jest/globals';
import { ANONYMOUS, asCaller, identity, withSystemGroup } from './identity.ts';

describe('identity', () => {
  it('is frozen down to the extra values', () => {
    const given = { scopes: ['a'] };
    const who = identity('jane', ['team'], '', given);
    given.scopes.push('b');
    expect(who.extra.scopes).toEqual(['a']);
    for (const part of [who, who.groups, who.extra, who.extra.scopes]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('keeps each group once, in order, and drops lifecycle groups', () => {
    const groups = ['b', 'a', 'system:kcp:initializer:root:x', 'b', 'system:kcp:terminator:root:x'];
    expect(identity('jane', groups).groups).toEqual(['b', 'a']);
  });

  it('keeps an extra key that is also a property of every object', () => {
    const extra = identity('jane', [], '', Object.fromEntries([['__proto__', ['x']]])).extra;
    expect(Object.entries(extra)).toEqual([['__proto__', ['x']]]);
  });
});

describe('a caller', () => {
  it('is frozen, and has no impersonator unless there is one', () => {
    const caller = asCaller(identity('jane', []), 'token');
    expect(Object.isFrozen(caller)).toBe(true);
    expect('impersonator' in caller).toBe(false);
  });
});

describe('the system group', () => {
  it.each([
    ['a user', 'jane', ['a'], ['a', 'system:authenticated']],
    ['a user who has it', 'jane', ['system:authenticated', 'a'], ['system:authenticated', 'a']],
    ['a user declared unauthenticated', 'jane', ['system:unauthenticated'], ['system:unauthenticated']],
    ['anonymous', ANONYMOUS, [], ['system:unauthenticated']],
  ])('of %s is what Kubernetes adds', (_, name, groups, expected) => {
    expect(withSystemGroup(name, groups)).toEqual(expected);
  });
});
