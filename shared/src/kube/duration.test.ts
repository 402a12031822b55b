import { expect, test } from '@jest/globals';
import { ageOf, humanDuration } from './duration.ts';

const [S, M, H, D] = [1000, 60_000, 3_600_000, 86_400_000];

// The table of k8s.io/apimachinery's own test.
test.each([
  [-2 * S, '<invalid>'],
  [-2 * S + 1, '0s'],
  [0, '0s'],
  [S - 1, '0s'],
  [S, '1s'],
  [2 * M - 1, '119s'],
  [2 * M, '2m'],
  [2 * M + S, '2m1s'],
  [10 * M - 1, '9m59s'],
  [10 * M, '10m'],
  [10 * M + S, '10m'],
  [3 * H - 1, '179m'],
  [3 * H, '3h'],
  [3 * H + M, '3h1m'],
  [8 * H - 1, '7h59m'],
  [8 * H, '8h'],
  [2 * D - 1, '47h'],
  [2 * D, '2d'],
  [2 * D + H, '2d1h'],
  [8 * D - 1, '7d23h'],
  [8 * D, '8d'],
  [2 * 365 * D - 1, '729d'],
  [2 * 365 * D, '2y'],
  [2 * 365 * D + D, '2y1d'],
  [8 * 365 * D - 1, '7y364d'],
  [8 * 365 * D + 364 * D, '8y'],
  [9 * 365 * D, '9y'],
])('%i ms are %s', (milliseconds, text) => {
  expect(humanDuration(milliseconds)).toBe(text);
});

test.each([
  ['2026-01-01T00:00:00Z', '10m'],
  ['2026-01-01T01:00:00+01:00', '10m'],
  ['2026-01-01T00:09:59.5Z', '0s'],
  ['', '<unknown>'],
  ['yesterday', '<invalid>'],
  ['2026-01-01', '<invalid>'],
  ['2026-13-01T00:00:00Z', '<invalid>'],
])('the age of %j is %s', (timestamp, age) => {
  expect(ageOf(timestamp, Date.parse('2026-01-01T00:10:00Z'))).toBe(age);
});
