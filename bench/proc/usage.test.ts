import { expect, test } from '@jest/globals';
import { spent } from './usage.ts';

const usage = (cpu: Record<number, number>) => ({
  cpu: new Map(Object.entries(cpu).map(([thread, used]) => [Number(thread), used])),
  resident: 0,
});

test('the CPU of a group is what its threads have used since the first look, new threads from their beginning', () => {
  expect(spent(usage({ 1: 100, 2: 50 }), usage({ 1: 130, 2: 50, 3: 5 }))).toBe(35);
});

test('a thread that has ended takes nothing from what the others have used', () => {
  expect(spent(usage({ 1: 100, 2: 5_000 }), usage({ 1: 130 }))).toBe(30);
});

test('a group that was not there before has used all that it has', () => {
  expect(spent(undefined, usage({ 1: 7 }))).toBe(7);
});
