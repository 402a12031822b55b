import { expect, test } from '@jest/globals';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { createKnowledge } from './knowledge.ts';

/** The workspaces of `parent` are on `a` and `b`, those of `small` on `a`. */
function world() {
  const stale = new Set<string>();
  const unresolved = new Set<string>();
  const listeners = new Set<(shard: string) => void>();
  const knowledge = createKnowledge(
    {
      shardsOf: parent => new Set(parent === 'small' ? ['a'] : ['a', 'b']),
      hasUnresolved: parent => unresolved.has(parent ?? ''),
    },
    {
      whyNot(shards) {
        const [first] = shards === 'all' ? stale : [...stale].filter(shard => shards.has(shard));
        return first && `nothing is heard from ${first}`;
      },
      onStale(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  );
  const goStale = (shard: string): void => {
    stale.add(shard);
    for (const listener of listeners) listener(shard);
  };
  return { knowledge, unresolved, goStale, listeners };
}

function refusal(run: () => void): StatusError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
}

test('an answer is made as long as all is known', () => {
  const { knowledge } = world();
  expect(refusal(() => knowledge.require('parent'))).toBeUndefined();
  expect(refusal(() => knowledge.require())).toBeUndefined();
});

test('an answer that needs a shard which is not heard from is 503, to be asked again', () => {
  const { knowledge, goStale } = world();
  goStale('b');
  expect(refusal(() => knowledge.require('parent'))).toMatchObject({ code: 503, status: { details: { retryAfterSeconds: 2 } } });
  expect(refusal(() => knowledge.require())?.code).toBe(503);
});

test('a refusal does not say which shard it is', () => {
  const { knowledge, goStale } = world();
  goStale('shard-b');
  expect(refusal(() => knowledge.require())?.message).not.toContain('shard-b');
});

test('an answer that does not need it is made', () => {
  const { knowledge, goStale } = world();
  goStale('b');
  expect(refusal(() => knowledge.require('small'))).toBeUndefined();
});

test('a logical cluster that no shard has may be on the one that is not heard from', () => {
  const { knowledge, goStale, unresolved } = world();
  unresolved.add('small');
  expect(refusal(() => knowledge.require('small'))).toBeUndefined();
  goStale('b');
  expect(refusal(() => knowledge.require('small'))?.code).toBe(503);
});

test('a watch ends when what it needs is not heard from any more, and only then', () => {
  const { knowledge, goStale, listeners } = world();
  const ended: string[] = [];
  const stop = knowledge.until('small', () => ended.push('small'));
  knowledge.until('parent', () => ended.push('parent'));
  goStale('b');
  expect(ended).toEqual(['parent']);
  goStale('a');
  expect(ended).toContain('small');
  stop();
  expect(listeners.size).toBe(1);
});
