import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../informer/scripted.fixture.ts';
import { Vacancy } from './vacancy.ts';

function vacant() {
  const clock = new ManualClock();
  const shard = { isServed: false, version: 10, silent: false };
  const asked: string[] = [];
  const answer = async <T>(what: string, value: T): Promise<T> => {
    asked.push(what);
    if (shard.silent) throw new Error('the shard does not say');
    return value;
  };
  const vacancy = new Vacancy({
    clock,
    isServed: () => answer('served?', shard.isServed),
    currentVersion: () => answer('version?', String(shard.version)),
  });
  const seen: string[] = [];
  const waiting = { served: () => void seen.push('served'), bookmark: (version: string) => void seen.push(version) };
  return { clock, shard, asked, vacancy, seen, waiting };
}

describe('the version of a vacancy', () => {
  // In the other order an object could be made between the two, at a version that the client believes to have seen.
  test('is read before the shard says once more that there is nothing', async () => {
    const { vacancy, asked } = vacant();
    expect(await vacancy.confirm('')).toBe(true);
    expect([asked, vacancy.version, vacancy.since]).toEqual([['version?', 'served?'], '10', '10']);
  });

  test('is kept while nobody needs a newer one', async () => {
    const { vacancy, asked, shard } = vacant();
    await vacancy.confirm('');
    shard.version = 12;
    await vacancy.confirm('10');
    expect([asked.length, vacancy.version]).toEqual([2, '10']);
    await vacancy.confirm('11');
    expect([vacancy.version, vacancy.since]).toEqual(['12', '10']);
  });

  test('is read once for all who ask at the same time', async () => {
    const { vacancy, asked } = vacant();
    await Promise.all([1, 2, 3].map(() => vacancy.confirm('')));
    expect(asked).toEqual(['version?', 'served?']);
  });

  test('begins anew after the collection was served', async () => {
    const { vacancy, shard } = vacant();
    await vacancy.confirm('');
    vacancy.fill();
    shard.version = 20;
    await vacancy.confirm('');
    expect(vacancy.since).toBe('20');
  });

  test('is not confirmed where the shard serves it by now, or does not say', async () => {
    const { vacancy, shard } = vacant();
    shard.silent = true;
    await expect(vacancy.confirm('')).rejects.toThrow('does not say');
    Object.assign(shard, { silent: false, isServed: true });
    expect(await vacancy.confirm('')).toBe(false);
  });
});

describe('who waits', () => {
  test('is told once when the shard serves it', async () => {
    const { vacancy, shard, clock, seen, waiting } = vacant();
    vacancy.wait(waiting);
    await clock.advance(2000);
    shard.isServed = true;
    await clock.advance(2000);
    await clock.advance(60_000);
    expect([seen, clock.pending]).toEqual([['served'], []]);
  });

  test('shares the looks of the others, and leaves no timer behind', async () => {
    const { vacancy, clock, asked, waiting } = vacant();
    const stops = [1, 2, 3].map(() => vacancy.wait({ ...waiting }));
    await clock.advance(2000);
    expect(asked).toEqual(['served?']);
    for (const stop of stops) stop();
    expect(clock.pending).toEqual([]);
    await clock.advance(10_000);
    expect([asked.length, vacancy.isKept]).toEqual([1, false]);
  });

  test('waits on while the shard does not say', async () => {
    const { vacancy, shard, clock, seen, waiting } = vacant();
    shard.silent = true;
    vacancy.wait(waiting);
    for (let i = 0; i < 3; i++) await clock.advance(2000);
    Object.assign(shard, { silent: false, isServed: true });
    await clock.advance(2000);
    expect(seen).toEqual(['served']);
  });

  test('gets a newer version every minute', async () => {
    const { vacancy, shard, clock, seen, waiting } = vacant();
    await vacancy.confirm('');
    vacancy.wait(waiting);
    shard.version = 15;
    for (let i = 0; i < 32; i++) await clock.advance(2000);
    expect(seen).toEqual(['15']);
  });

  test('is told at once where there was reason to hope', async () => {
    const { vacancy, shard, clock, seen, waiting } = vacant();
    vacancy.wait(waiting);
    vacancy.look();
    await clock.advance(0);
    shard.isServed = true;
    await clock.advance(200);
    expect(seen).toEqual(['served']);
  });
});
