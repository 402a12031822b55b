import { describe, expect, test } from '@jest/globals';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import fc from 'fast-check';
import { NO_EDGES } from './edges.ts';
import { EventLog } from './event-log.ts';
import { EventSizes } from './event-sizes.ts';
import type { Edges, Snapshot } from './snapshot.ts';

const EPOCH = 100n;
const UNBOUNDED = 1e9;

const snapshotOf = (parent: string, { size = 0, edges = NO_EDGES as Edges } = {}): Snapshot => ({
  ...{ parent, name: 'w', shard: 'alpha', object: {}, upstreamVersion: '1', objectVersion: 1n, size },
  entrance: { cluster: '', shard: '', open: false, edges, shardWide: NO_EDGES, version: 1n },
});

function refusal(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof StatusError) return `${error.code} ${error.message}`;
    throw error;
  }
  return undefined;
}

const tooOld = (version: bigint, oldest: bigint): string => `410 too old resource version: ${version} (${oldest})`;

describe('the log of events', () => {
  const parents = fc.constantFrom('a', 'b', undefined);
  const bounds = fc.record({
    capacity: fc.integer({ min: 1, max: 8 }),
    budget: fc.constantFrom(2500, 6000, UNBOUNDED),
    mostParents: fc.constantFrom(1, 2, UNBOUNDED),
  });

  test('gives of all parents, and of one, for every version exactly what came after it, and 410 where anything is missing', () => {
    fc.assert(
      fc.property(bounds, fc.array(parents, { maxLength: 30 }), (given, history) => {
        const log = new EventLog({ epoch: EPOCH, ...given });
        for (const parent of history) {
          if (parent === undefined) log.advance();
          else log.append({ version: log.head + 1n, after: snapshotOf(parent) });
        }
        const logged = history.map((parent, at) => ({ parent, version: 101n + BigInt(at) })).filter(({ parent }) => parent);
        // An event has 1000 bytes.
        const most = Math.floor(given.budget / 1000);
        const oldest = log.head - BigInt(given.capacity) > EPOCH ? log.head - BigInt(given.capacity) : EPOCH;
        const kept = logged.filter(({ version }) => version > oldest).slice(-most);
        for (let offset = -2; offset <= history.length + 2; offset += 1) {
          const since = EPOCH + BigInt(offset);
          const isPast = since >= EPOCH && since <= log.head;
          const after = logged.filter(({ version }) => version > since);
          for (const parent of [undefined, 'a', 'b', 'c']) {
            const own = after.filter(event => parent === undefined || event.parent === parent);
            const isComplete = isPast && own.every(event => kept.includes(event));
            const isRefused = refusal(() => log.since(since, parent)) !== undefined;
            if (!isComplete) expect(isRefused).toBe(true);
            // Of few parents it is known what was dropped; of all together versions without an event count.
            else if (parent !== undefined && given.mostParents > 2) expect(isRefused).toBe(false);
            if (!isRefused)
              expect([...log.since(since, parent)].map(({ version }) => version)).toEqual(own.map(({ version }) => version));
          }
        }
        expect(log.bytes).toBe(1000 * kept.length);
      }),
    );
  });

  test('lets one parent be resumed however many events of another have been dropped, unless one of its own has', () => {
    const log = new EventLog({ epoch: EPOCH, capacity: 10, budget: UNBOUNDED });
    const append = (parent: string): void => log.append({ version: log.head + 1n, after: snapshotOf(parent) });
    for (let count = 0; count < 50; count += 1) append('noisy');
    expect([...log.since(EPOCH, 'quiet')]).toEqual([]);
    expect(refusal(() => log.since(EPOCH, 'noisy'))).toBe(tooOld(100n, 140n));
    expect(refusal(() => log.since(EPOCH, undefined))).toBe(tooOld(100n, 140n));
    expect(refusal(() => log.since(EPOCH - 1n, 'quiet'))).toBe(tooOld(99n, 100n));
    append('quiet');
    for (let count = 0; count < 50; count += 1) append('noisy');
    expect(refusal(() => log.since(EPOCH, 'quiet'))).toBe(tooOld(100n, 151n));
    expect([...log.since(151n, 'quiet')]).toEqual([]);
  });

  test('knows of so many parents what was dropped, and of the others together', () => {
    const log = new EventLog({ epoch: EPOCH, capacity: 1, budget: UNBOUNDED, mostParents: 2 });
    for (const parent of ['a', 'b', 'c', 'd']) log.append({ version: log.head + 1n, after: snapshotOf(parent) });
    expect(['a', 'never', 'b', 'c'].map(parent => refusal(() => log.since(EPOCH, parent)))).toEqual([
      tooOld(100n, 101n),
      tooOld(100n, 101n),
      tooOld(100n, 102n),
      tooOld(100n, 103n),
    ]);
    expect([...log.since(EPOCH + 1n, 'never')]).toEqual([]);
  });

  test('keeps the newest event however large it is', () => {
    const log = new EventLog({ epoch: EPOCH, capacity: 10, budget: 10_000 });
    for (const size of [100, 200, 50_000]) log.append({ version: log.head + 1n, after: snapshotOf('a', { size }) });
    expect([...log.since(102n, 'a')]).toHaveLength(1);
    expect(log.bytes).toBe(51_000);
    log.append({ version: log.head + 1n, after: snapshotOf('a') });
    expect(log.bytes).toBe(1000);
  });
});

describe('the size of an event', () => {
  const gain = (count: number) => ({ gained: Array.from({ length: count }, (_, at) => `u:${at}`), lost: [] });
  const many = NO_EDGES.changed(gain(1000), 1n);

  test('is that of the objects that it has, if it changes one', () => {
    const [before, after] = [snapshotOf('a', { size: 300 }), snapshotOf('a', { size: 70 })];
    expect(new EventSizes().of({ version: 1n, before, after })).toBe(1370);
    expect(new EventSizes().of({ version: 1n, before, after: { ...after, object: before.object } })).toBe(1000);
    expect(new EventSizes().of({ version: 1n, before })).toBe(1300);
  });

  test('is that of the edges that came, of all that are gone, and about that of a single change, each set once', () => {
    const sizes = new EventSizes();
    const none = snapshotOf('a');
    const object = none.object;
    const after = { ...snapshotOf('a', { edges: many }), object };
    expect(sizes.of({ version: 1n, before: none, after })).toBe(1000 + 64 * 1000);
    expect(sizes.of({ version: 2n, before: none, after })).toBe(1000);
    const one = { ...after, entrance: { ...after.entrance, edges: many.changed({ gained: ['u:x'], lost: [] }, 2n) } };
    expect(sizes.of({ version: 3n, before: after, after: one })).toBe(1000 + 64 * 20);
    expect(sizes.of({ version: 4n, before: after, after: none })).toBe(1000 + 64 * 1000);
  });
});
