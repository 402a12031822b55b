import { describe, expect, test } from '@jest/globals';
import { schemaAt } from '@kcp-vw/shared/view/schema-resources.fixture.ts';
import type { Answer } from '@kcp-vw/shared/view/view.ts';
import { createEndings } from './endings.ts';
import {
  ALL_OF_COMPUTE,
  accepted,
  COMPUTE,
  callTo,
  DEPLOYMENTS,
  exportOf,
  settled,
  targetAt,
  transformed,
  VOLUMES,
  World,
} from './view.fixture.ts';

const object = (cluster: string) => ({
  metadata: { name: 'web', labels: { 'state.workload.kcp.io/W': 'Sync' }, annotations: { 'kcp.io/cluster': cluster } },
});

/** A watch that is open: why it has ended, if it has. */
function open(answer: Answer) {
  const ends: string[] = [];
  const plan = transformed(answer);
  const stop = plan.until?.(reason => ends.push(reason));
  return { ends, plan, stop: () => stop?.() };
}

async function watching(world: World, cluster = '*', path = DEPLOYMENTS) {
  return open(await world.syncer.answer(callTo(cluster, `${path}?watch=true`)));
}

describe('a watch', () => {
  test('goes on while heartbeats, other exports and other bindings change', async () => {
    const world = new World();
    const { ends } = await watching(world, 'consumer');
    const status = { syncedResources: ALL_OF_COMPUTE, lastSyncerHeartbeatTime: '2023-05-01T10:00:00Z' };
    world.put(targetAt('edge/west', { status }));
    world.putExport('root:other/other', exportOf('other/other', []));
    world.putExport('root:compute/kubernetes', exportOf('compute/kubernetes', COMPUTE.schemas, 'kube'));
    world.bind('other', 'edge');
    await settled();
    expect(ends).toEqual([]);
  });

  // The original went on with it, whoever had taken the name.
  test('ends when the SyncTarget is gone, also when there is another of its name', async () => {
    const world = new World();
    const [one, other] = [await watching(world), await watching(world, 'consumer')];
    const upsyncer = open(await world.upsyncer.answer(callTo('*', `${VOLUMES}?watch=true`)));
    world.remove(targetAt('edge/west'));
    world.put(targetAt('edge/west', { uid: 'uid-2' }));
    for (const { ends } of [one, other, upsyncer]) expect(ends).toEqual(['the SyncTarget is gone']);
  });

  test('does not end with another SyncTarget', async () => {
    const world = new World();
    const east = targetAt('edge/east', { key: 'E', uid: 'uid-2' });
    world.put(east);
    const { ends } = await watching(world);
    world.remove(east);
    expect(ends).toEqual([]);
  });

  test('ends when its resource gets another schema, and that of another resource does not', async () => {
    const world = new World();
    const deployments = await watching(world);
    const services = await watching(world, '*', '/api/v1/services');
    const secrets = await watching(world, '*', '/api/v1/secrets');
    const others = COMPUTE.schemas.filter(({ spec }) => spec?.names.plural !== 'deployments');
    const changed = schemaAt('compute/new', 'deployments.apps', { kind: 'Deployment' });
    world.putExport('root:compute/kubernetes', exportOf('compute/kubernetes', [...others, changed], 'kube'));
    await settled();
    expect(deployments.ends).toEqual(['the API has changed']);
    expect([services.ends, secrets.ends]).toEqual([[], []]);
  });

  test('ends when its resource is accepted no more', async () => {
    const world = new World();
    const { ends } = await watching(world);
    world.put(targetAt('edge/west', { status: { syncedResources: accepted('services') } }));
    expect(ends).toEqual(['the API has changed']);
  });

  test('of a logical cluster ends when that takes its binding back', async () => {
    const world = new World();
    const [one, all] = [await watching(world, 'consumer'), await watching(world)];
    world.bind('consumer', 'edge', false);
    await settled();
    expect(one.ends).toEqual(['logical cluster "consumer" does not let in SyncTargets of "edge", as "west" is']);
    expect(all.ends).toEqual([]);
  });

  // Who schedules may have heard of the binding before: the object would be missing for as long as it does not change.
  test('ends when it, or a list before it, has left out what it would show now', async () => {
    const world = new World();
    const [withheld, other] = [await watching(world), await watching(world)];
    expect(withheld.plan.object(object('late'))).toBeUndefined();
    const next = await watching(world);
    world.bind('unrelated', 'edge');
    await settled();
    expect(withheld.ends).toEqual([]);
    world.bind('late', 'edge');
    await settled();
    for (const { ends } of [withheld, other, next]) expect(ends).toEqual(['the SyncTarget reaches other logical clusters']);
    expect((await watching(world)).ends).toEqual([]);
  });

  test('ends when what it has shown is not for it any more, and one that begins then does not', async () => {
    const world = new World();
    world.bind('early', 'edge');
    await settled();
    const { plan, ends } = await watching(world);
    expect(plan.object(object('early'))).toBeDefined();
    world.bind('early', 'edge', false);
    await settled();
    expect(ends).toEqual(['the SyncTarget reaches other logical clusters']);
    expect((await watching(world)).ends).toEqual([]);
  });

  test('ends at once where its reason has gone before it begins', async () => {
    const world = new World();
    const answer = await world.syncer.answer(callTo('*', `${DEPLOYMENTS}?watch=true`));
    world.remove(targetAt('edge/west'));
    expect(open(answer).ends).toEqual(['the SyncTarget is gone']);
  });

  test('that its client has left is not ended', async () => {
    const world = new World();
    const { ends, stop } = await watching(world);
    stop();
    world.remove(targetAt('edge/west'));
    expect(ends).toEqual([]);
  });
});

describe('what is kept of long-running requests', () => {
  const started = () => {
    const world = new World();
    return { world, endings: createEndings(world.targets, world.exports, world.consumers) };
  };

  test('is nothing once they have ended, or were left', () => {
    const { world, endings } = started();
    let reason: string | undefined;
    const ends: string[] = [];
    endings.follow(
      'W',
      () => reason,
      end => ends.push(end),
    );
    const stop = endings.follow(
      'W',
      () => undefined,
      end => ends.push(end),
    );
    expect(endings.size).toBe(2);
    reason = 'over';
    world.put(targetAt('edge/west'));
    expect(endings.size).toBe(1);
    stop();
    expect(endings.size).toBe(0);
    world.put(targetAt('edge/west'));
    expect(ends).toEqual(['over']);
  });

  test('is looked at once for all that changes in one go', async () => {
    const { world, endings } = started();
    let looks = 0;
    const look = (): undefined => {
      looks += 1;
    };
    endings.follow('W', look, () => undefined);
    for (let i = 0; i < 100; i++) world.bind(`c${i}`, 'edge');
    await settled();
    expect(looks).toBe(2);
  });

  test('is not told to whom another has made stop', () => {
    const { world, endings } = started();
    let isOver = false;
    const ends: string[] = [];
    const reason = () => (isOver ? 'over' : undefined);
    const stops: (() => void)[] = [];
    for (const name of ['one', 'other']) {
      stops.push(
        endings.follow('W', reason, () => {
          ends.push(name);
          for (const stop of stops) stop();
        }),
      );
    }
    isOver = true;
    world.put(targetAt('edge/west'));
    expect(ends).toEqual(['one']);
  });
});
