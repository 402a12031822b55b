import { describe, expect, test } from '@jest/globals';
import { alice } from './apiexport.fixture.ts';
import { withWarrant } from './warrant.ts';

const WARRANT = 'authorization.kcp.io/warrant';

describe('a caller with a warrant', () => {
  test('is who he was, with one extra as kcp writes it', () => {
    expect(withWarrant(alice, 'consumer')).toEqual({
      name: 'alice',
      uid: 'u1',
      groups: alice.groups,
      extra: {
        color: ['red'],
        [WARRANT]: [
          '{"user":"system:serviceaccount:default:rest","groups":["system:kcp:admin"],"extra":{"authentication.kcp.io/cluster-name":["consumer"]}}',
        ],
      },
    });
  });

  test('keeps the warrants that he had', () => {
    const extra = { [WARRANT]: ['{"user":"bob"}'] };
    expect(withWarrant({ ...alice, extra }, 'consumer').extra[WARRANT]).toEqual([
      '{"user":"bob"}',
      expect.stringContaining('rest'),
    ]);
  });

  // Kept by the caller's name or by the logical cluster alone, one user's rights would reach another's request.
  test('is made once for a caller and a logical cluster, and never shared', () => {
    const bob = Object.freeze({ ...alice, name: 'bob' });
    expect(withWarrant(alice, 'one')).toBe(withWarrant(alice, 'one'));
    expect(withWarrant(alice, 'two')).not.toEqual(withWarrant(alice, 'one'));
    expect(withWarrant(bob, 'one').name).toBe('bob');
  });

  test('stays right when he asks for more logical clusters than are kept', () => {
    for (let i = 0; i < 600; i++) expect(withWarrant(alice, `c${i}`).extra[WARRANT]?.[0]).toContain(`["c${i}"]`);
    expect(withWarrant(alice, 'c3').extra[WARRANT]?.[0]).toContain('["c3"]');
  });

  test('cannot be changed afterwards', () => {
    const made = withWarrant(alice, 'consumer');
    expect([made, made.extra, made.extra[WARRANT]].every(Object.isFrozen)).toBe(true);
  });
});
