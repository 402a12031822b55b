import { describe, expect, test } from '@jest/globals';
import { setUp, setUpSynced } from './informer.fixture.ts';
import { thing } from './scripted.fixture.ts';

/** Keeps what is told in one batch together. */
function batches() {
  const told: string[][] = [];
  const batch = (emit: () => void): void => {
    told.push([]);
    emit();
  };
  return {
    told,
    batch,
    hear: ({ type, object }: { type: string; object: { metadata?: { name?: string } } }): void =>
      void told.at(-1)?.push(`${type} ${object.metadata?.name}`),
  };
}

describe('batches of an informer', () => {
  test('hold all changes of a list', async () => {
    const { told, batch, hear } = batches();
    const { upstream, informer } = setUp({ batch });
    informer.onEvent(hear);
    informer.start();
    (await upstream.next()).head(200).event('ADDED', thing('a', '1')).event('ADDED', thing('b', '2')).initialEnd('10');
    expect(told).toEqual([['ADDED a', 'ADDED b']]);
  });

  test('hold all changes of an event', async () => {
    const { told, batch, hear } = batches();
    const { informer, watch } = await setUpSynced({ batch });
    informer.onEvent(hear);
    told.length = 0;
    watch.event('MODIFIED', thing('a', '11', { uid: 'another' })).event('DELETED', thing('b', '12'));
    expect(told).toEqual([['DELETED a', 'ADDED a'], ['DELETED b']]);
  });

  test('are not begun where nothing changes', async () => {
    const { told, batch } = batches();
    const { watch } = await setUpSynced({ batch });
    told.length = 0;
    watch.bookmark('20').event('DELETED', thing('unknown', '21'));
    expect(told).toEqual([]);
  });

  test('that fail are reported, and the stream goes on', async () => {
    const { informer, watch, errors } = await setUpSynced({
      batch: emit => {
        emit();
        throw new Error('too much');
      },
    });
    errors.length = 0;
    watch.event('ADDED', thing('c', '11'));
    expect(errors).toEqual(['0: batch of informer things threw: too much']);
    expect([informer.get('one', 'c')?.metadata?.name, watch.aborted]).toEqual(['c', false]);
  });
});
