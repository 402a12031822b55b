import { describe, expect, test } from '@jest/globals';
import { TestShard } from '../api/api.fixture.ts';

const LEGACY = '/api/v1/namespaces/default/events';
const CURRENT = '/apis/events.k8s.io/v1/namespaces/default/events';

describe('an event', () => {
  test('of the legacy group is there in events.k8s.io under its other names', async () => {
    const shard = new TestShard();
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'ev1', namespace: 'default' },
      involvedObject: { kind: 'Pod', name: 'x' },
      message: 'M',
      source: { component: 'c' },
      count: 2,
    };
    expect((await shard.post(LEGACY, event)).status).toBe(201);
    expect((await shard.get(`${CURRENT}/ev1`)).json()).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      regarding: { kind: 'Pod', name: 'x' },
      note: 'M',
      deprecatedSource: { component: 'c' },
      deprecatedCount: 2,
      eventTime: null,
    });
  });

  test('of events.k8s.io is there in the legacy group, and changes there', async () => {
    const shard = new TestShard();
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'ev2', namespace: 'default' },
      regarding: { kind: 'Pod', name: 'x' },
      note: 'M',
      eventTime: '2024-01-01T00:00:00.000000Z',
      reportingController: 'k.io/x',
    };
    const watch = await shard.watch(LEGACY);
    expect((await shard.post(CURRENT, event)).json()).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'M' });
    const patched = await shard.patch(`${CURRENT}/ev2`, { note: 'N' });
    expect(patched.json()).toMatchObject({ note: 'N' });
    expect((await shard.get(`${LEGACY}?fieldSelector=involvedObject.name=x`)).json().items).toMatchObject([
      { apiVersion: 'v1', involvedObject: { name: 'x' }, message: 'N', reportingComponent: 'k.io/x', firstTimestamp: null },
    ]);
    expect(watch.summary()).toEqual(['ADDED ev2', 'MODIFIED ev2']);
  });
});
