import { afterEach, expect, test } from '@jest/globals';
import { createInformer, type Informer } from '@kcp-vw/shared/informer/informer.ts';
import { ManualClock, ScriptedUpstream, thing } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { emptyWhereAbsent } from './empty-where-absent.ts';

const informers: Informer<KubeObject>[] = [];
afterEach(() => {
  for (const informer of informers.splice(0)) informer.stop();
});

function setUp() {
  const upstream = new ScriptedUpstream();
  const clock = new ManualClock();
  const errors: string[] = [];
  const informer = createInformer({
    upstream: emptyWhereAbsent(upstream),
    path: '/things',
    name: 'things',
    clock,
    backoff: { initial: 1000, max: 2000, random: () => 0 },
    onError: error => errors.push(error.message),
  });
  informers.push(informer);
  informer.start();
  return { upstream, clock, errors, informer };
}

test('a collection that is not served is empty, and found when it is served', async () => {
  const { upstream, clock, errors, informer } = setUp();
  (await upstream.next()).status(404);
  await clock.advance(0);
  expect([informer.synced(), informer.list()]).toEqual([true, []]);
  for (let i = 0; i < 3; i++) {
    await clock.advance(2000);
    const call = await upstream.next();
    if (call.query.get('sendInitialEvents') === 'true') {
      call.head(200).event('ADDED', thing('a', '7')).initialEnd('10');
      break;
    }
    call.status(404);
  }
  await clock.advance(0);
  expect(informer.list().map(({ metadata }) => metadata?.name)).toEqual(['a']);
  expect(errors).toEqual([]);
});

test('what was there is forgotten when it is not served any more', async () => {
  const { upstream, clock, informer } = setUp();
  const gone: string[] = [];
  informer.onEvent(({ type, object }) => gone.push(`${type} ${object.metadata?.name}`));
  const call = await upstream.next();
  call.head(200).event('ADDED', thing('a', '7')).initialEnd('10');
  await clock.advance(5000);
  call.end();
  (await upstream.next()).status(404);
  await clock.advance(2000);
  (await upstream.next()).status(404);
  await clock.advance(0);
  expect(gone).toEqual(['ADDED a', 'DELETED a']);
  expect(informer.list()).toEqual([]);
});

test('any other refusal is one: nothing is forgotten', async () => {
  const { upstream, clock, errors, informer } = setUp();
  const call = await upstream.next();
  call.head(200).event('ADDED', thing('a', '7')).initialEnd('10');
  await clock.advance(5000);
  call.end();
  (await upstream.next()).status(403);
  await clock.advance(0);
  expect(informer.list()).toHaveLength(1);
  expect(errors).toHaveLength(1);
});
