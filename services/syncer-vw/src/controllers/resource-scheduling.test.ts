import { describe, expect, test } from '@jest/globals';
import { type ObjectParts, stored } from './controllers.fixture.ts';
import { expectationOfCluster, expectationOfNamespace, resourceSchedulingDecision } from './resource-scheduling.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const AT = '2026-01-01T12:00:00Z';
const LEAVING = '2002-10-02T10:00:00Z';
const state = (key: string): string => `state.workload.kcp.io/${key}`;
const deletion = (key: string): string => `deletion.internal.workload.kcp.io/${key}`;
const soft = (key: string): string => `finalizers.workload.kcp.io/${key}`;
const finalizer = (key: string): string => `workload.kcp.io/syncer-${key}`;

interface Given {
  readonly namespace?: ObjectParts;
  readonly object?: ObjectParts;
  /** The keys of SyncTargets that are gone. */
  readonly gone?: readonly string[];
  readonly initialState?: 'Sync' | '';
}

const options = ({ gone = [], initialState = 'Sync' }: Given) => ({
  isTarget: (key: string) => !gone.includes(key),
  initialState,
  now: NOW,
});
const decide = (given: Given) =>
  resourceSchedulingDecision(stored(given.object), expectationOfNamespace(stored(given.namespace)), options(given));
const metadataOf = (given: Given) => {
  const decision = decide(given);
  return decision && 'patch' in decision ? decision.patch.metadata : undefined;
};
const patch = (metadata: object) => ({ patch: { metadata: { uid: 'uid', resourceVersion: '41', ...metadata } } });

describe('an object of a namespace', () => {
  test.each([
    ['is on no target', {}],
    ['is pending', { labels: { [state('a')]: '' } }],
    ['has a state that means nothing', { labels: { [state('a')]: 'Foo' } }],
    ['is leaving the target', { labels: { [state('a')]: 'Sync' }, annotations: { [deletion('a')]: LEAVING } }],
  ])('goes nowhere if the namespace %s', (_, namespace) => {
    expect(decide({ namespace })).toBeUndefined();
  });

  test('goes where the namespace is synced to', () => {
    expect(decide({ namespace: { labels: { [state('a')]: 'Sync' } } })).toEqual(patch({ labels: { [state('a')]: 'Sync' } }));
  });

  test('starts pending where somebody has to divide it first', () => {
    const given: Given = { namespace: { labels: { [state('a')]: 'Sync' } }, initialState: '' };
    expect(decide(given)).toEqual(patch({ labels: { [state('a')]: '' } }));
    // And is left so: who divides it says when it is ready.
    expect(decide({ ...given, object: { labels: { [state('a')]: '' } } })).toBeUndefined();
  });

  test('goes where the namespace goes besides', () => {
    const namespace = { labels: { [state('a')]: 'Sync', [state('b')]: 'Sync' } };
    expect(decide({ namespace, object: { labels: { [state('a')]: 'Sync' } } })).toEqual(
      patch({ labels: { [state('b')]: 'Sync' } }),
    );
  });

  test('begins to leave when the namespace does, with its timestamp, and once', () => {
    const namespace = { labels: { [state('a')]: 'Sync' }, annotations: { [deletion('a')]: LEAVING } };
    const labels = { [state('a')]: 'Sync' };
    expect(decide({ namespace, object: { labels } })).toEqual(patch({ annotations: { [deletion('a')]: LEAVING } }));
    expect(decide({ namespace, object: { labels, annotations: { [deletion('a')]: LEAVING } } })).toBeUndefined();
    expect(decide({ namespace, object: { labels, annotations: { [deletion('a')]: AT } } })).toBeUndefined();
  });

  test('loses label and annotation when the namespace has left and nobody holds it', () => {
    const object = { labels: { [state('a')]: 'Sync' }, annotations: { [deletion('a')]: LEAVING } };
    expect(decide({ object })).toEqual(patch({ labels: { [state('a')]: null }, annotations: { [deletion('a')]: null } }));
  });

  test('loses with its label what the target was given and has reported', () => {
    const annotations = {
      'diff.syncer.internal.kcp.io/a': '{}',
      'experimental.spec-diff.workload.kcp.io/a': '[]',
      other: 'stays',
    };
    expect(metadataOf({ object: { labels: { [state('a')]: 'Sync' }, annotations } })?.annotations).toEqual({
      'diff.syncer.internal.kcp.io/a': null,
      'experimental.spec-diff.workload.kcp.io/a': null,
    });
  });

  test.each([
    ['a soft finalizer', { annotations: { [soft('a')]: 'external-coordinator' } }],
    ['the finalizer of the syncer', { finalizers: [finalizer('a')] }],
  ])('stays as long as %s holds it, and is told to leave', (_, { annotations = {}, finalizers = [] }: ObjectParts) => {
    const labels = { [state('a')]: 'Sync' };
    const leaving = { labels, annotations: { ...annotations, [deletion('a')]: LEAVING }, finalizers };
    expect(decide({ object: leaving })).toBeUndefined();
    expect(decide({ object: { labels, annotations, finalizers } })).toEqual(patch({ annotations: { [deletion('a')]: AT } }));
  });

  test('is held by neither an empty soft finalizer nor the finalizer of another syncer', () => {
    const object = { labels: { [state('a')]: 'Sync' }, annotations: { [soft('a')]: '' }, finalizers: [finalizer('b')] };
    expect(decide({ object })).toEqual(patch({ labels: { [state('a')]: null } }));
  });

  test('no longer leaves when the namespace is back', () => {
    const object = { labels: { [state('a')]: 'Sync' }, annotations: { [deletion('a')]: LEAVING } };
    expect(decide({ namespace: { labels: { [state('a')]: 'Sync' } }, object })).toEqual(
      patch({ annotations: { [deletion('a')]: null } }),
    );
  });

  test('comes, stays and leaves on several targets at once', () => {
    const namespace = {
      labels: { [state('1')]: 'Sync', [state('2')]: 'Sync', [state('4')]: 'Sync' },
      annotations: { [deletion('4')]: LEAVING },
    };
    const labels = { [state('2')]: 'Sync', [state('3')]: 'Sync', [state('4')]: 'Sync' };
    expect(decide({ namespace, object: { labels, annotations: { [deletion('3')]: LEAVING } } })).toEqual(
      patch({
        labels: { [state('1')]: 'Sync', [state('3')]: null },
        annotations: { [deletion('3')]: null, [deletion('4')]: LEAVING },
      }),
    );
    const held = { labels, annotations: { [deletion('3')]: LEAVING, [soft('3')]: 'external-coordinator' } };
    expect(decide({ namespace, object: held })).toEqual(
      patch({ labels: { [state('1')]: 'Sync' }, annotations: { [deletion('4')]: LEAVING } }),
    );
  });

  test('that is deleted leaves all its targets, pending ones too, and goes to no other', () => {
    const namespace = { labels: { [state('new')]: 'Sync' } };
    const object = { labels: { [state('1')]: 'Sync', [state('2')]: '' }, deletionTimestamp: LEAVING };
    expect(decide({ namespace, object })).toEqual(patch({ annotations: { [deletion('1')]: LEAVING, [deletion('2')]: LEAVING } }));
  });

  test.each([LEAVING, '2000-01-01 10:00:00 +0000 UTC'])('that is deleted keeps the time it was leaving at: %s', text => {
    const object = { labels: { [state('1')]: 'Sync' }, annotations: { [deletion('1')]: text }, deletionTimestamp: AT };
    expect(decide({ object })).toBeUndefined();
  });

  test('that is deleted and on no target is left alone', () => {
    expect(decide({ object: { deletionTimestamp: LEAVING } })).toBeUndefined();
  });

  test('loses the finalizers of syncers whose targets are gone, and leaves those targets with the same patch', () => {
    const object = { labels: { [state('a')]: 'Sync' }, finalizers: ['others/own', finalizer('a'), finalizer('b')] };
    expect(decide({ object, gone: ['a'], namespace: { labels: { [state('b')]: 'Sync' } } })).toEqual(
      patch({ labels: { [state('a')]: null, [state('b')]: 'Sync' }, finalizers: ['others/own', finalizer('b')] }),
    );
  });

  test('that a target has made is left alone, and deleted when its target is gone', () => {
    const object = { labels: { [state('a')]: 'Upsync' } };
    expect(decide({ object, namespace: { labels: { [state('b')]: 'Sync' } } })).toBeUndefined();
    expect(decide({ object, gone: ['a'] })).toEqual({ deleteUid: 'uid' });
  });
});

describe('an object without a namespace', () => {
  const volume = (object: ObjectParts, ...placements: string[][]) =>
    resourceSchedulingDecision(stored(object), expectationOfCluster(placements), options({ initialState: '' }));

  test('is pending wherever a namespace of its logical cluster is placed', () => {
    expect(volume({}, ['a'], ['b', 'a'])).toEqual(patch({ labels: { [state('a')]: '', [state('b')]: '' } }));
  });

  test('leaves where none is any more', () => {
    expect(volume({ labels: { [state('a')]: 'Sync' } }, ['b'])).toEqual(
      patch({ labels: { [state('a')]: null, [state('b')]: '' } }),
    );
    expect(volume({ labels: { [state('a')]: 'Sync' }, finalizers: [finalizer('a')] })).toEqual(
      patch({ annotations: { [deletion('a')]: AT } }),
    );
  });
});
