import { describe, expect, it } from '@jest/globals';
import { createReviewCache } from './review-cache.ts';

/** A cache with a clock to be set, and a review that counts. */
function fixture(maxEntries = 10, ttl = 10) {
  const time = { now: 0 };
  const cache = createReviewCache<number>({ maxEntries, clock: () => time.now });
  let reviews = 0;
  const review = async () => ({ answer: ++reviews, ttl });
  return { time, cache, get: (key: string) => cache.get(key, review) };
}

describe('the review cache', () => {
  it('keeps an answer for its time, and not longer', async () => {
    const { time, get } = fixture();
    expect(await get('a')).toBe(1);
    time.now = 9_999;
    expect(await get('a')).toBe(1);
    time.now = 10_000;
    expect(await get('a')).toBe(2);
  });

  it('keeps nothing that is believed for no time', async () => {
    const { cache, get } = fixture(10, 0);
    await get('a');
    expect(await get('a')).toBe(2);
    expect(cache.stats()).toEqual({ hits: 0, misses: 2, size: 0 });
  });

  it('makes one review of identical ones under way', async () => {
    const { cache, get } = fixture();
    expect(await Promise.all([get('a'), get('a'), get('b')])).toEqual([1, 1, 2]);
    expect(cache.stats()).toEqual({ hits: 1, misses: 2, size: 2 });
  });

  it('forgets what was used least recently when it is full', async () => {
    const { cache, get } = fixture(2);
    await get('a');
    await get('b');
    await get('a');
    await get('c');
    expect(await get('a')).toBe(1);
    expect(await get('b')).toBe(4);
    expect(cache.stats().size).toBe(2);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
  ])('tells everyone who waits when the review %s, and asks again next time', async (_, broken) => {
    const { cache, get } = fixture();
    const both = await Promise.allSettled([cache.get('a', broken), cache.get('a', broken)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await get('a')).toBe(1);
  });
});
