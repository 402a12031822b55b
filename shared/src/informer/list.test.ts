import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../kube/objects.ts';
import { names, setUp } from './informer.fixture.ts';
import type { InformerOptions } from './informer.ts';
import { settle, thing } from './scripted.fixture.ts';

describe('paged list', () => {
  async function setUpListing(options: Partial<InformerOptions<KubeObject>> = {}) {
    const all = setUp(options);
    all.informer.start();
    (await all.upstream.next()).status(422);
    return all;
  }

  test('takes everything in one piece when a continue token has expired', async () => {
    const { upstream, informer } = await setUpListing();
    (await upstream.next()).list('10', [thing('a', '1'), thing('vanished', '2')], 'old');
    (await upstream.next()).status(410, 'The provided continue parameter is too old');
    const full = await upstream.next();
    expect([full.query.has('limit'), full.query.has('continue')]).toEqual([false, false]);
    full.list('20', [thing('a', '1'), thing('b', '15')]);
    const watch = await upstream.next();
    expect(watch.query.get('resourceVersion')).toBe('20');
    expect(names(informer)).toEqual(['a', 'b']);
  });

  test('gives the items of a list the type that events carry themselves', async () => {
    const { upstream, informer } = await setUpListing();
    const { apiVersion: _, kind: __, ...bare } = thing('a', '1');
    (await upstream.next()).list('10', [bare]);
    await settle();
    expect(informer.get('one', 'a')).toMatchObject({ apiVersion: 'v1', kind: 'Thing' });
  });

  test('waits for a resource that does not exist yet, and says so', async () => {
    const { upstream, clock, informer } = await setUpListing();
    (await upstream.next()).status(404, 'the server could not find the requested resource');
    await settle();
    expect(informer.status).toEqual({
      connected: false,
      lastError: 'listing things: the server answered 404: the server could not find the requested resource',
      relists: 0,
    });
    await clock.advance(1000);
    (await upstream.next()).list('10', []);
    (await upstream.next()).head(200);
    expect(informer.synced()).toBe(true);
    expect(informer.status).toEqual({ connected: true, relists: 0 });
  });

  test('waits as long as Retry-After says', async () => {
    const { upstream, clock, informer } = await setUpListing();
    (await upstream.next()).status(429, 'slow down', {}, ['Retry-After', '20']);
    await clock.advance(19_000);
    expect(await upstream.waiting()).toBe(0);
    await clock.advance(1000);
    (await upstream.next()).list('10', []);
    await settle();
    expect(informer.synced()).toBe(true);
  });

  test('does not take an answer without version for a list', async () => {
    const { upstream, errors, informer } = await setUpListing();
    (await upstream.next()).json(200, { hello: 'world' });
    await settle();
    expect(errors).toEqual(['1: listing things: the answer is no list: it has no resourceVersion']);
    expect(informer.synced()).toBe(false);
  });
});
