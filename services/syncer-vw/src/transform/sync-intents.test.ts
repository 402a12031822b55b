import { describe, expect, test } from '@jest/globals';
import { syncIntent, syncIntents } from './sync-intents.ts';

const OBJECT = {
  metadata: {
    labels: {
      app: 'web',
      'state.workload.kcp.io/W': 'Sync',
      'state.workload.kcp.io/P': '',
      'state.workload.kcp.io/E': 'Sync',
      'state.workload.kcp.io/U': 'Upsync',
    },
    annotations: {
      'deletion.internal.workload.kcp.io/W': '2023-05-01T12:00:00+02:00',
      'deletion.internal.workload.kcp.io/E': 'soon',
      'deletion.internal.workload.kcp.io/X': '2023-05-01T12:00:00Z',
      'finalizers.workload.kcp.io/E': 'a,b',
    },
    finalizers: ['other', 'workload.kcp.io/syncer-W'],
  },
};

describe('the sync intents of an object', () => {
  test('are one for each state label, by key', () => {
    expect([...syncIntents(OBJECT)]).toEqual([
      ['E', { state: 'Sync', deletion: { unparseable: 'soon' }, softFinalizers: 'a,b', hasFinalizer: false }],
      ['P', { state: '', softFinalizers: '', hasFinalizer: false }],
      ['U', { state: 'Upsync', softFinalizers: '', hasFinalizer: false }],
      ['W', { state: 'Sync', deletion: { timestamp: '2023-05-01T10:00:00Z' }, softFinalizers: '', hasFinalizer: true }],
    ]);
  });

  test('are none without state labels', () => {
    expect(syncIntents({}).size).toBe(0);
    expect(syncIntent(OBJECT, 'X')).toBeUndefined();
  });
});
