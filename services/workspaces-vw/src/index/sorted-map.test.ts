import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { emptyMap, type SortedMap } from './sorted-map.ts';

const contents = (map: SortedMap<number>): [string, number][] => {
  const values = [...map.values()];
  return [...map.keys()].map((key, at) => [key, values[at] as number]);
};

const sorted = (map: ReadonlyMap<string, number>): [string, number][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

describe('a sorted map', () => {
  test('has what a plain one has, in order, and is never changed, small or large', () => {
    const key = fc.nat(60).map(number => `k${number}`);
    const change = fc.oneof(
      fc.record({ kind: fc.constant('with' as const), key, value: fc.nat() }),
      fc.record({ kind: fc.constant('without' as const), key }),
      fc.record({
        kind: fc.constant('changed' as const),
        set: fc.array(fc.tuple(key, fc.nat()), { maxLength: 50 }),
        deleted: fc.array(key),
      }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), changes => {
        const plain = new Map<string, number>();
        const past: [SortedMap<number>, [string, number][]][] = [];
        let map = emptyMap<number>();
        for (const step of changes) {
          past.push([map, sorted(plain)]);
          if (step.kind === 'with') {
            map = map.with(step.key, step.value);
            plain.set(step.key, step.value);
          } else if (step.kind === 'without') {
            map = map.without(step.key);
            plain.delete(step.key);
          } else {
            map = map.changed(step.set, step.deleted);
            for (const gone of step.deleted) plain.delete(gone);
            for (const [name, value] of step.set) plain.set(name, value);
          }
          expect(contents(map)).toEqual(sorted(plain));
          expect(map.size).toBe(plain.size);
          for (const name of ['k0', 'k33', 'nothing']) {
            expect([map.get(name), map.has(name)]).toEqual([plain.get(name), plain.has(name)]);
            const rest = sorted(plain).filter(([other]) => other >= name);
            expect([...map.values(name)]).toEqual(rest.map(([, value]) => value));
          }
        }
        for (const [earlier, had] of past) expect(contents(earlier)).toEqual(had);
      }),
    );
  });
});
