import { describe, expect, test } from '@jest/globals';
import { SYNCER } from './api-flavour.ts';
import { createApiSets } from './api-sets.ts';
import { accepted, COMPUTE, exportOf, targetAt, World } from './view.fixture.ts';

function started() {
  const world = new World();
  return { world, sets: createApiSets(world.targets, world.exports, SYNCER) };
}

describe('the API set of a SyncTarget', () => {
  // Documents are made per array, and a target changes with every heartbeat.
  test('is the same while only other things of the target change', () => {
    const { sets } = started();
    const before = sets.of(targetAt('edge/west'));
    const status = { syncedResources: accepted('deployments.apps') };
    expect(sets.of(targetAt('edge/west'))).toBe(before);
    expect(sets.of(targetAt('edge/west', { status }))).not.toBe(before);
  });

  test('is shared by all targets that are given the same', () => {
    const { sets } = started();
    const one = sets.of(targetAt('edge/west'));
    expect(sets.of(targetAt('edge/east', { key: 'E' }))).toBe(one);
    expect(sets.size).toEqual({ sets: 1, targets: 2 });
  });

  test('is another one when an export changes', () => {
    const { world, sets } = started();
    const target = targetAt('edge/west');
    const before = sets.of(target);
    world.putExport('root:compute/kubernetes', exportOf('compute/kubernetes', COMPUTE.schemas.slice(0, 1), 'kube'));
    const after = sets.of(target);
    expect(after.apis.length).toBeLessThan(before.apis.length);
    expect(sets.size).toEqual({ sets: 1, targets: 1 });
  });

  test('is the same when an export is there anew, and nothing else', () => {
    const { world, sets } = started();
    const target = targetAt('edge/west');
    const before = sets.of(target);
    world.putExport('root:compute/kubernetes', exportOf('compute/kubernetes', COMPUTE.schemas, 'kube'));
    expect(sets.of(target)).toBe(before);
  });

  test('is not kept for longer than its target', () => {
    const { world, sets } = started();
    const [west, east] = [targetAt('edge/west'), targetAt('edge/east', { key: 'E' })];
    sets.of(west);
    sets.of(east);
    world.remove(west);
    expect(sets.size).toEqual({ sets: 1, targets: 1 });
    world.remove(east);
    expect(sets.size).toEqual({ sets: 0, targets: 0 });
  });
});
