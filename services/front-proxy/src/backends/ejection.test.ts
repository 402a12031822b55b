import { beforeEach, describe, expect, test } from '@jest/globals';
import { createEjection, type Ejection } from './ejection.ts';

let now: number;
let ejection: Ejection;
beforeEach(() => {
  now = 0;
  ejection = createEjection(() => now);
  ejection.healthKnown(true);
});
const fail = (times = 3): void => {
  for (let i = 0; i < times; i += 1) ejection.connectionFailed();
};
/** Milliseconds until it is used again. */
function outFor(): number {
  const began = now;
  while (ejection.isOut()) now += 100;
  return now - began;
}

describe('a backend is left alone', () => {
  test('when three connections in a row have failed', () => {
    fail(2);
    expect(ejection.isOut()).toBe(false);
    fail(1);
    expect(ejection.isOut()).toBe(true);
  });

  test('and not when it was well in between', () => {
    fail(2);
    ejection.healthKnown(true);
    fail(2);
    expect(ejection.isOut()).toBe(false);
  });

  test('when it has stopped to be ready, and not as long as it has never been', () => {
    const starting = createEjection(() => now);
    starting.healthKnown(false);
    expect(starting.isOut()).toBe(false);
    ejection.healthKnown(false);
    expect(ejection.isOut()).toBe(true);
  });

  test('once for each time that it fails, not for each question', () => {
    for (let i = 0; i < 10; i += 1) ejection.healthKnown(false);
    expect(outFor()).toBe(1_000);
  });

  test('for longer each time, up to half a minute, and shortly again after a good while', () => {
    const times = Array.from({ length: 7 }, () => {
      fail();
      return outFor();
    });
    expect(times).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    now += 31_000;
    fail();
    expect(outFor()).toBe(1_000);
  });

  test('no longer for what was under way when it began', () => {
    fail(30);
    expect(outFor()).toBe(1_000);
    fail();
    expect(outFor()).toBe(2_000);
  });
});
