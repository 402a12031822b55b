import { expect, test } from '@jest/globals';
import { homeClusterOf } from './home-cluster.ts';

test.each([
  ['alice', 'v1u4alow0iv9'],
  ['user172', '0f9mt7goyif7'],
])('the home of %s is %s, as kcp has it', (user, cluster) => {
  expect(homeClusterOf(user)).toBe(cluster);
});
