import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { FakeIndex } from '../sight/sight.fixture.ts';
import { enterable, fillIndex } from '../workspaces-view.fixture.ts';
import { untilApplied, type Written } from './applied.ts';

const at = (name: string, resourceVersion: string, metadata: KubeObject['metadata'] = {}): KubeObject => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion, ...metadata },
});

/** Whether it has resolved by now, and with which version of the shard. */
function waiting(index: FakeIndex, object: KubeObject, written: Written = 'as-shown', clock = new ManualClock()) {
  const state: { done: boolean; version?: string | undefined } = { done: false };
  const promise = untilApplied(
    index,
    'root',
    clock,
  )(object, written).then(snapshot => {
    Object.assign(state, { done: true, version: snapshot?.upstreamVersion });
  });
  const settle = async () => {
    await new Promise(resolve => setImmediate(resolve));
    return state;
  };
  return { promise, settle, clock };
}

const GOING = { deletionTimestamp: '2026-01-01T00:00:00Z' };

describe('waiting for a write to be heard of', () => {
  test.each<[string, KubeObject, Written | undefined, string | undefined]>([
    ['ends at once when the index has that version', at('open', '7'), undefined, '7'],
    ['ends at once when the index has a later one', at('open', '6'), undefined, '7'],
    ['compares versions as numbers', at('open', '07'), undefined, '7'],
    ['ends at once when what was deleted is gone', at('gone', '9', GOING), undefined, undefined],
    ['ends at once when what was deleted by a collection is gone', at('gone', '9'), 'deleted', undefined],
    ['ends at once when another has the name of what was deleted', at('open', '9', { uid: 'old', ...GOING }), undefined, '7'],
  ])('%s', async (_, object, written, version) => {
    expect(await waiting(fillIndex(), object, written).settle()).toEqual({ done: true, version });
  });

  test('goes on until the object has come', async () => {
    const index = fillIndex();
    const { settle } = waiting(index, at('new', '9'));
    index.put(enterable('other', { upstreamVersion: '99' }));
    expect(await settle()).toMatchObject({ done: false });
    index.put(enterable('new', { upstreamVersion: '9' }));
    expect(await settle()).toEqual({ done: true, version: '9' });
  });

  test('goes on until the object has that version', async () => {
    const index = fillIndex();
    const { settle } = waiting(index, at('open', '10'));
    index.put(enterable('open', { upstreamVersion: '9' }));
    expect(await settle()).toMatchObject({ done: false });
    index.put(enterable('open', { upstreamVersion: '10' }));
    expect(await settle()).toEqual({ done: true, version: '10' });
  });

  test('goes on until what a collection has deleted is marked or gone, whatever its version was', async () => {
    const index = fillIndex();
    const [marked, gone] = [waiting(index, at('open', '7'), 'deleted'), waiting(index, at('other', '7'), 'deleted')];
    expect([(await marked.settle()).done, (await gone.settle()).done]).toEqual([false, false]);
    const { object } = enterable('open');
    index.put(enterable('open', { object: { ...object, metadata: { ...object.metadata, ...GOING } } }));
    index.remove('root', 'other');
    expect([(await marked.settle()).done, (await gone.settle()).done]).toEqual([true, true]);
  });

  test('does not take for the new one another that had its name', async () => {
    const index = fillIndex();
    const { settle } = waiting(index, at('open', '3', { uid: 'new' }));
    expect(await settle()).toMatchObject({ done: false });
  });

  test('ends after two seconds, with what the index has then', async () => {
    const index = fillIndex();
    const { settle, clock } = waiting(index, at('open', '10'));
    await clock.advance(1_999);
    expect(await settle()).toMatchObject({ done: false });
    await clock.advance(1);
    expect(await settle()).toEqual({ done: true, version: '7' });
  });

  test('follows the index once for all that one request waits for', async () => {
    const index = fillIndex();
    const clock = new ManualClock();
    const applied = untilApplied(index, 'root', clock);
    const names = ['a', 'b', 'c'];
    const all = names.map(name => applied(at(name, '9'), 'as-shown'));
    expect([index.stats().followers, clock.pending]).toEqual([1, [2_000]]);
    for (const name of names) index.put(enterable(name, { upstreamVersion: '9' }));
    expect((await Promise.all(all)).map(snapshot => snapshot?.name)).toEqual(names);
    expect([index.stats().followers, clock.pending]).toEqual([0, []]);
    const again = applied(at('d', '9'), 'as-shown');
    await clock.advance(2_000);
    expect(await again).toBeUndefined();
    expect(index.stats().followers).toBe(0);
  });

  test('leaves no listener and no timer behind', async () => {
    const index = fillIndex();
    const { promise, clock } = waiting(index, at('new', '9'));
    expect(index.stats().followers).toBe(1);
    index.put(enterable('new', { upstreamVersion: '9' }));
    await promise;
    expect(index.stats().followers).toBe(0);
    await clock.advance(10_000);
    expect(index.stats().followers).toBe(0);
  });
});
