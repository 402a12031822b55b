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
    const turns = new Turns(2, 100);
    const { begun, work, endOne } = works();
    const done = Promise.all([turns.each('ada', [1, 2, 3], work), turns.each('bob', [4, 5], work)]);
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
    const failing = turns.each('ada', [1, 2], async item => {
      begun.push(item);
      throw new Error(`item ${item}`);
    });
    await expect(failing).rejects.toThrow('item 1');
    await turns.each('ada', [3], async item => void begun.push(item));
    expect(begun).toEqual([1, 3]);
  });

  test('are refused with 503 when too many wait', async () => {
    const turns = new Turns(1, 1);
    const { work, endOne } = works();
    const first = turns.each('ada', [1], work);
    const second = turns.each('bob', [2], work);
    await expect(turns.each('eve', [3], work)).rejects.toMatchObject({
      code: 503,
      status: { details: { retryAfterSeconds: 1 } },
    });
    await endOne();
    await endOne();
    await Promise.all([first, second]);
  });

  test('are taken by all who wait, one after the other, however much one of them wants', async () => {
    const turns = new Turns(1, 100);
    const { begun, work, endOne } = works();
    // Each waits for one turn at a time, but ada asks many times.
    const done = Promise.all([
      ...[1, 2, 3, 4].map(item => turns.each('ada', [item], work)),
      turns.each('bob', [11, 12], work),
      turns.each('eve', [21], work),
    ]);
    for (let left = 7; left > 0; left -= 1) await endOne();
    await done;
    expect(begun).toEqual([1, 2, 11, 21, 3, 12, 4]);
  });

  test('are refused with 503 to one for whom too much waits, while others may wait', async () => {
    const turns = new Turns(1, 10);
    const { work, endOne } = works();
    const running = [turns.each('ada', [1], work), turns.each('ada', [2], work)];
    await expect(turns.each('ada', [3], work)).rejects.toMatchObject({ code: 503 });
    running.push(turns.each('bob', [4], work));
    expect(turns.waiting).toBe(2);
    for (let left = 3; left > 0; left -= 1) await endOne();
    await Promise.all(running);
  });

  test('are none for no work', async () => {
    await expect(new Turns(1, 0).each('ada', [], async () => undefined)).resolves.toBeUndefined();
  });
});
