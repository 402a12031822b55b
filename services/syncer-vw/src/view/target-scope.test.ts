import { describe, expect, test } from '@jest/globals';
import { type CallParts, callTo, DEPLOYMENTS, masters, targetAt, World } from './view.fixture.ts';

describe.each(['syncer', 'upsyncer'] as const)('the path of the %s view', view => {
  const resolves = (world: World, parts: CallParts = {}, cluster = '*'): boolean => {
    const { scope, request } = callTo(cluster, DEPLOYMENTS, parts);
    return world[view].resolve?.(scope, request) !== undefined;
  };

  test('names a SyncTarget with its uid, and a logical cluster or all', () => {
    expect(resolves(new World())).toBe(true);
    expect(resolves(new World(), {}, 'consumer')).toBe(true);
  });

  // The syncer of one that was deleted would go on with what its namesake has.
  test('of another uid is none', () => {
    expect(resolves(new World(), { uid: 'uid-0' })).toBe(false);
    expect(resolves(new World(), { uid: '' })).toBe(false);
  });

  test('of a SyncTarget that is not known is none', () => {
    expect(resolves(new World(), { at: 'edge/east' })).toBe(false);
    const world = new World();
    world.missing = 'the SyncTargets of shard "root"';
    expect(resolves(world)).toBe(false);
  });

  test.each(['root:edge', 'system:admin', '..', 'Consumer', 'a/b', ''])('with the cluster %j is none', cluster => {
    expect(resolves(new World(), {}, cluster)).toBe(false);
    const world = new World();
    world.put(targetAt(`${cluster.replace('/', '%2F')}/west`));
    expect(resolves(world, { at: `${cluster.replace('/', '%2F')}/west` })).toBe(false);
  });

  test('is nobody’s whose SyncTarget is in all logical clusters', () => {
    const world = new World();
    world.put(targetAt('*/west'));
    expect(resolves(world, { at: '*/west' })).toBe(false);
  });
});

describe.each(['syncer', 'upsyncer'] as const)('who may use the %s view', view => {
  const decision = (world: World, cluster = '*', parts: CallParts = {}, path = DEPLOYMENTS) =>
    world[view].authorize(callTo(cluster, path, parts));

  test('3: is asked with one review of the verb sync, where the SyncTarget is', async () => {
    const world = new World();
    const call = callTo('consumer', DEPLOYMENTS);
    expect(await world[view].authorize(call)).toEqual({ allowed: true, because: 'may sync edge/west' });
    expect(world.asked).toEqual([
      {
        cluster: 'edge',
        user: call.caller,
        resource: { group: 'workload.kcp.io', version: 'v1alpha1', resource: 'synctargets', verb: 'sync', name: 'west' },
      },
    ]);
  });

  test.each(['/', '/apis', '/version', '/api/v1'])('is asked for %s, too', async path => {
    const world = new World();
    await decision(world, '*', {}, path);
    expect(world.asked).toHaveLength(1);
  });

  test('3: is not who may not sync, and is not told why', async () => {
    const world = new World();
    world.allows = () => false;
    expect(await decision(world)).toEqual({ allowed: false, because: 'may not sync edge/west', told: 'access denied' });
  });

  test('are masters, unasked', async () => {
    const world = new World();
    world.allows = () => false;
    expect(await decision(world, '*', { caller: masters })).toEqual({ allowed: true, because: 'system:masters' });
    expect(world.asked).toEqual([]);
  });

  test('is nobody while nobody can be asked', async () => {
    const world = new World();
    world.reviews = false;
    await expect(decision(world)).rejects.toMatchObject({ code: 503 });
  });

  test('is nobody any more when the SyncTarget is gone', async () => {
    const world = new World();
    world.remove(targetAt('edge/west'));
    expect(await decision(world)).toMatchObject({ allowed: false, told: 'access denied' });
    expect(world.asked).toEqual([]);
  });

  // Whoever makes a SyncTarget could else read the Secrets of every logical cluster.
  test('is nobody in a logical cluster that has let no SyncTarget of that workspace in', async () => {
    const because = 'logical cluster "other" does not let in SyncTargets of "edge", as "west" is';
    expect(await decision(new World(), 'other')).toEqual({ allowed: false, because });
    expect(await decision(new World(), 'other', { caller: masters })).toEqual({ allowed: false, because });
    expect(await decision(new World(), 'edge')).toMatchObject({ allowed: true });
  });

  test('is told nothing of bindings who may not sync', async () => {
    const world = new World();
    world.allows = () => false;
    expect(await decision(world, 'other')).toEqual(await decision(world, 'consumer'));
  });
});
