import { describe, expect, test } from '@jest/globals';
import { lifecycleLabels, nextPhase, withLifecycleMetadata, withNextStatus } from './logical-cluster-state.ts';
import type { LogicalCluster } from './objects.ts';

const facts = { shardName: 'root', externalURL: 'https://front', now: () => new Date('2026-01-02T03:04:05Z') };
const given = (status: LogicalCluster['status'], more: Partial<LogicalCluster> = {}): LogicalCluster => ({
  metadata: { name: 'cluster' },
  ...(status && { status }),
  ...more,
});
const deleted = { metadata: { name: 'cluster', deletionTimestamp: '2026-01-02T03:04:05Z' } };

describe('the phase of a logical cluster', () => {
  test.each<[string, LogicalCluster, string]>([
    ['begins to initialize as soon as it exists', given({ phase: 'Scheduling' }), 'Initializing'],
    ['stays while an initializer is left', given({ phase: 'Initializing', initializers: ['root:a'] }), 'Initializing'],
    ['becomes Ready without initializers', given({ phase: 'Initializing', initializers: [] }), 'Ready'],
    ['stays Ready', given({ phase: 'Ready' }), 'Ready'],
    ['stays while its terminators do not matter yet', given({ phase: 'Ready', terminators: ['root:a'] }), 'Ready'],
    ['is Terminating while a terminator is left', given({ phase: 'Ready', terminators: ['root:a'] }, deleted), 'Terminating'],
    ['is Deleting when none is left', given({ phase: 'Terminating', terminators: [] }, deleted), 'Deleting'],
    ['is Deleting when it is deleted early', given({ phase: 'Initializing', initializers: ['root:a'] }, deleted), 'Deleting'],
  ])('%s', (_, object, phase) => {
    expect(nextPhase(object)).toBe(phase);
  });
});

describe('the status of a logical cluster', () => {
  const spec = { initializers: ['root:a'], terminators: ['root:t'] };

  test('gets the names that are waited for on the way into Initializing, and where it is', () => {
    const { status } = withNextStatus(given({ phase: 'Scheduling' }, { spec }), facts, 'abc');
    expect(status).toEqual({ phase: 'Initializing', URL: 'https://front/clusters/abc', ...spec });
  });

  test('says what it waits for', () => {
    const { status } = withNextStatus(
      given({ phase: 'Initializing', initializers: ['root:a', 'root:b'] }, { spec }),
      facts,
      'abc',
    );
    expect(status?.initializers).toEqual(['root:a', 'root:b']);
    expect(status?.conditions).toMatchObject([
      { type: 'WorkspaceInitialized', status: 'False', message: 'Initializers still exist: [root:a root:b]' },
    ]);
  });

  test('says that it is initialized when it becomes Ready', () => {
    const { status } = withNextStatus(given({ phase: 'Initializing', initializers: [] }, { spec }), facts, 'abc');
    expect(status).toMatchObject({
      phase: 'Ready',
      conditions: [{ type: 'WorkspaceInitialized', status: 'True', lastTransitionTime: '2026-01-02T03:04:05Z' }],
    });
  });

  test('does not change when nothing happens', () => {
    const once = withNextStatus(given({ phase: 'Initializing', initializers: ['root:a'] }, { spec }), facts, 'abc');
    expect(withNextStatus(once, { ...facts, now: () => new Date() }, 'abc').status).toEqual(once.status);
  });
});

describe('the labels of a logical cluster', () => {
  // Vectors of the formats of kcp, computed with sha224sum.
  const APIBINDINGS = 'dd58c810629ccc3e49c7d8225b9bcfaa42a4a2ecbb7e4a9be76614e3';
  const UNIVERSAL = 'd1d6459a03641b6fd7560fc2849f6c66fa971a0afeded6ba2d2743f2';

  test('are the phase and a hash for each name that is waited for, cut to the length of a label', () => {
    const object = given({ phase: 'Initializing', initializers: ['system:apibindings', 'root:universal'] });
    expect(lifecycleLabels(object)).toEqual({
      'tenancy.kcp.io/phase': 'Initializing',
      'initializer.internal.kcp.io/dd58c810629ccc3e49c7d8225b9bcfaa42a': APIBINDINGS,
      'initializer.internal.kcp.io/d1d6459a03641b6fd7560fc2849f6c66fa9': UNIVERSAL,
    });
    expect(lifecycleLabels(given({ phase: 'Ready', terminators: ['system:apibindings'] }))).toEqual({
      'tenancy.kcp.io/phase': 'Ready',
      'terminator.internal.kcp.io/dd58c810629ccc3e49c7d8225b9bcfaa42a4': APIBINDINGS,
    });
  });

  test('lose the names that are waited for no more, and keep what others have put there', () => {
    const labels = { mine: 'x', 'initializer.internal.kcp.io/dd58c810629ccc3e49c7d8225b9bcfaa42a': APIBINDINGS };
    const object = given({ phase: 'Ready' }, { metadata: { name: 'cluster', labels } });
    expect(lifecycleLabels(object)).toEqual({ mine: 'x', 'tenancy.kcp.io/phase': 'Ready' });
  });
});

describe('the metadata of a logical cluster', () => {
  test('holds it with a finalizer as long as terminators are left', () => {
    const held = withLifecycleMetadata(given({ phase: 'Ready', terminators: ['root:t'] }), facts);
    expect(held.metadata.finalizers).toEqual(['kcp.io/has-terminators']);
    const free = withLifecycleMetadata({ ...held, status: { phase: 'Ready', terminators: [] } }, facts);
    expect(free.metadata.finalizers).toBeUndefined();
  });

  test('forgets all about the owner but his name when the workspace is Ready', () => {
    const owner = JSON.stringify({ username: 'ada', groups: ['team'] });
    const metadata = { name: 'cluster', annotations: { 'experimental.tenancy.kcp.io/owner': owner } };
    const annotationIn = (phase: 'Initializing' | 'Ready') =>
      withLifecycleMetadata(given({ phase }, { metadata }), facts).metadata.annotations?.['experimental.tenancy.kcp.io/owner'];
    expect(annotationIn('Initializing')).toBe(owner);
    expect(annotationIn('Ready')).toBe('{"username":"ada"}');
  });
});
