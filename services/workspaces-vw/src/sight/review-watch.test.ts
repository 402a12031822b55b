import { describe, expect, test } from '@jest/globals';
import { settle } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { internalError } from '@kcp-vw/shared/kube/errors.ts';
import { ada, namesIn, record, reviewed } from './review.fixture.ts';
import type { ReviewSourceOptions } from './review-source.ts';
import { to } from './sight.fixture.ts';

const expired = expect.objectContaining({ code: 410 });

describe('a reviewed watch', () => {
  async function watching(options: Partial<ReviewSourceOptions> = {}) {
    const all = reviewed(options);
    all.put('a', 'x');
    all.put('a', 'y');
    all.allowed.add('ada c-x');
    const sight = await all.source.sightOf(ada, 'a');
    return { ...all, sight, ...record(sight, sight.version, 'a') };
  }

  test('tells of changed answers at versions of their own', async () => {
    const { clock, allowed, told, sight } = await watching();
    await settle();
    allowed.delete('ada c-x');
    allowed.add('ada c-y');
    await clock.advance(5_000);
    expect(told()).toEqual(['DELETED x 103', 'ADDED y 104']);
    expect(sight.version).toBe(104n);
    expect([...sight.list('a')]).toMatchObject([{ snapshot: { name: 'y' }, version: 104n }]);
  });

  test('says nothing while the answers stay as they are', async () => {
    const { clock, told, sight } = await watching();
    await clock.advance(5_000);
    await clock.advance(5_000);
    expect(told()).toEqual([]);
    expect(sight.version).toBe(102n);
  });

  test('tells of changed objects among those that may be entered, and of none of the others', async () => {
    const { put, told } = await watching();
    put('a', 'x', { objectVersion: 103n });
    put('a', 'y', { objectVersion: 104n });
    expect(told()).toEqual(['MODIFIED x 103']);
  });

  test('has a new workspace reviewed at once, and another whose bindings change', async () => {
    const { allowed, put, asked, told } = await watching();
    await settle();
    asked.length = 0;
    allowed.add('ada c-z').add('ada c-y');
    put('a', 'z');
    put('a', 'y', {}, { edges: to('u:ada') });
    await settle();
    expect([...new Set(asked)]).toEqual(['ada c-z', 'ada c-y']);
    expect(told()).toEqual(['ADDED z 105', 'ADDED y 106']);
  });

  test('asks again when bindings change while it asks', async () => {
    const { allowed, put, told } = await watching();
    await settle();
    put('a', 'y', {}, { edges: to('u:bob') });
    await Promise.resolve();
    await Promise.resolve();
    allowed.add('ada c-y');
    put('a', 'y', {}, { edges: to('u:bob', 'u:ada') });
    await settle();
    expect(told()).toEqual(['ADDED y 105']);
  });

  test('tells what is closed and opened again', async () => {
    const { put, told } = await watching();
    put('a', 'x', {}, { open: false });
    put('a', 'x');
    await settle();
    expect(told()).toEqual(['DELETED x 103', 'ADDED x 105']);
  });

  test('tells what is gone', async () => {
    const { index, told } = await watching();
    index.remove('a', 'x');
    index.remove('a', 'y');
    expect(told()).toEqual(['DELETED x 103']);
  });

  test('tells late comers what happened since, and those who ask for what was before another answer that it is expired', async () => {
    const { clock, put, allowed, sight } = await watching();
    put('a', 'x', { objectVersion: 103n });
    expect(record(sight, 102n, 'a').told()).toEqual(['MODIFIED x 103']);
    allowed.add('ada c-y');
    await clock.advance(5_000);
    expect(sight.version).toBe(104n);
    expect(() => sight.watch(103n, 'a', () => undefined)).toThrow(expired);
    expect(record(sight, 104n, 'a').told()).toEqual([]);
  });

  test('is expired from before what was allowed has gone, which nobody would be told', async () => {
    const { index, sight } = await watching();
    index.remove('a', 'x');
    expect(() => sight.watch(102n, 'a', () => undefined)).toThrow(expired);
    expect(record(sight, 103n, 'a').told()).toEqual([]);
  });

  test('is expired from before anything was reviewed for the caller', async () => {
    const { put, source } = reviewed();
    put('a', 'x');
    const sight = await source.sightOf(ada, 'a');
    expect(() => sight.watch(100n, 'a', () => undefined)).toThrow(expired);
  });

  test('of nobody any more costs no further reviews', async () => {
    const { index, clock, asked, source, put, stop } = await watching();
    await settle();
    stop();
    asked.length = 0;
    put('a', 'z');
    await clock.advance(60_000);
    expect(asked).toEqual([]);
    expect(clock.pending).toEqual([]);
    expect(index.stats().followers).toBe(0);
    expect(source.stats().watched).toBe(0);
  });

  test('finds out at the next request what nobody watched', async () => {
    const { allowed, source, put, stop, sight } = await watching();
    await settle();
    stop();
    const { version } = sight;
    allowed.delete('ada c-x');
    put('a', 'z');
    const next = await source.sightOf(ada, 'a');
    expect(namesIn(next, 'a')).toEqual([]);
    expect(() => next.watch(version, 'a', () => undefined)).toThrow(expired);
  });

  test('keeps what it showed when reviews fail, but not for long', async () => {
    const { clock, state, told, warnings } = await watching({ staleAfter: 9_000 });
    await settle();
    state.failure = internalError('down');
    await clock.advance(5_000);
    expect(told()).toEqual([]);
    await clock.advance(5_000);
    expect(told()).toEqual(['DELETED x 103']);
    expect(warnings).toHaveLength(2);
    delete state.failure;
    await clock.advance(5_000);
    expect(told()).toEqual(['DELETED x 103', 'ADDED x 104']);
  });

  test('ends with the source', async () => {
    const { clock, source, put, told } = await watching();
    source.stop();
    put('a', 'x', { objectVersion: 103n });
    expect(told()).toEqual([]);
    expect(clock.pending).toEqual([]);
  });

  test('has versions that never go back', async () => {
    const { clock, allowed, put, events } = await watching();
    for (let round = 0; round < 20; round += 1) {
      if (round % 3 === 0) allowed.delete('ada c-x');
      else allowed.add('ada c-x');
      if (round % 2 === 0) put('a', 'y', { objectVersion: BigInt(1000 + round) }, { open: round % 4 === 0 });
      await clock.advance(2_500);
    }
    const versions = events.map(({ version }) => version);
    expect(versions.length).toBeGreaterThan(5);
    expect(versions).toEqual([...versions].sort((one, other) => (one < other ? -1 : 1)));
  });
});
