import { test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import fc from 'fast-check';
import { TestShard, WIDGETS, WIDGETS_PATH, widget } from './api.fixture.ts';

const operation = fc.record({
  method: fc.constantFrom('POST', 'PATCH', 'DELETE', 'DELETE-ALL', 'WATCH'),
  cluster: fc.constantFrom('a', 'b'),
  name: fc.constantFrom('x', 'y', 'z'),
  team: fc.constantFrom('red', 'blue', null),
  finalizers: fc.constantFrom(null, ['f/1']),
});

const SELECTED = `${WIDGETS_PATH}?labelSelector=team%3Dred`;

const placeOf = ({ metadata = {} }: KubeObject): string => `${metadata.annotations?.['kcp.io/cluster']}/${metadata.name}`;

/** What an informer holds after the events. Throws where one does not follow from those before. */
function replay(state: Map<string, KubeObject>, events: readonly { type: string; object: KubeObject }[]): void {
  for (const { type, object } of events) {
    const isKnown = state.has(placeOf(object));
    if (type === 'BOOKMARK') continue;
    if (isKnown !== (type !== 'ADDED')) throw new Error(`${type} of ${placeOf(object)}, which was ${isKnown ? '' : 'not '}there`);
    if (type === 'DELETED') state.delete(placeOf(object));
    else state.set(placeOf(object), object);
  }
}

const text = (state: ReadonlyMap<string, KubeObject>): string => JSON.stringify([...state].sort(([a], [b]) => (a < b ? -1 : 1)));

const stateOf = (items: readonly KubeObject[]): Map<string, KubeObject> => new Map(items.map(item => [placeOf(item), item]));

test('every watch of a selection, begun at any time by list or by initial events, ends at the list of the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async operations => {
      const shard = new TestShard();
      shard.registry.add('b', WIDGETS);
      const watchers: { state: Map<string, KubeObject>; events: () => { type: string; object: KubeObject }[] }[] = [];
      for (const { method, cluster, name, team, finalizers } of operations) {
        const metadata = { name, labels: { team }, finalizers };
        shard.cluster = cluster;
        if (method === 'POST') {
          await shard.post(WIDGETS_PATH, widget(name, { metadata: { ...metadata, labels: team === null ? {} : { team } } }));
        } else if (method === 'PATCH') await shard.patch(`${WIDGETS_PATH}/${name}`, { metadata, spec: { team } });
        else if (method === 'DELETE') await shard.delete(`${WIDGETS_PATH}/${name}`);
        else if (method === 'DELETE-ALL') await shard.delete(SELECTED);
        else {
          shard.cluster = '*';
          const list = (await shard.get(SELECTED)).json();
          const fromList = await shard.watch(`${SELECTED}&resourceVersion=${list.metadata?.resourceVersion}`);
          const fromNothing = await shard.watch(SELECTED);
          watchers.push({ state: stateOf(list.items), events: () => fromList.events() });
          watchers.push({ state: new Map(), events: () => fromNothing.events() });
        }
      }
      shard.cluster = '*';
      const end = text(stateOf((await shard.get(SELECTED)).json().items));
      for (const { state, events } of watchers) {
        replay(state, events());
        if (text(state) !== end) throw new Error('a watcher holds another state than the list');
      }
    }),
    { numRuns: 60 },
  );
});
