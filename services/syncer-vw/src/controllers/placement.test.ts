import { describe, expect, test } from '@jest/globals';
import { parseLabelSelector } from '@kcp-vw/shared/kube/selectors.ts';
import fc from 'fast-check';
import { type Placement, placementOf } from './placement.ts';
import { READY, syncTarget } from './sync-target.fixture.ts';
import type { SyncTarget } from './sync-target.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const secondsFromNow = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString();
const ready = (spec: SyncTarget['spec'] = {}, labels: Record<string, string> = {}) => syncTarget({ spec, labels, status: READY });
const targets = (of: Record<string, SyncTarget>) => new Map(Object.entries(of));
const place = (
  of: Record<string, SyncTarget>,
  {
    current = [],
    name = 'default',
    spread = 1,
    selector = '',
  }: { current?: string[]; name?: string; spread?: number; selector?: string } = {},
) => {
  const placement: Placement = { selector: parseLabelSelector(selector), spread };
  return placementOf({ cluster: 'c1', name, current }, placement, targets(of), NOW);
};

describe('a placement', () => {
  test('takes so many targets as it spreads namespaces over, of those that its selector takes', () => {
    const of = { a: ready({}, { zone: 'x' }), b: ready({}, { zone: 'x' }), c: ready({}, { zone: 'y' }) };
    expect(place(of, { spread: 5, selector: 'zone=x' }).keys).toEqual(['a', 'b']);
    expect(place(of, { spread: 2 }).keys).toHaveLength(2);
    expect(place(of, { selector: 'zone=z' }).keys).toEqual([]);
    expect(place(of, { spread: 0 }).keys).toEqual([]);
  });

  test('moves nothing because a target comes', () => {
    const all = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map(key => [key, ready()]));
    for (const key of ['a', 'c', 'e']) expect(place(all, { current: [key] }).keys).toEqual([key]);
  });

  test('leaves namespaces on a target that takes no more of them, and brings no other there', () => {
    const cordoned = { a: ready({ unschedulable: true }) };
    expect(place(cordoned, { current: ['a'] }).keys).toEqual(['a']);
    expect(place(cordoned).keys).toEqual([]);
  });

  test('takes namespaces from a target when it evicts, and says when that is', () => {
    const draining = { a: ready({ evictAfter: secondsFromNow(30) }), b: ready() };
    expect(place(draining, { current: ['a'] })).toEqual({ keys: ['a'], recheckAfterMs: 30_000 });
    const drained = { a: ready({ unschedulable: true, evictAfter: secondsFromNow(0) }), b: ready() };
    expect(place(drained, { current: ['a'] })).toEqual({ keys: ['b'] });
  });

  test('does without targets whose syncer is not alive, or that are deleted', () => {
    expect(place({ a: syncTarget() }, { current: ['a'] }).keys).toEqual([]);
    const deleted = ready();
    deleted.metadata = { ...deleted.metadata, deletionTimestamp: secondsFromNow(0) };
    expect(place({ a: deleted }, { current: ['a'] }).keys).toEqual([]);
  });

  test('spreads namespaces over targets, and those of a target that goes over all others, moving no other', () => {
    const all = Object.fromEntries(['a', 'b', 'c', 'd'].map(key => [key, ready()]));
    const { d: _, ...remaining } = all;
    const names = Array.from({ length: 400 }, (_, index) => `namespace-${index}`);
    const placed = new Map(names.map(name => [name, place(all, { name }).keys]));
    const counts = (keys: Iterable<readonly string[]>) => Map.groupBy([...keys].flat(), key => key);
    for (const [, of] of counts(placed.values())) expect(of.length).toBeGreaterThan(60);
    const moved = names.filter(name => placed.get(name)?.includes('d'));
    for (const name of names.filter(one => !moved.includes(one))) {
      expect(place(remaining, { name, current: [...(placed.get(name) ?? [])] }).keys).toEqual(placed.get(name));
    }
    const after = counts(moved.map(name => place(remaining, { name }).keys));
    expect([...after.keys()].sort()).toEqual(['a', 'b', 'c']);
  });

  test('keeps what it has placed, in whatever order the targets are', () => {
    const parts = fc.record({ unschedulable: fc.boolean(), isReady: fc.boolean(), evicts: fc.constantFrom(undefined, -5, 5) });
    const anyTargets = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), parts);
    const anyCurrent = fc.uniqueArray(fc.constantFrom<string>('a', 'b', 'c', 'd', 'gone'));
    fc.assert(
      fc.property(anyTargets, anyCurrent, fc.nat(4), (all, current, spread) => {
        const of = Object.fromEntries(
          Object.entries(all).map(([key, { unschedulable, isReady, evicts }]) => [
            key,
            syncTarget({
              spec: { unschedulable, ...(evicts !== undefined && { evictAfter: secondsFromNow(evicts) }) },
              status: isReady ? READY : {},
            }),
          ]),
        );
        const { keys } = place(of, { current, spread });
        expect(keys.length).toBeLessThanOrEqual(spread);
        expect(place(of, { current: [...keys], spread }).keys).toEqual(keys);
        const reversed = Object.fromEntries(Object.entries(of).reverse());
        expect(place(reversed, { current: current.toReversed(), spread }).keys).toEqual(keys);
        for (const key of keys) {
          const { unschedulable, isReady, evicts } = all[key] ?? { unschedulable: true, isReady: false, evicts: -5 };
          expect(isReady && evicts !== -5 && (current.includes(key) || !unschedulable)).toBe(true);
        }
      }),
    );
  });
});
