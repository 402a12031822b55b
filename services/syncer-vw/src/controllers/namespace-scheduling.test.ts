import { describe, expect, test } from '@jest/globals';
import { stored } from './controllers.fixture.ts';
import { isNeverSynced, namespaceSchedulingPatch, placedNamespace } from './namespace-scheduling.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const state = (key: string): string => `state.workload.kcp.io/${key}`;
const deletion = (key: string): string => `deletion.internal.workload.kcp.io/${key}`;
const secondsAgo = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
const on = (key: string, annotations: Record<string, string> = {}) => stored({ labels: { [state(key)]: 'Sync' }, annotations });
const patch = (metadata: object) => ({ metadata: { uid: 'uid', resourceVersion: '41', ...metadata } });

describe('a namespace', () => {
  test('is labelled for the targets that it is placed on, and then left as it is', () => {
    expect(namespaceSchedulingPatch(stored(), ['a', 'b'], NOW)).toEqual({
      patch: patch({ labels: { [state('a')]: 'Sync', [state('b')]: 'Sync' } }),
    });
    expect(namespaceSchedulingPatch(on('a'), ['a'], NOW)).toEqual({});
  });

  test('leaves a target that it is no longer placed on, and goes to another at once', () => {
    expect(namespaceSchedulingPatch(on('a'), ['b'], NOW)).toEqual({
      patch: patch({ labels: { [state('b')]: 'Sync' }, annotations: { [deletion('a')]: '2026-01-01T12:00:00Z' } }),
    });
  });

  test('keeps the label for five seconds, so that its objects hear of it first', () => {
    expect(namespaceSchedulingPatch(on('a', { [deletion('a')]: secondsAgo(2) }), [], NOW)).toEqual({ recheckAfterMs: 3_000 });
    expect(namespaceSchedulingPatch(on('a', { [deletion('a')]: secondsAgo(5) }), [], NOW)).toEqual({
      patch: patch({ labels: { [state('a')]: null }, annotations: { [deletion('a')]: null } }),
    });
  });

  test('that is placed where it is leaving leaves first', () => {
    const leaving = on('a', { [deletion('a')]: secondsAgo(2) });
    expect(placedNamespace(leaving)).toEqual({ cluster: 'c1', name: 'web', current: [] });
    expect(namespaceSchedulingPatch(leaving, ['a'], NOW)).toEqual({ recheckAfterMs: 3_000 });
  });

  test('leaves at once where nobody can read since when it is leaving', () => {
    expect(namespaceSchedulingPatch(on('a', { [deletion('a')]: 'soon' }), [], NOW).patch?.metadata.labels).toEqual({
      [state('a')]: null,
    });
  });

  test('that somebody has set pending stays so', () => {
    expect(namespaceSchedulingPatch(stored({ labels: { [state('a')]: '' } }), ['a'], NOW)).toEqual({});
  });

  test('of Kubernetes or kcp, or one that is deleted, goes nowhere', () => {
    expect(namespaceSchedulingPatch(stored({ name: 'kube-system' }), ['a'], NOW)).toEqual({});
    expect(namespaceSchedulingPatch(stored({ deletionTimestamp: secondsAgo(0) }), ['a'], NOW)).toEqual({});
    expect(isNeverSynced('kcp-system')).toBe(true);
    expect(isNeverSynced('default')).toBe(false);
  });
});
