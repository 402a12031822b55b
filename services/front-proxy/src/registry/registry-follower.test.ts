import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry as MetricsRegistry } from 'prom-client';
import { fleetMetrics } from '../backends/fleet-metrics.ts';
import { endpoint, JUDGEMENT } from './registered.fixture.ts';
import { FakeRegistry } from './registry.fixture.ts';
import { type FollowedRegistry, followRegistry } from './registry-follower.ts';

let fake: FakeRegistry;
let followed: FollowedRegistry;
let said: string[];
let isThere: boolean;

beforeEach(() => {
  fake = new FakeRegistry();
  said = [];
  isThere = true;
  const say = (...args: unknown[]): void => void said.push(String(args.at(-1)));
  followed = followRegistry({
    connect: async () => {
      if (isThere) return fake.registry;
      throw new Error('no root shard');
    },
    judgement: () => JUDGEMENT,
    leaseSeconds: 15,
    log: { info: say, warn: say },
    clock: fake.clock,
  });
});
afterEach(() => followed.close());

test('the front proxy waits for the first list, and says in the registry what it makes of it', async () => {
  expect(followed.check()).toBe('the registry has not been read');
  fake.view('v', [endpoint('a')]);
  await fake.pass(2);
  expect([followed.check(), followed.source.addressesOf('v')?.length]).toEqual([undefined, 1]);
  expect(fake.object('v')?.status?.conditions?.[0]).toMatchObject({ type: 'Available', status: 'True' });
  expect(said).toEqual(['services are found in the registry']);
});

test('a registry that is not found is looked for again, and readiness does not wait for it for ever', async () => {
  await followed.close();
  isThere = false;
  const { registry, clock } = fake;
  const warnings: string[] = [];
  followed = followRegistry({
    connect: async () => {
      if (isThere) return registry;
      throw new Error('no root shard');
    },
    judgement: () => ({}),
    leaseSeconds: 15,
    log: { info: () => undefined, warn: (...args: unknown[]) => void warnings.push(String(args.at(-1))) },
    clock,
  });
  await fake.pass(29);
  expect(followed.check()).toBe('the registry has not been read');
  expect([followed.source.addressesOf('v'), followed.registered()]).toEqual([[], undefined]);
  await fake.pass(2);
  expect(followed.check()).toBeUndefined();
  expect(new Set(warnings)).toEqual(
    new Set([
      'the registry was not found; trying again',
      'the registry has not been read; this front proxy is ready with what it has without it',
    ]),
  );
  isThere = true;
  fake.view('v', []);
  await fake.pass(40);
  expect(followed.source.views()).toEqual(['v']);
});

test('metrics show whether it was read, and what became of the endpoints', async () => {
  const register = new MetricsRegistry();
  const address = (service: string) => ({ service, instance: 'a', socketPath: '/s' });
  const backend = (service: string, ready: boolean) => ({ address: address(service), ready }) as never;
  fleetMetrics({
    register,
    source: { views: () => ['syncer-like', 'apiresourceschema', 'terminating-vw'] },
    backends: {
      all: () => [
        backend('initializer-vw', false),
        backend('initializer-vw', true),
        backend('view:initializer-vw', false),
        backend('view:theirs', true),
      ],
    },
    registered: followed.registered,
  });
  const values = async (name: string) => {
    const { values: all = [] } = (await register.getSingleMetric(name)?.get()) ?? {};
    return Object.fromEntries(all.map(({ labels, value }) => [Object.values(labels).join(), value]));
  };
  expect(await values('proxy_registry_synced')).toEqual({ '': 0 });
  fake.view('v', [endpoint('a'), endpoint('b'), endpoint('c', { url: 'https://elsewhere' })]);
  await fake.pass(25, () => fake.renew('v', 'a'));
  expect(await values('proxy_registry_synced')).toEqual({ '': 1 });
  expect(await values('proxy_endpoints')).toEqual({ in_force: 1, refused: 1, expired: 1 });
  // A service that nobody serves at the moment is shown as such; one of somebody else has no series of its own: its name is anybody's choice.
  expect(await values('proxy_backend_available')).toEqual({ 'initializer-vw': 1, 'apiexport-vw': 0, other: 1 });
});
