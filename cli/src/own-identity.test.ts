import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseArguments } from '@kcp-vw/shared/config/flags.ts';
import { awaited } from '@kcp-vw/shared/config/options.ts';
import { optionsOf } from './own-identity.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-identity-'));
  const shard = { clusters: [{ name: 'a', cluster: { server: 'https://shard.test:6444/clusters/root' } }] };
  const contexts = [{ name: 'a', context: { cluster: 'a', user: 'a' } }];
  const user = { name: 'a', user: { token: 'secret' } };
  writeFileSync(join(folder, 'shard'), JSON.stringify({ ...shard, contexts, 'current-context': 'a', users: [user] }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const given = (...flags: string[]) =>
  parseArguments(
    [
      `--kubeconfig=${join(folder, 'shard')}`,
      '--context=a',
      '--cache-kubeconfig=/cache',
      '--tls-cert-file=c',
      '--tls-private-key-file=k',
      ...flags,
    ],
    'up',
  ).options;

test('a service with credentials of its own gets no others, and knows its shard', async () => {
  const options = given('--views=syncer', '--syncer-kubeconfig=/syncer', '--external-logical-cluster-admin-kubeconfig=/external');
  expect(options.services).toContain('syncer-vw');
  const own = await optionsOf('syncer-vw', options);
  expect(own).toMatchObject({ kubeconfig: '/syncer', context: '', shardServer: 'https://shard.test:6444' });
  expect(JSON.stringify(own)).not.toMatch(/cache-kubeconfig|\/external|\/cache/);
  expect(await optionsOf('apiexport-vw', options)).toBe(options);
});

test('its views cannot be asked for without them', () => {
  expect(() => given('--views=upsyncer')).toThrow('--syncer-kubeconfig is required for syncer-vw');
});

test('nobody waits for it', () => {
  expect(awaited(['apiexport-vw', 'syncer-vw', 'syncer-vw@amber', 'initializer-vw@amber'])).toEqual([
    'apiexport-vw',
    'initializer-vw@amber',
  ]);
});
