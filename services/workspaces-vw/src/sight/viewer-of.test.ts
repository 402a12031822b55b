import { describe, expect, test } from '@jest/globals';
import { WARRANT_KEY } from '@kcp-vw/shared/authn/faces.ts';
import { CLUSTER_NAME_KEY, SCOPES_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import { caller } from './sight.fixture.ts';
import { viewerOf } from './viewer-of.ts';

const ROBOT = 'system:serviceaccount:default:robot';

describe('a viewer', () => {
  test('is worked out once for a caller', () => {
    const ada = caller('ada');
    expect(viewerOf(ada)).toBe(viewerOf(ada));
  });

  test('is his name and his groups, as bindings name them', () => {
    expect([...viewerOf(caller('ada', ['team'])).elsewhere.subjects]).toEqual(['u:ada', 'g:team', 'g:system:authenticated']);
  });

  test('is the same in all logical clusters that he does not name', () => {
    const viewer = viewerOf(caller('ada', [], { [SCOPES_KEY]: ['cluster:a'] }));
    expect(viewer.named).toEqual(['a']);
    expect(viewer.in('x')).toBe(viewer.elsewhere);
    expect(viewer.in('a').subjects).toContain('u:ada');
    expect(viewer.in('a')).toBe(viewer.in('a'));
    expect([...viewer.elsewhere.subjects]).toEqual(['u:system:anonymous', 'g:system:authenticated', 'g:system:cluster:a']);
  });

  test('that is a service account is local in its own logical cluster', () => {
    const viewer = viewerOf(caller(ROBOT, [], { [CLUSTER_NAME_KEY]: ['a'] }));
    expect(viewer).toMatchObject({ isServiceAccount: true, homeCluster: 'a', named: ['a'] });
    expect([viewer.in('a').isLocalServiceAccount, viewer.in('b').isLocalServiceAccount]).toEqual([true, false]);
  });

  test('that is no service account has no home, whatever he says', () => {
    expect(viewerOf(caller('ada', [], { [CLUSTER_NAME_KEY]: ['a'] }))).not.toHaveProperty('homeCluster');
  });
});

describe('everything is shown', () => {
  const lent = (extra: object) => ({ [WARRANT_KEY]: [JSON.stringify({ groups: ['system:kcp:logical-cluster-admin'], extra })] });

  test.each([
    ['to masters', caller('x', ['system:masters']), true],
    ['to masters whose scopes are narrow', caller('x', ['system:masters'], { [SCOPES_KEY]: ['cluster:a'] }), true],
    ["to kcp's scheduler", caller('x', ['system:kcp:logical-cluster-admin']), true],
    ["to kcp's controllers of workspaces", caller('x', ['system:kcp:external-logical-cluster-admin']), true],
    ['to who is lent one of these', caller('x', [], lent({})), true],
    ['not to who is lent one of these in one logical cluster', caller('x', [], lent({ [SCOPES_KEY]: ['cluster:a'] })), false],
    [
      'not to one of these out of scope',
      caller('x', ['system:kcp:logical-cluster-admin'], { [SCOPES_KEY]: ['cluster:a'] }),
      false,
    ],
    ['not to an admin of kcp', caller('x', ['system:kcp:admin']), false],
  ])('%s', (_, who, expected) => {
    expect(viewerOf(who).seesEverything).toBe(expected);
  });
});
