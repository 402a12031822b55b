import { expect, test } from '@jest/globals';
import { rendezvous } from './rendezvous.ts';

const KEYS = Array.from({ length: 300 }, (_, i) => `user-${i}`);
const name = (candidate: string): string => candidate;

test('the same key belongs to the same one, in whatever order they are', () => {
  for (const key of KEYS) expect(rendezvous(key, ['a', 'b', 'c'], name)).toBe(rendezvous(key, ['c', 'a', 'b'], name));
});

test('each has a share of the keys', () => {
  const shares = Map.groupBy(KEYS, key => rendezvous(key, ['a', 'b', 'c'], name));
  expect([...shares.keys()].sort()).toEqual(['a', 'b', 'c']);
  for (const share of shares.values()) expect(share.length).toBeGreaterThan(50);
});

test('when one goes, only its own keys are moved', () => {
  for (const key of KEYS) {
    const before = rendezvous(key, ['a', 'b', 'c'], name);
    if (before !== 'c') expect(rendezvous(key, ['a', 'b'], name)).toBe(before);
  }
});
