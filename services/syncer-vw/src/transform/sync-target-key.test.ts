import { expect, test } from '@jest/globals';
import { syncTargetKey } from './sync-target-key.ts';

// The first two are those of kcp v0.11's tests.
test.each([
  ['demo:root:yourworkspace', 'test-cluster', 'aPXkBdRsTD8gXESO47r9qXmkr2kaG5qaox5C8r'],
  ['root:org:ws', 'us-west1', '6ohB8yeXhwqTQVuBzJRgqcRJTpRjX7yTZu5g5g'],
  ['2x8f4k1q9zr7m3ab', 'west', '3Bm6vl5sAC1tRlAp08A7dOSC6VmmHDOPtP5MXB'],
  ['2x8f4k1q9zr7m3ab', 'east', '3Cxy9ouxxAbeXgAdgLeAOqKa1Rszida5TEFkxI'],
])('the key of the SyncTarget %s %s is %s', (cluster, name, key) => {
  expect(syncTargetKey({ cluster, name })).toBe(key);
});
