import { describe, expect, test } from '@jest/globals';
import { WARRANT_KEY } from '@kcp-vw/shared/authn/faces.ts';
import { CLUSTER_NAME_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import { shardIdentity } from './identity.ts';
import { prefixUser } from './prefix-user.ts';

const warrant = (user: string): string => JSON.stringify({ user, groups: ['system:authenticated'] });

describe('a user in a maximal permission policy', () => {
  test('carries the prefix before the name, the groups and the warrants', () => {
    const ada = shardIdentity('ada', ['team'], '', { [WARRANT_KEY]: [warrant('bob'), 'nonsense'] });
    const { name, groups, extra } = prefixUser(ada, 'p:');
    expect({ name, groups }).toEqual({ name: 'p:ada', groups: ['p:team', 'p:system:authenticated'] });
    expect((extra[WARRANT_KEY] ?? []).map(text => JSON.parse(text))).toMatchObject([
      { user: 'p:bob', groups: ['p:system:authenticated'] },
    ]);
  });

  test('is called by the global name when it is a service account', () => {
    const account = shardIdentity('system:serviceaccount:default:rest', [], '', { [CLUSTER_NAME_KEY]: ['abc'] });
    expect(prefixUser(account, 'p:').name).toBe('p:system:kcp:serviceaccount:abc:default:rest');
    expect(prefixUser(shardIdentity('system:serviceaccount:default:rest', []), 'p:').name).toBe('p:system:anonymous');
  });
});
