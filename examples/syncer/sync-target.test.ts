import { expect, test } from '@jest/globals';
import { ManualClock, settle } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { createClient } from './client.ts';
import { findSyncTarget, isNews } from './sync-target.ts';

const FOUND = { metadata: { name: 'west', uid: 'u' } };

function finding(...answers: readonly { status: number; body: object }[]) {
  const clock = new ManualClock();
  const said: string[] = [];
  const stopping = new AbortController();
  const upstream = fakeUpstream((_request, index) => answers[index] ?? { body: FOUND });
  const options = { name: 'west', uid: 'u', clock, signal: stopping.signal, say: (text: string) => void said.push(text) };
  return { clock, said, upstream, stopping, found: findSyncTarget(createClient(upstream, '/clusters/st'), options) };
}

test('a SyncTarget is asked for again when the rights to read it come later', async () => {
  const { clock, said, upstream, found } = finding({ status: 403, body: { message: 'not yet' } });
  await settle();
  await clock.advance(5_000);
  expect(await found).toEqual(FOUND);
  expect(upstream.requests.map(({ path }) => path)).toEqual(
    Array(2).fill('/clusters/st/apis/workload.kcp.io/v1alpha1/synctargets/west'),
  );
  expect(said).toEqual([expect.stringContaining('403 not yet; trying again')]);
});

test('a syncer that is ended while it asks is at its end', async () => {
  const { stopping, found } = finding({ status: 403, body: {} });
  await settle();
  stopping.abort();
  await expect(found).rejects.toThrow('was ended before the SyncTarget "west" was found');
});

test('heartbeats are no news of a SyncTarget, its resources are', () => {
  const at = (lastSyncerHeartbeatTime: string, resource = 'a') => ({
    status: { lastSyncerHeartbeatTime, syncedResources: [{ resource, versions: ['v1'] }] },
  });
  expect(isNews(undefined, at('1'))).toBe(true);
  expect(isNews(at('1'), at('2'))).toBe(false);
  expect(isNews(at('1'), at('2', 'b'))).toBe(true);
});
