import { expect, test } from '@jest/globals';
import { median, percentile } from './statistics.ts';

test('the median of an odd number of values is the one in the middle, however they are ordered', () => {
  expect(median([9, 1, 5])).toBe(5);
});

test('the median of an even number of values lies between the two in the middle', () => {
  expect(median([4, 1, 2, 100])).toBe(3);
});

test('a percentile never lies beyond the last value', () => {
  expect(percentile([1, 2, 3], 0.99)).toBe(3);
  expect(percentile([1, 2, 3], 1)).toBe(3);
  expect(percentile([1, 2, 3, 4], 0.5)).toBe(3);
});

test('nothing has no median and no percentile', () => {
  expect(median([])).toBeNaN();
  expect(percentile([], 0.5)).toBeNaN();
});
