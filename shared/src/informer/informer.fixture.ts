/** Test equipment: an informer on a scripted upstream, with everything that it tells. */
import { afterEach } from '@jest/globals';
import type { KubeObject } from '../kube/objects.ts';
import { createInformer, type Informer, type InformerOptions } from './informer.ts';
import { ManualClock, ScriptedUpstream, thing } from './scripted.fixture.ts';

export const PATH = '/clusters/*/apis/example.dev/v1/things';

const informers: Informer<KubeObject>[] = [];
afterEach(() => {
  for (const informer of informers.splice(0)) informer.stop();
});

export function setUp(options: Partial<InformerOptions<KubeObject>> = {}) {
  const upstream = new ScriptedUpstream();
  const clock = new ManualClock();
  const errors: string[] = [];
  const events: string[] = [];
  const made = createInformer({
    upstream,
    clock,
    path: PATH,
    name: 'things',
    backoff: { initial: 1000, max: 30_000, random: () => 0 },
    timing: { watchSeconds: () => 300 },
    onError: (error, attempt) => errors.push(`${attempt}: ${error.message}`),
    ...options,
  });
  informers.push(made);
  made.onEvent(({ type, object }) => events.push(`${type} ${object.metadata?.name}@${object.metadata?.resourceVersion}`));
  return { upstream, clock, errors, events, informer: made };
}

/** An informer that has streamed its list (`a` and `b`, version 10) and whose watch is open. */
export async function setUpSynced(options: Partial<InformerOptions<KubeObject>> = {}) {
  const all = setUp(options);
  all.informer.start();
  const watch = await all.upstream.next();
  watch.head(200).event('ADDED', thing('a', '1')).event('ADDED', thing('b', '2')).initialEnd('10');
  await all.clock.advance(5000);
  all.events.length = 0;
  return { ...all, watch };
}

export const names = (made: Informer<KubeObject>) =>
  made
    .list()
    .map(object => object.metadata?.name)
    .sort();
