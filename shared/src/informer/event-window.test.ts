import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { EventWindow, epochNow } from './event-window.ts';

const append = (window: EventWindow, name: string) =>
  window.append(resourceVersion => ({ type: 'ADDED', object: { metadata: { name, resourceVersion } } }));
const nameOf = ({ object }: { object: KubeObject }): string => object.metadata?.name ?? '';

function codeOf(action: () => unknown): number | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof StatusError) return error.code;
    throw error;
  }
  return undefined;
}

describe('event window', () => {
  test('numbers events in order, in the event and in its object', () => {
    const window = new EventWindow({ epoch: 10n });
    expect(append(window, 'a')).toEqual({
      type: 'ADDED',
      object: { metadata: { name: 'a', resourceVersion: '11' } },
      resourceVersion: '11',
    });
    expect(window.resourceVersion).toBe('11');
  });

  test('replays what came after a version before it goes on live', () => {
    const window = new EventWindow({ epoch: 10n });
    for (const name of ['a', 'b', 'c']) append(window, name);
    const seen: string[] = [];
    window.watch('11', event => seen.push(nameOf(event)));
    expect(seen).toEqual(['b', 'c']);
    append(window, 'd');
    expect(seen).toEqual(['b', 'c', 'd']);
  });

  test('gives every version that is still in the window exactly the events after it, and 410 for all others', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(30), fc.integer({ min: -3, max: 40 }), (capacity, count, offset) => {
        const window = new EventWindow({ capacity, epoch: 100n });
        const names = Array.from({ length: count }, (_, i) => `o${i}`);
        for (const name of names) append(window, name);
        const seen: string[] = [];
        const refused = codeOf(() => window.watch(String(100 + offset), event => seen.push(nameOf(event))));
        const inside = offset >= Math.max(0, count - capacity) && offset <= count;
        expect(refused).toBe(inside ? undefined : 410);
        expect(seen).toEqual(inside ? names.slice(offset) : []);
      }),
    );
  });

  test('tells a watcher that left nothing more', () => {
    const window = new EventWindow();
    const seen: string[] = [];
    const leave = window.watch(window.resourceVersion, event => seen.push(nameOf(event)));
    leave();
    append(window, 'a');
    expect([seen, window.watchers]).toEqual([[], 0]);
  });

  test('tells all watchers before it complains about one that threw', () => {
    const window = new EventWindow();
    const seen: string[] = [];
    window.watch(window.resourceVersion, () => {
      throw new Error('broken watcher');
    });
    window.watch(window.resourceVersion, event => seen.push(nameOf(event)));
    expect(() => append(window, 'a')).toThrow(AggregateError);
    expect(seen).toEqual(['a']);
  });

  test('refuses what is no version', () => {
    expect(codeOf(() => new EventWindow().watch('abc', () => {}))).toBe(400);
  });

  test('a later process knows no version of an earlier one, and both are unsigned 64-bit numbers', () => {
    const now = epochNow();
    const earlier = new EventWindow({ epoch: now - (1n << 20n) });
    append(earlier, 'a');
    const later = new EventWindow({ epoch: now });
    expect(codeOf(() => later.watch(earlier.resourceVersion, () => {}))).toBe(410);
    expect(BigInt.asUintN(64, now)).toBe(now);
  });
});
