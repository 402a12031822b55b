import { expect, test } from '@jest/globals';
import { base62, kcpHash } from './kcp-hash.ts';

// The first two are those of kcp v0.11's tests.
test.each([
  ['demo:root:yourworkspace:test-cluster', 'aPXkBdRsTD8gXESO47r9qXmkr2kaG5qaox5C8r'],
  ['root:org:ws:us-west1', '6ohB8yeXhwqTQVuBzJRgqcRJTpRjX7yTZu5g5g'],
])('the hash of %s is %s', (text, hash) => {
  expect(kcpHash(text)).toBe(hash);
});

test('base 62 has no padding', () => {
  expect(base62(Uint8Array.of(0, 0, 0))).toBe('0');
  expect(base62(Uint8Array.of(0, 61))).toBe('Z');
  expect(base62(Uint8Array.of(1, 0))).toBe('48');
});
