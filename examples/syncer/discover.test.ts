import { expect, test } from '@jest/globals';
import { createClient } from './client.ts';
import { discover } from './discover.ts';
import { FakeCluster, type FakeClusterOptions } from './fake-cluster.fixture.ts';

const SERVES = {
  '/apis/example.dev/v1beta1': [{ name: 'things', namespaced: true }],
  '/apis/example.dev/v1alpha1': [{ name: 'things', namespaced: true }],
  '/api/v1': [{ name: 'nodes', namespaced: false }],
};
const discovering = (options: FakeClusterOptions = { serves: SERVES }) => {
  const physical = new FakeCluster(options);
  return { physical, client: createClient(physical.connect(), '/') };
};
const things = { group: 'example.dev', resource: 'things', versions: ['v1', 'v1beta1', 'v1alpha1'] };

test('a resource is taken in the first of its versions that the cluster serves', async () => {
  expect(await discover(discovering().client, [things])).toEqual([
    { group: 'example.dev', resource: 'things', version: 'v1beta1', namespaced: true, authorized: true },
  ]);
});

test('one that is not served in any is none, and one of no namespace says so', async () => {
  const { client } = discovering();
  const none = { ...things, versions: ['v2'] };
  expect(await discover(client, [none, { resource: 'nodes', versions: ['v1'] }])).toMatchObject([
    { resource: 'nodes', namespaced: false },
  ]);
});

test('two exports with one resource are one here', async () => {
  expect(await discover(discovering().client, [things, things])).toHaveLength(1);
});

test('a resource that the syncer may not use is told', async () => {
  const { client } = discovering({ serves: SERVES, refuses: ['things'] });
  expect(await discover(client, [things])).toMatchObject([{ resource: 'things', authorized: false }]);
});

test('a cluster that cannot be asked has not said no', async () => {
  const { physical, client } = discovering();
  physical.fault = () => 500;
  await expect(discover(client, [things])).rejects.toThrow('500');
});
