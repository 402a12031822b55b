import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { CONSUMER, DEPLOYMENTS, World } from './controllers.fixture.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.stop());

const finalizer = (name: string): string => `workload.kcp.io/syncer-${world.key(name)}`;
const statesOf = (object: KubeObject | undefined) => world.statesOf(object);
const deployment = (name = 'web') => world.server.get(DEPLOYMENTS, CONSUMER, name, 'default');
const texts = (): string[] => world.logged.lines.map(({ text }) => text);
describe('a deployment', () => {
  test('on two targets is divided, and says what both report together', async () => {
    world.target('west');
    world.target('east');
    world.namespace('default', { 'placement.workload.kcp.io/spread': '2' });
    world.deployment('web', 7);
    world.start();
    await world.pass(5_000);
    expect(statesOf(deployment())).toEqual({ east: 'Sync', west: 'Sync' });
    expect(deployment()?.status).toEqual({ replicas: 7, readyReplicas: 7 });
  });

  test('that cannot be read is left alone, which is said once, until it changes', async () => {
    world.target('west');
    world.namespace('default');
    world.start();
    await world.rest();
    world.server.put(DEPLOYMENTS, CONSUMER, { metadata: { name: 'web', namespace: 'default' }, spec: { replicas: 'many' } });
    await world.pass(60_000);
    const said = texts().filter(text => text === 'the deployment is left as it is until it changes');
    expect(said).toHaveLength(1);
    expect(statesOf(deployment())).toEqual({ west: '' });
    world.deployment('web', 2);
    await world.rest();
    expect(statesOf(deployment())).toEqual({ west: 'Sync' });
  });
});

// The exports were known when they changed, and complete only later, when all SyncTargets were: nothing was scheduled then, ever.
test('what was not known when all began is asked for again, without anybody telling that it is known now', async () => {
  world.target('west');
  world.namespace('default');
  world.deployment('web', 3);
  world.exports.reason = 'the SyncTargets of root';
  world.start();
  world.exports.changed();
  await world.pass(3_000);
  expect(statesOf(deployment())).toEqual({});
  world.exports.reason = undefined;
  await world.pass(3_000);
  expect(statesOf(deployment())).toEqual({ west: 'Sync' });
});

test('a shard that goes takes its feeds with it, and stopping leaves no stream and no timer', async () => {
  world.target('west');
  world.namespace('default');
  world.start();
  await world.pass(1_000);
  expect(world.controllers?.isAtRest()).toBe(true);
  const streams = world.server.openStreams;
  world.shards.known.set('second', 'https://second.test');
  world.shards.changed();
  await world.rest();
  expect(world.server.openStreams).toBe(2 * streams);
  world.shards.known.delete('second');
  world.shards.changed();
  await world.rest();
  expect(world.server.openStreams).toBe(streams);
  await world.stop();
  expect(world.server.openStreams).toBe(0);
  expect(world.clock.pending).toEqual([]);
  expect(world.controllers?.isLeading()).toBe(false);
});

test('what the last target of an export has left behind is still found, for a while', async () => {
  world.target('west');
  world.namespace('default');
  world.deployment('web', 3);
  world.start();
  await world.pass(1_000);
  expect(deployment()?.metadata?.finalizers).toEqual([finalizer('west')]);
  const streams = world.server.openStreams;
  world.targets.isComplete = false;
  world.removeTarget('west');
  // Nobody names it any more, and of the compute export only the claims are followed.
  world.exports.list = () => [];
  world.exports.changed();
  await world.pass(20_000);
  expect(deployment()?.metadata?.finalizers).toEqual([finalizer('west')]);
  world.targets.isComplete = true;
  await world.pass(10_000);
  expect(deployment()?.metadata?.finalizers).toEqual([]);
  await world.pass(600_000);
  expect(world.server.openStreams).toBe(streams - 5);
});

test('what is at rest is not written to, and hundreds of objects need one write each or two', async () => {
  world.target('west');
  world.namespace('default');
  for (let i = 0; i < 200; i++) world.server.put('/secrets', CONSUMER, { metadata: { name: `s${i}`, namespace: 'default' } });
  world.start();
  await world.pass(10_000);
  expect(world.server.writes.filter(write => write.includes('/secrets/'))).toHaveLength(200);
  world.server.writes.length = 0;
  await world.pass(60_000);
  expect(world.server.writes.filter(write => !write.includes('/leases/'))).toEqual([]);
});
