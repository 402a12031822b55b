import { describe, expect, test } from '@jest/globals';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import fc from 'fast-check';
import { EventLog } from './event-log.ts';
import type { Snapshot } from './snapshot.ts';

const ofParent = (parent: string): Snapshot => ({ parent }) as Snapshot;

function refusal(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof StatusError) return `${error.code} ${error.message}`;
    throw error;
  }
  return undefined;
}

describe('the log of events', () => {
  test('gives for every version in its window exactly what came after it, of all parents and of one, and 410 for all others', () => {
    const parents = fc.constantFrom('a', 'b', undefined);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(parents, { maxLength: 30 }), (capacity, history) => {
        const log = new EventLog(capacity, 100n);
        for (const parent of history) {
          if (parent === undefined) log.advance();
          else log.append({ version: log.head + 1n, after: ofParent(parent) });
        }
        const logged = history.map((parent, at) => ({ parent, version: 101n + BigInt(at) })).filter(({ parent }) => parent);
        for (let offset = -2; offset <= history.length + 2; offset += 1) {
          const since = 100n + BigInt(offset);
          const isInside = offset >= Math.max(0, history.length - capacity) && offset <= history.length;
          const oldest = 100 + Math.max(0, history.length - capacity);
          expect(refusal(() => log.since(since, undefined))).toBe(
            isInside ? undefined : `410 too old resource version: ${since} (${oldest})`,
          );
          if (!isInside) continue;
          const after = logged.filter(({ version }) => version > since);
          expect([...log.since(since, undefined)].map(({ version }) => version)).toEqual(after.map(({ version }) => version));
          for (const parent of ['a', 'b', 'c']) {
            const own = after.filter(event => event.parent === parent).map(({ version }) => version);
            expect([...log.since(since, parent)].map(({ version }) => version)).toEqual(own);
          }
        }
      }),
    );
  });
});
