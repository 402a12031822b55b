import { describe, expect, test } from '@jest/globals';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { accountsName, clientName, networkOf } from './client-name.ts';

const user = (name: string, overrides: Partial<Caller> = {}): Caller => ({
  ...{ name, uid: '', groups: [], extra: {}, method: 'token' },
  ...overrides,
});
const account = (...clusters: string[]): Caller =>
  user('system:serviceaccount:default:ci', { extra: { 'authentication.kcp.io/cluster-name': clusters } });

describe('what a client is known by', () => {
  test('is the user’s name, wherever it comes from and however it has authenticated', () => {
    expect(clientName(user('ada'), '10.0.0.1')).toBe(clientName(user('ada', { method: 'certificate', uid: 'x' }), '10.0.0.2'));
    expect(clientName(user('ada'), '10.0.0.1')).not.toBe(clientName(user('bob'), '10.0.0.1'));
  });

  test('is the name and the logical cluster of a service account: every workspace may have one of that name', () => {
    const names = [account('a'), account('b'), account(), account('a', 'b')].map(caller => clientName(caller, '10.0.0.1'));
    expect(new Set(names).size).toBe(4);
  });

  test('is the user that is impersonated, and not the masters who impersonate', () => {
    const shard = { name: 'kcp-shard-0', uid: '', groups: ['system:masters'], extra: {} };
    expect(clientName(user('ada', { impersonator: shard }), '10.0.0.1')).toBe(clientName(user('ada'), '10.0.0.1'));
  });

  test('is nothing for masters, who have no limits', () => {
    expect(clientName(user('admin', { groups: ['system:masters'] }), '10.0.0.1')).toBeUndefined();
  });

  test('is the address for those without a name, which is no user’s name', () => {
    const anonymous = user('system:anonymous', { method: 'anonymous' });
    expect(clientName(anonymous, '10.0.0.1')).not.toBe(clientName(anonymous, '10.0.0.2'));
    expect(clientName(anonymous, '10.0.0.1')).not.toBe(clientName(user('10.0.0.1'), ''));
    expect(clientName(anonymous, '10.0.0.1')).not.toBe(clientName(user('system:anonymous 10.0.0.1'), ''));
  });

  test('is short, however long the name is', () => {
    const [one, other] = ['a', 'b'].map(end => clientName(user('x'.repeat(500_000) + end), '') ?? '');
    expect(one?.length).toBeLessThan(100);
    expect(one).not.toBe(other);
  });
});

describe('what the service accounts of a logical cluster are known by together', () => {
  test('is the logical cluster, and nothing for users, who may have such an extra', () => {
    const other: Caller = { ...account('a'), name: 'system:serviceaccount:other:bot' };
    expect(accountsName(account('a'))).toBe(accountsName(other));
    expect(accountsName(account('a'))).not.toBe(accountsName(account('b')));
    expect(accountsName({ ...account('a'), name: 'ada' })).toBeUndefined();
    expect(accountsName(user('system:serviceaccount:default:ci'))).toBeUndefined();
  });
});

describe('the network of an address', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.7', '1:2:3:4::/64'],
    ['unix', 'unix'],
    ['', ''],
  ])('%s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
