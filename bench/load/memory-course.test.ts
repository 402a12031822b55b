import { expect, test } from '@jest/globals';
import { courseOf } from './memory-course.ts';

const samples = (...values: readonly number[]) => values.map(view => ({ view }));

test('memory that goes up and down around the same level has not grown, and counts with the most of it', () => {
  expect(courseOf(samples(90, 110, 150, 80, 120, 100, 110, 90))).toEqual({ resident: { view: 150 }, grown: { view: 0 } });
});

test('memory that climbs has grown by as much as its last quarter is above its first', () => {
  expect(courseOf(samples(100, 110, 120, 130, 140, 150, 160, 170)).grown).toEqual({ view: 60 });
});

test('each group has a course of its own', () => {
  expect(
    courseOf([
      { a: 1, b: 5 },
      { a: 3, b: 4 },
    ]),
  ).toEqual({ resident: { a: 3, b: 5 }, grown: { a: 2, b: -1 } });
});
