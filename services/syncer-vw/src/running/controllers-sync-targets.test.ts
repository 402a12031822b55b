import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SyncTarget } from '../controllers/sync-target.ts';
import { ACCEPTED, COMPUTE, COMPUTE_EXPORT, CONSUMER, TARGETS, World } from './controllers.fixture.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.stop());

const label = (name: string): string => `state.workload.kcp.io/${world.key(name)}`;
const finalizer = (name: string): string => `workload.kcp.io/syncer-${world.key(name)}`;
const syncTarget = (name = 'west') => world.server.get(TARGETS, COMPUTE, name) as SyncTarget | undefined;
const condition = (type: string) => syncTarget()?.status?.conditions?.find(one => one.type === type);
const texts = (): string[] => world.logged.lines.map(({ text }) => text);
describe('a SyncTarget', () => {
  test('is told its key, its URLs and its resources, and becomes ready', async () => {
    world.target('west');
    const { syncedResources: _, ...status } = syncTarget()?.status ?? {};
    world.server.put(TARGETS, COMPUTE, { ...syncTarget(), status });
    world.start();
    await world.rest();
    const uid = syncTarget()?.metadata?.uid;
    expect(syncTarget()).toMatchObject({
      metadata: { labels: { 'internal.workload.kcp.io/key': world.key('west') } },
      status: {
        virtualWorkspaces: [
          {
            syncerURL: `https://shard.test/services/syncer/compute/west/${uid}`,
            upsyncerURL: `https://shard.test/services/upsyncer/compute/west/${uid}`,
          },
        ],
        syncedResources: expect.arrayContaining([expect.objectContaining({ resource: 'deployments', state: 'Pending' })]),
      },
    });
    expect(condition('Ready')?.status).toBe('True');
  });

  test('is not ready any more a minute after the last heartbeat, and ready with the next', async () => {
    world.target('west');
    world.start();
    await world.rest();
    world.alive.clear();
    await world.pass(55_000);
    expect(condition('Ready')?.status).toBe('True');
    await world.pass(6_000);
    expect(condition('Ready')).toMatchObject({ status: 'False', reason: 'ErrorHeartbeat' });
    world.target('west');
    await world.rest();
    expect(condition('Ready')?.status).toBe('True');
  });

  test('is told of a shard that comes', async () => {
    world.target('west');
    world.start();
    await world.rest();
    world.shards.known.set('second', 'https://second.test');
    world.shards.changed();
    await world.rest();
    expect(syncTarget()?.status?.virtualWorkspaces).toHaveLength(2);
  });

  test('is told of an export that changes, and keeps what its syncer has said of what remains', async () => {
    world.target('west');
    world.start();
    await world.rest();
    world.exports.known = [{ ...COMPUTE_EXPORT, schemas: COMPUTE_EXPORT.schemas.slice(0, 1) }];
    world.exports.changed();
    await world.rest();
    expect(syncTarget()?.status?.syncedResources).toEqual([
      expect.objectContaining({ resource: 'deployments', state: 'Accepted' }),
    ]);
  });

  test('keeps the resources of an export that is not found, as long as it may be there', async () => {
    world.target('west');
    world.start();
    await world.rest();
    const [deployments] = COMPUTE_EXPORT.schemas;
    world.exports.known = [{ ...COMPUTE_EXPORT, schemas: deployments ? [deployments] : [] }];
    world.exports.unknown = 'a workspace cannot be read';
    world.exports.changed();
    await world.rest();
    expect(syncTarget()?.status?.syncedResources).toHaveLength(ACCEPTED.length);
    world.exports.unknown = undefined;
    world.exports.changed();
    await world.rest();
    expect(syncTarget()?.status?.syncedResources).toHaveLength(1);
  });

  test('is told everything in one go, each part made of what the one before has left', async () => {
    world.target('west');
    const { syncedResources: _, ...status } = syncTarget()?.status ?? {};
    world.server.put(TARGETS, COMPUTE, { ...syncTarget(), status });
    const told: string[] = [];
    world.server.refuse = ({ method, body }) => {
      const patch = method === 'PATCH' ? JSON.parse(String(body)) : {};
      if (method === 'PATCH') told.push(...Object.keys(patch.status ?? patch.metadata.labels));
      return undefined;
    };
    world.start();
    await world.rest();
    expect(told.slice(0, 4)).toEqual(['internal.workload.kcp.io/key', 'virtualWorkspaces', 'syncedResources', 'conditions']);
  });

  test('keeps its resources as long as exports have not been read', async () => {
    world.exports.known = [];
    world.exports.reason = 'exports have not been read';
    world.target('west');
    world.start();
    await world.rest();
    expect(syncTarget()?.status?.syncedResources).toEqual(ACCEPTED);
  });

  test('has a shard whose URL is none: its health is told all the same', async () => {
    world.shards.known.set('bad', 'no URL');
    world.target('west');
    world.start();
    await world.rest();
    expect(condition('Ready')?.status).toBe('True');
    expect(syncTarget()?.status?.virtualWorkspaces).toBeUndefined();
    expect(texts()).toContain('the SyncTarget is not up to date; trying again');
  });
});

describe('a broken object', () => {
  const breakIt = (name: string, text = 'no JSON') =>
    world.mark('/configmaps', name, 'default', {
      labels: { [label('west')]: 'Sync' },
      annotations: { [`diff.syncer.internal.kcp.io/${world.key('west')}`]: text },
    });

  test('is named on the SyncTarget whose view lacks it, until it is mended', async () => {
    world.target('west');
    world.namespace('default');
    world.start();
    await world.pass(1_000);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) breakIt(name);
    await world.pass(1_000);
    expect(condition('ObjectsShown')).toMatchObject({ status: 'False', severity: 'Warning', reason: 'BrokenObjects' });
    expect(condition('ObjectsShown')?.message).toMatch(
      /^6 objects cannot be shown: consumer\/default\/configmaps\/a: .*\/e: .*; …$/,
    );
    expect(condition('Ready')?.status).toBe('True');
    for (const name of ['a', 'b', 'c', 'd', 'e']) breakIt(name, '{}');
    await world.pass(1_000);
    expect(condition('ObjectsShown')?.message).toMatch(/^1 object cannot be shown: consumer\/default\/configmaps\/f: [^;]*$/);
    breakIt('f', '{}');
    await world.pass(1_000);
    expect(condition('ObjectsShown')).toBeUndefined();
  });

  test('is known by the whole of it: a patch of what it does not have', async () => {
    world.target('west');
    world.namespace('default');
    const annotations = {
      [`experimental.spec-diff.workload.kcp.io/${world.key('west')}`]: '[{"op":"replace","path":"/missing/field","value":1}]',
    };
    const labels = { [label('west')]: 'Sync' };
    world.start();
    await world.pass(1_000);
    world.server.put('/services', CONSUMER, { metadata: { name: 'web', namespace: 'default', labels, annotations }, spec: {} });
    await world.pass(1_000);
    expect(condition('ObjectsShown')?.message).toMatch(/services\/web/);
  });

  test('of a logical cluster that has not let the target in is not told it', async () => {
    world.target('west');
    const labels = { [label('west')]: 'Sync' };
    const annotations = { [`diff.syncer.internal.kcp.io/${world.key('west')}`]: 'no JSON' };
    world.start();
    await world.pass(1_000);
    // Its label stays as long as the syncer has hold of it.
    const finalizers = [finalizer('west')];
    world.server.put('/configmaps', 'stranger', {
      metadata: { name: 'a', namespace: 'default', labels, annotations, finalizers },
    });
    await world.pass(1_000);
    expect(condition('ObjectsShown')).toBeUndefined();
  });

  test('that the leader before has told of is forgotten when everything has been looked at, and not before', async () => {
    world.target('west');
    const stale = [{ type: 'ObjectsShown', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }];
    world.server.put(TARGETS, COMPUTE, { ...syncTarget(), status: { ...syncTarget()?.status, conditions: stale } });
    const notYet = { status: 500, body: { message: 'not yet' } };
    world.server.refuse = ({ path }) => (path.includes('/secrets') ? notYet : undefined);
    world.start();
    await world.pass(15_000);
    expect(condition('ObjectsShown')?.status).toBe('False');
    world.server.refuse = () => undefined;
    await world.pass(25_000);
    expect(condition('ObjectsShown')).toBeUndefined();
  });
});
