import { describe, expect, test } from '@jest/globals';
import { effectiveUsers, isInScope, prefixUser, SCOPES_KEY, WARRANT_KEY } from './effective-users.ts';
import { shardIdentity } from './identity.ts';

const names = (who: ReturnType<typeof shardIdentity>, cluster: string): string[] =>
  effectiveUsers(who, cluster).map(({ name }) => name);
const warrant = (user: string, more: object = {}): string => JSON.stringify({ user, groups: ['system:authenticated'], ...more });

describe('an identity without scopes', () => {
  test('counts in every logical cluster', () => {
    expect(names(shardIdentity('ada', []), 'a')).toEqual(['ada']);
  });
});

describe('an identity with scopes', () => {
  test('counts where all of them agree', () => {
    const ada = shardIdentity('ada', [], '', { [SCOPES_KEY]: ['cluster:a,cluster:b', 'cluster:b,cluster:c'] });
    expect(['a', 'b', 'c'].filter(cluster => isInScope(ada, cluster))).toEqual(['b']);
  });

  test('is only somebody who is authenticated anywhere else', () => {
    const ada = shardIdentity('ada', ['team'], '', { [SCOPES_KEY]: ['cluster:a'] });
    const [outside, ...others] = effectiveUsers(ada, 'b');
    expect(others).toEqual([]);
    expect(outside?.name).toBe('system:anonymous');
    expect(outside?.groups).toEqual(['system:authenticated', 'system:cluster:a']);
  });
});

describe('a warrant', () => {
  test('lends its identity, and its own warrants theirs', () => {
    const inner = warrant('carol', { extra: { [WARRANT_KEY]: [warrant('dave')] } });
    expect(names(shardIdentity('ada', [], '', { [WARRANT_KEY]: [warrant('bob'), inner] }), 'a')).toEqual([
      'ada',
      'bob',
      'carol',
      'dave',
    ]);
  });

  test('is subject to its own scopes', () => {
    const scoped = warrant('bob', { extra: { [SCOPES_KEY]: ['cluster:b'] } });
    expect(names(shardIdentity('ada', [], '', { [WARRANT_KEY]: [scoped] }), 'a')).toEqual(['ada', 'system:anonymous']);
  });

  test('of a service account that names no logical cluster is worth nothing', () => {
    const robot = warrant('system:serviceaccount:default:robot');
    expect(names(shardIdentity('ada', [], '', { [WARRANT_KEY]: [robot] }), 'a')).toEqual(['ada']);
  });

  test('that is none is passed over', () => {
    expect(names(shardIdentity('ada', [], '', { [WARRANT_KEY]: ['{', '7', '{"user":1}'] }), 'a')).toEqual(['ada']);
  });
});

describe('a service account', () => {
  const robot = shardIdentity('system:serviceaccount:default:robot', [], '', { 'authentication.kcp.io/cluster-name': ['a'] });

  test('counts in its own logical cluster, and has a name of its own for all of them', () => {
    expect(names(robot, 'a')).toEqual([robot.name, 'system:kcp:serviceaccount:a:default:robot']);
  });

  test('counts elsewhere under that name only', () => {
    expect(names(robot, 'b')).toEqual(['system:kcp:serviceaccount:a:default:robot', 'system:anonymous']);
  });
});

describe('a user in a maximal permission policy', () => {
  const CLUSTER_KEY = 'authentication.kcp.io/cluster-name';

  test('carries the prefix before the name, the groups and the warrants', () => {
    const ada = shardIdentity('ada', ['team'], '', { [WARRANT_KEY]: [warrant('bob'), 'nonsense'] });
    const { name, groups, extra } = prefixUser(ada, 'p:');
    expect({ name, groups }).toEqual({ name: 'p:ada', groups: ['p:team', 'p:system:authenticated'] });
    expect((extra[WARRANT_KEY] ?? []).map(text => JSON.parse(text))).toMatchObject([
      { user: 'p:bob', groups: ['p:system:authenticated'] },
    ]);
  });

  test('is called by the global name when it is a service account', () => {
    const account = shardIdentity('system:serviceaccount:default:rest', [], '', { [CLUSTER_KEY]: ['abc'] });
    expect(prefixUser(account, 'p:').name).toBe('p:system:kcp:serviceaccount:abc:default:rest');
    expect(prefixUser(shardIdentity('system:serviceaccount:default:rest', []), 'p:').name).toBe('p:system:anonymous');
  });
});
