import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { Turns } from './turns.ts';

/** Work that ends when the test says. */
function works() {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const work = (item: number): Promise<void> => {
    begun.push(item);
    return new Promise(resolve => ends.push(resolve));
  };
  const endOne = async (): Promise<void> => {
    ends.shift()?.();
    await nextTurn();
  };
  return { begun, work, endOne };
}

describe('turns', () => {
  test('are as many at a time as there are, whoever wants them', async () => {
    const turns = new Turns(2, 10);
    const { begun, work, endOne } = works();
    const done = Promise.all([turns.each([1, 2, 3], work), turns.each([4, 5], work)]);
    await nextTurn();
    expect(begun).toEqual([1, 2]);
    expect(turns.waiting).toBe(2);
    for (let left = 5; left > 0; left -= 1) await endOne();
    await done;
    expect(begun.sort()).toEqual([1, 2, 3, 4, 5]);
    expect(turns.waiting).toBe(0);
  });

  test('are given back by work that fails, after which nothing of the same is begun', async () => {
    const turns = new Turns(1, 10);
    const begun: number[] = [];
    const failing = turns.each([1, 2], async item => {
      begun.push(item);
      throw new Error(`item ${item}`);
    });
    await expect(failing).rejects.toThrow('item 1');
    await turns.each([3], async item => void begun.push(item));
    expect(begun).toEqual([1, 3]);
  });

  test('are refused with 503 when too many wait', async () => {
    const turns = new Turns(1, 1);
    const { work, endOne } = works();
    const first = turns.each([1], work);
    const second = turns.each([2], work);
    await expect(turns.each([3], work)).rejects.toMatchObject({ code: 503, status: { details: { retryAfterSeconds: 1 } } });
    await endOne();
    await endOne();
    await Promise.all([first, second]);
  });

  test('are none for no work', async () => {
    await expect(new Turns(1, 0).each([], async () => undefined)).resolves.toBeUndefined();
  });
});
