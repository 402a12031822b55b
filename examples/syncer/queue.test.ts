import { expect, test } from '@jest/globals';
import { ManualClock, settle } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { createQueue } from './queue.ts';

function setUp(work: (key: string) => Promise<void>, concurrency = 10) {
  const clock = new ManualClock();
  const errors: string[] = [];
  const queue = createQueue({ work, clock, concurrency, onError: (error, key) => errors.push(`${key}: ${error.message}`) });
  return { clock, errors, queue };
}

test('a key that waits already waits once, and one that is worked on is worked on again', async () => {
  const worked: string[] = [];
  const finish: (() => void)[] = [];
  const { queue } = setUp(key => {
    worked.push(key);
    return new Promise(resolve => finish.push(resolve));
  }, 1);
  for (const key of ['a', 'b', 'a', 'b', 'a']) queue.add(key);
  expect(worked).toEqual(['a']);
  for (let i = 0; i < 5; i += 1) {
    finish[i]?.();
    await settle();
  }
  expect(worked.sort()).toEqual(['a', 'a', 'b']);
});

test('what fails is told and tried again, after longer and longer waits, until it succeeds', async () => {
  let failures = 3;
  let attempts = 0;
  const { clock, errors, queue } = setUp(async () => {
    attempts += 1;
    if (failures-- > 0) throw new Error('no');
  });
  queue.add('a');
  await settle();
  const waits: number[] = [];
  while (clock.pending.length > 0) {
    waits.push(clock.pending[0] ?? 0);
    await clock.advance(clock.pending[0] ?? 0);
  }
  expect([attempts, errors]).toEqual([4, ['a: no', 'a: no', 'a: no']]);
  expect(waits[2]).toBeGreaterThan(waits[0] ?? Number.POSITIVE_INFINITY);
});

test('a key that fails holds up no other', async () => {
  const worked: string[] = [];
  const { queue } = setUp(async key => {
    worked.push(key);
    if (key === 'a') throw new Error('no');
  }, 1);
  queue.add('a');
  queue.add('b');
  await settle();
  expect(worked).toEqual(['a', 'b']);
});

test('nothing is begun, and nothing told, after the end', async () => {
  let fail = (_error: Error): void => undefined;
  const worked: string[] = [];
  const { clock, errors, queue } = setUp(key => {
    worked.push(key);
    return new Promise((_resolve, reject) => {
      fail = reject;
    });
  });
  queue.add('a');
  queue.addAfter('b', 10);
  queue.stop();
  fail(new Error('cut'));
  queue.add('c');
  await clock.advance(60_000);
  expect([worked, errors, clock.pending]).toEqual([['a'], [], []]);
});
