/** What the service tells a SyncTarget: where its views are, what may be synced, and whether its syncer is alive. */
import { beforeAll, describe, expect } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { atFrontProxy, target } from './support/identities.ts';
import { COMPUTE, computeWorkspace, syncingTest } from './support/syncing.ts';
import { KEY_LABEL } from './support/syncing-shown.ts';
import { acceptResources, beat, createSyncTarget, SYNC_TARGETS, storedSyncTarget } from './support/syncing-targets.ts';
import { adminIn } from './support/workspaces.ts';

beforeAll(async () => {
  await computeWorkspace();
}, 180_000);

describe('a SyncTarget is told', () => {
  syncingTest('its key, and a pair of URLs for each shard, which no slash and no cluster ends', async () => {
    const one = await createSyncTarget();
    const { cluster, name, uid, key } = one;
    await eventually('URLs and key', async () => {
      const { metadata, status } = await storedSyncTarget(one);
      expect(metadata?.labels).toMatchObject({ [KEY_LABEL]: key, e2e: one.mark });
      const urls = target.shards.map(({ virtualWorkspaceURL }) => {
        const ends = (view: string): string => `${new URL(virtualWorkspaceURL).port}/services/${view}/${cluster}/${name}/${uid}`;
        return {
          syncerURL: expect.stringMatching(`${ends('syncer')}$`),
          upsyncerURL: expect.stringMatching(`${ends('upsyncer')}$`),
        };
      });
      expect(status?.virtualWorkspaces).toHaveLength(urls.length);
      expect(status?.virtualWorkspaces).toEqual(expect.arrayContaining(urls));
    });
    // What somebody takes away comes back.
    const wrong = { metadata: { labels: { [KEY_LABEL]: null } } };
    (await adminIn(COMPUTE).mergePatch(`${SYNC_TARGETS}/${name}`, wrong)).expect(200);
    (await adminIn(COMPUTE).mergePatch(`${SYNC_TARGETS}/${name}/status`, { status: { virtualWorkspaces: [] } })).expect(200);
    await eventually('both again', async () => {
      const { metadata, status } = await storedSyncTarget(one);
      expect(metadata?.labels?.[KEY_LABEL]).toBe(key);
      expect(status?.virtualWorkspaces).toHaveLength(target.shards.length);
    });
  });

  syncingTest('which resources its exports have, whose states are its syncer’s', async () => {
    const { compute } = await computeWorkspace();
    const one = await createSyncTarget();
    const known = (group: string, resource: string, state: string) => ({
      ...{ group, resource, versions: ['v1'], identityHash: compute.identityHash, state },
    });
    const all = (state: string, ofServices = state) => [
      known('', 'persistentvolumes', state),
      known('', 'pods', state),
      known('', 'services', ofServices),
      known('apps', 'deployments', state),
      known('networking.k8s.io', 'ingresses', state),
    ];
    await eventually('the resources', async () =>
      expect((await storedSyncTarget(one)).status?.syncedResources).toEqual(all('Pending')),
    );
    await acceptResources(one, ['services']);
    await beat(one);
    await eventually('Ready', async () =>
      expect((await storedSyncTarget(one)).status?.conditions).toContainEqual(
        expect.objectContaining({ type: 'Ready', status: 'True' }),
      ),
    );
    expect((await storedSyncTarget(one)).status?.syncedResources).toEqual(all('Pending', 'Accepted'));
  });

  syncingTest('whether its syncer is alive', async () => {
    const one = await createSyncTarget();
    const conditionsAre = (status: string) =>
      eventually(`conditions ${status}`, async () => {
        const conditions = (await storedSyncTarget(one)).status?.conditions ?? [];
        expect(conditions.map(({ type, status }) => [type, status]).sort()).toEqual([
          ['HeartbeatHealthy', status],
          ['Ready', status],
        ]);
      });
    await conditionsAre('False');
    await beat(one);
    await conditionsAre('True');
    const long = { status: { lastSyncerHeartbeatTime: new Date(Date.now() - 3_600_000).toISOString() } };
    (await adminIn(COMPUTE).mergePatch(`${SYNC_TARGETS}/${one.name}/status`, long)).expect(200);
    await conditionsAre('False');
    // What a syncer says itself of its cluster stays.
    const authorized = { type: 'SyncerAuthorized', status: 'True', lastTransitionTime: new Date().toISOString() };
    const { status } = await storedSyncTarget(one);
    const conditions = [...(status?.conditions ?? []), authorized];
    const asSyncer = atFrontProxy(one.syncer).at(`/clusters/${COMPUTE}${SYNC_TARGETS}/${one.name}`);
    (await asSyncer.mergePatch('/status', { status: { conditions } })).expect(200);
    await beat(one);
    await eventually('all three', async () =>
      expect((await storedSyncTarget(one)).status?.conditions?.map(({ type, status }) => `${type} ${status}`).sort()).toEqual([
        ...['HeartbeatHealthy True', 'Ready True', 'SyncerAuthorized True'],
      ]),
    );
  });
});
