import { describe, expect, test } from '@jest/globals';
import { names, setUp, setUpSynced } from './informer.fixture.ts';
import { settle, thing } from './scripted.fixture.ts';

describe('informer, consumers', () => {
  test('a listener that throws disturbs neither the others nor the informer', async () => {
    const { informer, watch, errors, events } = await setUpSynced();
    informer.onEvent(() => {
      throw new Error('mine');
    });
    const later: string[] = [];
    informer.onEvent(event => later.push(event.type));
    watch.event('ADDED', thing('c', '11'));
    expect(errors).toEqual(['0: a listener of informer things threw: mine']);
    expect([events, later]).toEqual([['ADDED c@11'], ['ADDED']]);
    expect(watch.aborted).toBe(false);
  });

  test('an onError that throws does not end the informer', async () => {
    const { upstream, clock, watch, informer } = await setUpSynced({
      onError: () => {
        throw new Error('logger broke');
      },
    });
    watch.fail('reset');
    await clock.advance(1000);
    expect(informer.status.lastError).toBe('onError of informer things threw: logger broke');
    expect(await upstream.waiting()).toBe(1);
  });

  test('a listener sees the store as it is after the change', async () => {
    const { informer, watch } = await setUpSynced();
    let seen: string[] = [];
    informer.onEvent(() => {
      seen = names(informer) as string[];
    });
    watch.event('DELETED', thing('a', '11'));
    expect(seen).toEqual(['b']);
  });

  test('a listener that was dropped hears nothing more', async () => {
    const { informer, watch } = await setUpSynced();
    const heard: string[] = [];
    const drop = informer.onEvent(event => heard.push(event.type));
    drop();
    watch.event('ADDED', thing('c', '11'));
    expect(heard).toEqual([]);
  });

  test('stores what the projection leaves, and indexes it', async () => {
    const { informer } = await setUpSynced({
      project: object => ({ metadata: object.metadata ?? {}, initial: object.metadata?.name?.[0] ?? '' }),
      indexes: { initial: object => [String(object.initial)] },
    });
    expect(informer.byIndex('initial', 'a')).toEqual([{ metadata: thing('a', '1').metadata, initial: 'a' }]);
  });

  test('a projection that throws is a failure that is told, and tried again', async () => {
    let broken = true;
    const { upstream, clock, informer, errors } = setUp({
      project: object => {
        if (broken) throw new Error('unexpected shape');
        return object;
      },
    });
    informer.start();
    (await upstream.next()).head(200).event('ADDED', thing('a', '1'));
    expect(await upstream.waiting()).toBe(0);
    expect(errors).toEqual(['1: watching things: unexpected shape']);
    broken = false;
    await clock.advance(1000);
    (await upstream.next()).head(200).event('ADDED', thing('a', '1')).initialEnd('10');
    expect(names(informer)).toEqual(['a']);
  });
});

describe('informer, end', () => {
  test('stopping drops the stream, all timers and all listeners', async () => {
    const { informer, watch, clock, events, upstream } = await setUpSynced();
    informer.stop();
    watch.event('ADDED', thing('c', '11'));
    expect(watch.aborted).toBe(true);
    expect(events).toEqual([]);
    await settle();
    expect(clock.pending).toEqual([]);
    expect(await upstream.waiting()).toBe(0);
    expect(informer.status.connected).toBe(false);
  });

  test('stopping while it backs off leaves no timer', async () => {
    const { informer, watch, clock } = await setUpSynced();
    watch.fail('reset');
    await settle();
    informer.stop();
    await settle();
    expect(clock.pending).toEqual([]);
  });

  test('stopping while it lists gives the list up', async () => {
    const { informer, upstream } = setUp();
    informer.start();
    (await upstream.next()).status(422);
    const list = await upstream.next();
    informer.stop();
    await settle();
    expect([list.aborted, await upstream.waiting(), informer.status.lastError]).toEqual([true, 0, undefined]);
  });

  test('stopping in a listener ends the batch', async () => {
    const { upstream, informer } = setUp();
    const seen: string[] = [];
    informer.onEvent(({ object }) => {
      seen.push(object.metadata?.name ?? '');
      informer.stop();
    });
    informer.start();
    (await upstream.next()).head(200).event('ADDED', thing('a', '1')).event('ADDED', thing('b', '2')).initialEnd('10');
    expect(seen).toEqual(['a']);
  });

  test('who waits for the first list is told when it will not come', async () => {
    const { informer } = setUp();
    informer.start();
    const synced = informer.whenSynced();
    informer.stop();
    await expect(synced).rejects.toThrow('informer things was stopped before it had synced');
    await expect(informer.whenSynced()).rejects.toThrow('stopped');
  });

  test('starting twice watches once', async () => {
    const { informer, upstream } = setUp();
    informer.start();
    informer.start();
    expect(await upstream.waiting()).toBe(1);
  });
});
