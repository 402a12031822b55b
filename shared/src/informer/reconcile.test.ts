import { expect, test } from '@jest/globals';
import { setUpSynced } from './informer.fixture.ts';
import { type ReconcileOptions, reconcileObjects } from './reconcile.ts';
import { settle, thing } from './scripted.fixture.ts';

type Work = ReconcileOptions<ReturnType<typeof thing>>;

async function withLoop(work: Work['reconcile'], concurrency?: number) {
  const all = await setUpSynced();
  const told: string[] = [];
  const stop = reconcileObjects(all.informer, {
    reconcile: work,
    onError: (error, { metadata }) => told.push(`${metadata?.name}: ${error.message}`),
    clock: all.clock,
    ...(concurrency !== undefined && { concurrency }),
  });
  await settle();
  return { ...all, told, stop };
}

const stateOf = ({ metadata }: ReturnType<typeof thing>): string => `${metadata?.name}@${metadata?.resourceVersion}`;

test('what is there and what comes later is reconciled, what goes is not', async () => {
  const seen: string[] = [];
  const { watch } = await withLoop(async object => void seen.push(stateOf(object)));
  watch.event('ADDED', thing('c', '11')).event('MODIFIED', thing('a', '12')).event('DELETED', thing('b', '13'));
  await settle();
  expect(seen).toEqual(['a@1', 'b@2', 'c@11', 'a@12']);
});

test('one state of an object at a time, and the latest next', async () => {
  const seen: string[] = [];
  let release = (): void => undefined;
  const { watch } = await withLoop(object => {
    seen.push(stateOf(object));
    return new Promise(resolve => {
      release = resolve;
    });
  }, 1);
  release();
  await settle();
  watch.event('MODIFIED', thing('b', '11')).event('MODIFIED', thing('b', '12'));
  await settle();
  expect(seen).toEqual(['a@1', 'b@2']);
  release();
  await settle();
  expect(seen).toEqual(['a@1', 'b@2', 'b@12']);
});

test('no more objects at a time than wanted', async () => {
  const seen: string[] = [];
  await withLoop(object => {
    seen.push(stateOf(object));
    return new Promise(() => undefined);
  }, 1);
  expect(seen).toEqual(['a@1']);
});

test('a failure is told, and tried again with the latest state until it works', async () => {
  const seen: string[] = [];
  const { clock, told, watch } = await withLoop(async object => {
    seen.push(stateOf(object));
    if (object.metadata?.name === 'a' && seen.length < 4) throw new Error('not yet');
  });
  expect([seen, told]).toEqual([['a@1', 'b@2'], ['a: not yet']]);
  await clock.advance(500);
  expect(seen).toEqual(['a@1', 'b@2', 'a@1']);
  watch.event('MODIFIED', thing('a', '11'));
  await clock.advance(500);
  await clock.advance(500);
  expect(seen.slice(3)).toContain('a@11');
  expect(told).toEqual(['a: not yet', 'a: not yet']);
});

test('an object that has gone is not tried again', async () => {
  const { clock, told, watch } = await withLoop(async () => {
    throw new Error('no');
  });
  watch.event('DELETED', thing('a', '11'));
  await clock.advance(500);
  expect(told).toEqual(['a: no', 'b: no', 'b: no']);
});

test('after its end nothing begins, and no timer is left', async () => {
  const seen: string[] = [];
  const { clock, stop, watch } = await withLoop(async object => {
    seen.push(stateOf(object));
    throw new Error('no');
  });
  const before = clock.pending.length;
  stop();
  expect(clock.pending).toHaveLength(before - 2);
  watch.event('ADDED', thing('c', '11'));
  await clock.advance(500);
  expect(seen).toEqual(['a@1', 'b@2']);
});
