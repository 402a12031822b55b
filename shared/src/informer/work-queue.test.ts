import { afterEach, expect, test } from '@jest/globals';
import { ManualClock, settle } from './scripted.fixture.ts';
import { createWorkQueue, type WorkOutcome, type WorkQueue } from './work-queue.ts';

const queues: WorkQueue[] = [];
afterEach(async () => {
  await Promise.all(queues.splice(0).map(queue => queue.stop()));
});

function setUp({ concurrency = 2, answer }: { concurrency?: number; answer?: (key: string) => WorkOutcome | undefined } = {}) {
  const clock = new ManualClock();
  const begun: string[] = [];
  const failures: string[] = [];
  /** Work that waits for the test to end it; absent where `answer` says what comes of it. */
  const open: { readonly key: string; readonly end: (outcome?: WorkOutcome) => void }[] = [];
  const queue = createWorkQueue({
    clock,
    concurrency,
    backoff: { initial: 1000, max: 8000, random: () => 0 },
    onError: (key, error, attempt) => failures.push(`${key} ${attempt}: ${(error as Error).message}`),
    work: (key, signal) => {
      begun.push(key);
      if (answer) return Promise.resolve().then(() => answer(key));
      return new Promise(resolve => {
        open.push({ key, end: resolve });
        signal.addEventListener('abort', () => resolve(undefined));
      });
    },
  });
  queues.push(queue);
  return { queue, clock, begun, failures, open };
}

test('a key that is added often while it waits has one turn', async () => {
  const { queue, begun } = setUp({ answer: () => undefined });
  for (let i = 0; i < 5; i++) queue.add('a');
  await settle();
  expect(begun).toEqual(['a']);
  expect(queue.isIdle()).toBe(true);
});

test('a key is not worked on twice at once, and has another turn when it was added meanwhile', async () => {
  const { queue, begun, open } = setUp();
  queue.add('a');
  await settle();
  queue.add('a');
  queue.add('a');
  await settle();
  expect(begun).toEqual(['a']);
  open[0]?.end();
  await settle();
  expect(begun).toEqual(['a', 'a']);
  open[1]?.end();
  await settle();
  expect(queue.isIdle()).toBe(true);
});

test('no more keys are worked on at once than allowed', async () => {
  const { queue, begun, open } = setUp({ concurrency: 2 });
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await settle();
  expect(begun).toEqual(['a', 'b']);
  expect(queue.stats()).toMatchObject({ waiting: 1, running: 2 });
  open[0]?.end();
  await settle();
  expect(begun).toEqual(['a', 'b', 'c']);
});

test('a key is looked at again when its work has asked for it, or before when it is added', async () => {
  const { queue, clock, begun } = setUp({ answer: () => ({ recheckAfterMs: 5000 }) });
  queue.add('a');
  await clock.advance(0);
  await clock.advance(4999);
  expect(begun).toEqual(['a']);
  await clock.advance(1);
  expect(begun).toEqual(['a', 'a']);
  await clock.advance(1000);
  queue.add('a');
  await settle();
  expect(begun).toHaveLength(3);
  // The wait has begun anew.
  await clock.advance(4000);
  expect(begun).toHaveLength(3);
});

test('a wait that is longer than a timer can be does not end at once', async () => {
  const { queue, clock, begun } = setUp({ answer: () => ({ recheckAfterMs: 2 ** 40 }) });
  queue.add('a');
  await settle();
  expect(clock.pending).toEqual([60 * 60_000]);
  expect(begun).toEqual(['a']);
});

test('what fails is tried again, later each time but never later than the cap, and soon again after it has worked', async () => {
  let isBroken = true;
  const { queue, clock, failures } = setUp({
    answer: () => {
      if (isBroken) throw new Error('no');
      return undefined;
    },
  });
  const waits: number[] = [];
  queue.add('a');
  for (let i = 0; i < 6; i++) {
    await settle();
    waits.push(clock.pending[0] ?? 0);
    await clock.advance(clock.pending[0] ?? 0);
  }
  expect(waits).toEqual([1000, 2000, 4000, 4000, 4000, 4000]);
  expect(failures.slice(0, 2)).toEqual(['a 1: no', 'a 2: no']);
  expect(queue.stats()).toMatchObject({ unsettled: 1 });
  isBroken = false;
  await clock.advance(8000);
  expect(queue.stats()).toMatchObject({ unsettled: 0, delayed: 0 });
  isBroken = true;
  queue.add('a');
  await settle();
  expect(clock.pending).toEqual([1000]);
});

test('a write that somebody else was faster with is no failure, and looked at again', async () => {
  let turns = 0;
  const { queue, clock, failures } = setUp({ answer: () => (++turns < 3 ? { again: true } : undefined) });
  queue.add('a');
  await clock.advance(0);
  await clock.advance(1000);
  await clock.advance(2000);
  expect(turns).toBe(3);
  expect(failures).toEqual([]);
  expect(queue.stats()).toMatchObject({ errors: 0, unsettled: 0 });
});

test('one key that fails does not hold up another', async () => {
  const { queue, begun } = setUp({
    concurrency: 1,
    answer: key => {
      if (key === 'bad') throw new Error('no');
      return undefined;
    },
  });
  queue.add('bad');
  queue.add('good');
  await settle();
  expect(begun).toEqual(['bad', 'good']);
});

test('once it is stopped nothing begins any more, and work under way is told and waited for', async () => {
  const { queue, clock, begun } = setUp({ concurrency: 1 });
  queue.add('a');
  queue.add('b');
  await settle();
  await queue.stop();
  queue.add('c');
  await clock.advance(100_000);
  expect(begun).toEqual(['a']);
  expect(queue.stats()).toMatchObject({ waiting: 0, running: 0, delayed: 0 });
});

test('many keys that need nothing leave the event loop to others', async () => {
  const { queue, begun } = setUp({ concurrency: 10, answer: () => undefined });
  for (let i = 0; i < 1000; i++) queue.add(`${i}`);
  await new Promise(resolve => setImmediate(resolve));
  await new Promise(resolve => setImmediate(resolve));
  expect(begun.length).toBeLessThan(100);
  while (!queue.isIdle()) await settle();
  expect(begun).toHaveLength(1000);
});
