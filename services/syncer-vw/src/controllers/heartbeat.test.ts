import { describe, expect, test } from '@jest/globals';
import { patched } from './controllers.fixture.ts';
import { heartbeatVerdict } from './heartbeat.ts';
import { syncTarget } from './sync-target.fixture.ts';
import type { SyncTarget, SyncTargetCondition } from './sync-target.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const AT = '2026-01-01T12:00:00Z';
const EARLIER = '2026-01-01T08:00:00Z';
const secondsAgo = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
const alive = (seconds: number, conditions: readonly SyncTargetCondition[] = []): SyncTarget =>
  syncTarget({ status: { lastSyncerHeartbeatTime: secondsAgo(seconds), conditions } });
const missed = (message: string) => ({ status: 'False', severity: 'Warning', reason: 'ErrorHeartbeat', message });

describe('the heartbeat of a syncer', () => {
  test('is missed if there has been none', () => {
    expect(heartbeatVerdict(syncTarget(), NOW)).toEqual({
      patch: {
        metadata: { uid: 'uid-of-us-west1', resourceVersion: '7' },
        status: {
          conditions: [
            { type: 'Ready', ...missed('No heartbeat yet seen'), lastTransitionTime: AT },
            { type: 'HeartbeatHealthy', ...missed('No heartbeat yet seen'), lastTransitionTime: AT },
          ],
        },
      },
    });
  });

  test('is healthy if it is fresh, and looked at again when it will not be', () => {
    const { patch, recheckAfterMs } = heartbeatVerdict(alive(10), NOW);
    expect(recheckAfterMs).toBe(50_000);
    expect(patch?.status?.conditions).toEqual([
      { type: 'Ready', status: 'True', lastTransitionTime: AT },
      { type: 'HeartbeatHealthy', status: 'True', lastTransitionTime: AT },
    ]);
  });

  test.each([60, 90, 100_000])('is missed if it is %d seconds old', seconds => {
    const { patch, recheckAfterMs } = heartbeatVerdict(alive(seconds), NOW);
    expect(recheckAfterMs).toBeUndefined();
    expect(patch?.status?.conditions).toMatchObject([
      { type: 'Ready', ...missed(`No heartbeat since ${secondsAgo(seconds)}`) },
      { type: 'HeartbeatHealthy', ...missed(`No heartbeat since ${secondsAgo(seconds)}`) },
    ]);
  });

  test('may be a little ahead of time, but not so far that it would count for long', () => {
    expect(heartbeatVerdict(alive(-5), NOW)).toMatchObject({
      patch: { status: { conditions: [{ status: 'True' }, { status: 'True' }] } },
    });
    const ahead = heartbeatVerdict(alive(-86_400), NOW);
    expect(ahead.patch?.status?.conditions).toMatchObject([
      { status: 'False' },
      { status: 'False', message: expect.stringContaining('is ahead') },
    ]);
    expect(ahead.recheckAfterMs).toBe(120_000);
  });

  test('that is still as it was changes nothing, and one that comes back has its own time', () => {
    const known = patched(alive(10), heartbeatVerdict(alive(10), NOW).patch ?? { metadata: {} });
    expect(heartbeatVerdict(known, NOW + 20_000)).toEqual({ recheckAfterMs: 30_000 });
    const lost = patched(known, heartbeatVerdict(known, NOW + 60_000).patch ?? { metadata: {} });
    expect(lost.status?.conditions?.map(one => one.lastTransitionTime)).toEqual(['2026-01-01T12:01:00Z', '2026-01-01T12:01:00Z']);
    expect(heartbeatVerdict(lost, NOW + 600_000)).toEqual({});
  });

  test('leaves the conditions of others as they are, and what a syncer says of itself makes it ready or not', () => {
    const authorized = { type: 'SyncerAuthorized', status: 'False', lastTransitionTime: EARLIER } as const;
    const broken = {
      type: 'SyncerReady',
      status: 'False',
      reason: 'Broken',
      severity: 'Error',
      lastTransitionTime: EARLIER,
    } as const;
    const { patch } = heartbeatVerdict(alive(10, [broken, authorized]), NOW);
    expect(patch?.status?.conditions).toEqual([
      { type: 'Ready', status: 'False', reason: 'Broken', severity: 'Error', lastTransitionTime: AT },
      { type: 'HeartbeatHealthy', status: 'True', lastTransitionTime: AT },
      authorized,
      broken,
    ]);
  });
});
