import { expect, test } from '@jest/globals';
import { ManualClock, settle } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { createClient } from './client.ts';
import { startHeartbeat } from './heartbeat.ts';

function beating(answer: (index: number) => { status?: number; body?: object }) {
  const clock = new ManualClock();
  const said: string[] = [];
  const upstream = fakeUpstream((_request, index) => ({ body: {}, ...answer(index) }));
  const workspace = createClient(upstream, '/clusters/st');
  const now = () => Date.parse('2026-01-01T00:00:00.700Z');
  const stop = startHeartbeat({ workspace, path: '/west', uid: 'u', interval: 20_000, clock, now, say: text => said.push(text) });
  return { clock, said, upstream, stop };
}

test('a heartbeat is only for the SyncTarget with this uid', async () => {
  const { upstream, stop } = beating(() => ({}));
  await settle();
  stop();
  expect(upstream.requests[0]).toMatchObject({ method: 'PATCH', path: '/clusters/st/west/status' });
  expect(upstream.requests[0]?.headers).toContain('application/json-patch+json');
  expect(JSON.parse(upstream.requests[0]?.body ?? '')).toEqual([
    { op: 'test', path: '/metadata/uid', value: 'u' },
    { op: 'add', path: '/status/lastSyncerHeartbeatTime', value: '2026-01-01T00:00:00Z' },
  ]);
});

test('one that fails comes again a second later, the others keep their interval', async () => {
  const { clock, said, stop } = beating(index => (index === 1 ? { status: 500, body: { message: 'broken' } } : {}));
  await settle();
  expect(clock.pending).toEqual([20_000]);
  await clock.advance(20_000);
  expect(clock.pending).toEqual([1000]);
  expect(said).toEqual(['heartbeat: PATCH /clusters/st/west/status: 500 broken; trying again']);
  await clock.advance(1000);
  expect(clock.pending).toEqual([20_000]);
  stop();
  expect(clock.pending).toEqual([]);
});
