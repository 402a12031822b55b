import { describe, expect, test } from '@jest/globals';
import { recentReads, sharedReads } from './reads.ts';

describe('reads that are shared', () => {
  /** A server whose answers a test gives, one after the other: each is the number of its read. */
  function server() {
    const open: ((fail?: Error) => void)[] = [];
    let begun = 0;
    const read = sharedReads(
      () =>
        new Promise<number>((resolve, reject) => {
          const number = ++begun;
          open.push(error => (error ? reject(error) : resolve(number)));
        }),
    );
    const answer = async (error?: Error): Promise<void> => {
      open.shift()?.(error);
      await new Promise(resolve => setImmediate(resolve));
    };
    return { read, answer, begun: () => begun };
  }

  // Sharing the one under way would be wrong: it may have begun before the access ended.
  test('are those that began after they were asked for', async () => {
    const { read, answer, begun } = server();
    const first = read('a');
    const later = [read('a'), read('a'), read('a')];
    expect(begun()).toBe(1);
    await answer();
    expect(await first).toBe(1);
    const last = read('a');
    await answer();
    expect(await Promise.all(later)).toEqual([2, 2, 2]);
    await answer();
    expect(await last).toBe(3);
    expect(begun()).toBe(3);
  });

  test('are of one logical cluster only', async () => {
    const { read, begun } = server();
    void read('a');
    void read('b');
    expect(begun()).toBe(2);
  });

  test('do not share a failure with those that come after it, and leave nothing behind', async () => {
    const { read, answer } = server();
    const failing = read('a');
    const next = read('a');
    const failed = expect(failing).rejects.toThrow('gone');
    await answer(new Error('gone'));
    await failed;
    await answer();
    expect(await next).toBe(2);
    const fresh = read('a');
    await answer();
    expect(await fresh).toBe(3);
  });
});

describe('a read that is kept', () => {
  const settled = () => new Promise(resolve => setImmediate(resolve));

  test('answers until it is forgotten', async () => {
    let reads = 0;
    const { read, forget } = recentReads(async () => ++reads, 10_000);
    expect([await read('a'), await read('a')]).toEqual([1, 1]);
    forget('b');
    expect(await read('a')).toBe(1);
    forget('a');
    expect(await read('a')).toBe(2);
  });

  test('is one of something: that nothing is there is asked again', async () => {
    let reads = 0;
    const { read } = recentReads(async () => (++reads < 3 ? undefined : reads), 10_000);
    expect([await read('a'), await read('a'), await read('a')]).toEqual([undefined, undefined, 3]);
  });

  // The answer under way may have left the server before the change did; whoever comes after the change must not get it.
  test('is not one that was under way when it was to be forgotten', async () => {
    const answers: ((value: string) => void)[] = [];
    const { read, forget } = recentReads(() => new Promise<string>(resolve => answers.push(resolve)), 10_000);
    const first = read('a');
    const second = read('a');
    forget('a');
    const third = read('a');
    answers[0]?.('old');
    answers[1]?.('old');
    expect([await first, await second]).toEqual(['old', 'old']);
    const fourth = read('a');
    expect(answers.length).toBe(4);
    answers[2]?.('new');
    expect(await third).toBe('new');
    expect(await read('a')).toBe('new');
    answers[3]?.('newer');
    expect(await fourth).toBe('newer');
    expect(await read('a')).toBe('new');
  });

  test('is none while it is about to change', async () => {
    let reads = 0;
    const { read, suspend } = recentReads(async () => ++reads, 30);
    const before = read('a');
    suspend('a');
    expect([await before, await read('a'), await read('a')]).toEqual([1, 2, 3]);
    await new Promise(resolve => setTimeout(resolve, 60));
    expect([await read('a'), await read('a')]).toEqual([4, 4]);
  });

  test('is none that failed', async () => {
    let reads = 0;
    const { read } = recentReads(async () => {
      if (++reads === 1) throw new Error('gone');
      return reads;
    }, 10_000);
    await expect(read('a')).rejects.toThrow('gone');
    await settled();
    expect(await read('a')).toBe(2);
  });

  test('counts for its lifetime only', async () => {
    let reads = 0;
    const { read } = recentReads(async () => ++reads, 30);
    expect(await read('a')).toBe(1);
    await new Promise(resolve => setTimeout(resolve, 60));
    expect(await read('a')).toBe(2);
  });
});
