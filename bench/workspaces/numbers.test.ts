import { expect, test } from '@jest/globals';
import { code, pick } from './numbers.ts';

test('the same question has the same answer in every run', () => {
  expect([pick('a', 7, 1_000), pick('a', 7, 1_000)]).toEqual([914, 914]);
  expect(code('cluster', 7, 16)).toBe(code('cluster', 7, 16));
});

test('numbers are below the limit, and reach all of it evenly', () => {
  const counts = Array.from({ length: 10 }, () => 0);
  for (let index = 0; index < 10_000; index += 1) {
    const picked = pick('even', index, 10);
    counts[picked] = (counts[picked] ?? Number.NaN) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test('codes are of letters and digits, and none comes twice', () => {
  const codes = Array.from({ length: 50_000 }, (_, index) => code('cluster', index, 16));
  expect(new Set(codes).size).toBe(codes.length);
  expect(codes.every(text => /^[a-z0-9]{16}$/.test(text))).toBe(true);
});
