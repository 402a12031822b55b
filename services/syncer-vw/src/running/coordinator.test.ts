import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { CONSUMER, DEPLOYMENTS, World } from './controllers.fixture.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.stop());

const specDiff = (target: string): string => `experimental.spec-diff.workload.kcp.io/${world.key(target)}`;
const deployment = () => world.server.get(DEPLOYMENTS, CONSUMER, 'web', 'default');
const share = (target: string) => JSON.parse(deployment()?.metadata?.annotations?.[specDiff(target)] ?? 'null')?.[0]?.value;

// Without them each target sees all replicas, and runs them.
test('shares that somebody takes away or changes are written again', async () => {
  for (const name of ['west', 'east']) world.target(name);
  world.namespace('default', { 'placement.workload.kcp.io/spread': '2' });
  world.deployment('web', 6);
  world.start();
  await world.pass(2_000);
  expect([share('west'), share('east')]).toEqual([3, 3]);
  // No report of theirs says so.
  world.alive.clear();
  const { [specDiff('west')]: _, ...annotations } = deployment()?.metadata?.annotations ?? {};
  world.server.put(DEPLOYMENTS, CONSUMER, { ...deployment(), metadata: { ...deployment()?.metadata, annotations } });
  await world.pass(2_000);
  expect([share('west'), share('east')]).toEqual([3, 3]);
  world.mark(DEPLOYMENTS, 'web', 'default', {
    annotations: { [specDiff('east')]: '[{"op":"replace","path":"/replicas","value":0}]' },
  });
  await world.pass(2_000);
  expect([share('west'), share('east')]).toEqual([3, 3]);
});
