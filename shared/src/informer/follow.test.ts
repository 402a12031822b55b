import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../kube/objects.ts';
import { followInformer } from './follow.ts';
import { setUpSynced } from './informer.fixture.ts';
import { thing } from './scripted.fixture.ts';

const definition = { apiVersion: 'example.dev/v1', kind: 'Thing', group: 'example.dev', resource: 'things', columns: [] };
const notRed = (object: KubeObject): KubeObject | undefined =>
  object.color === 'red' ? undefined : { metadata: object.metadata ?? {}, seen: true };

describe('collection that follows an informer', () => {
  test('has what the informer has, as the view shows it, and then what changes', async () => {
    const { informer, watch } = await setUpSynced();
    const { collection } = followInformer(informer, definition, notRed);
    const names = () => collection.list().items.map(object => object.metadata?.name);
    expect(names()).toEqual(['a', 'b']);
    expect(collection.get('a', '')).toMatchObject({ seen: true });
    watch.event('ADDED', thing('c', '11')).event('DELETED', thing('a', '12'));
    expect(names()).toEqual(['b', 'c']);
  });

  test('shows an object that the view begins or ceases to show as added and deleted', async () => {
    const { informer, watch } = await setUpSynced();
    const { collection } = followInformer(informer, definition, notRed);
    const events: string[] = [];
    collection.watch(collection.resourceVersion, ({ type, object }) => events.push(`${type} ${object.metadata?.name}`));
    watch.event('MODIFIED', thing('a', '11', { color: 'red' })).event('MODIFIED', thing('a', '12', { color: 'red' }));
    watch.event('MODIFIED', thing('a', '13', { color: 'blue' }));
    expect(events).toEqual(['DELETED a', 'ADDED a']);
  });

  test('stays as it is once it is stopped', async () => {
    const { informer, watch } = await setUpSynced();
    const { collection, stop } = followInformer(informer, definition, notRed);
    stop();
    watch.event('ADDED', thing('c', '11'));
    expect(collection.size).toBe(2);
  });
});
