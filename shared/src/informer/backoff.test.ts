import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createBackoff } from './backoff.ts';
import { ManualClock } from './scripted.fixture.ts';

describe('backoff', () => {
  test('doubles from the shortest to the longest wait', () => {
    const backoff = createBackoff(new ManualClock(), { initial: 100, max: 1000, random: () => 0 });
    expect(Array.from({ length: 5 }, () => backoff.next())).toEqual([100, 200, 400, 500, 500]);
  });

  test('spreads the longest waits too', () => {
    const backoff = createBackoff(new ManualClock(), { initial: 1000, max: 1000, random: () => 0.5 });
    expect(backoff.next()).toBe(1000);
    const spread = createBackoff(new ManualClock(), { initial: 100, max: 1000, random: () => 0.25 });
    for (let i = 0; i < 10; i += 1) spread.next();
    expect(spread.next()).toBe(625);
  });

  test('begins anew after a stable period', async () => {
    const clock = new ManualClock();
    const backoff = createBackoff(clock, { initial: 100, max: 1000, stableAfter: 5000, random: () => 0 });
    backoff.next();
    backoff.next();
    await clock.advance(6000);
    expect(backoff.next()).toBe(100);
  });

  test('counts the stable period from the end of the wait', async () => {
    const clock = new ManualClock();
    const backoff = createBackoff(clock, { initial: 4000, max: 20_000, stableAfter: 5000, random: () => 0 });
    backoff.next();
    await clock.advance(6000);
    expect(backoff.next()).toBe(8000);
  });

  test('begins anew when told that all is well', () => {
    const backoff = createBackoff(new ManualClock(), { initial: 100, max: 1000, random: () => 0 });
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  test('by default never leaves 0.8 s to 10 s', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 }), draws => {
        let i = 0;
        const backoff = createBackoff(new ManualClock(), { random: () => draws[i++ % draws.length] ?? 0 });
        return draws.every(() => {
          const wait = backoff.next();
          return wait >= 800 && wait <= 10_000;
        });
      }),
    );
  });
});
