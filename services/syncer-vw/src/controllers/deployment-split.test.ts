import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { patched, stored } from './controllers.fixture.ts';
import { deploymentSplitPatch, isSplitAlike, shares } from './deployment-split.ts';
import { intentKeys } from './intent-keys.ts';

const WEST = '3Bm6vl5sAC1tRlAp08A7dOSC6VmmHDOPtP5MXB';
const EAST = '3Cxy9ouxxAbeXgAdgLeAOqKa1Rszida5TEFkxI';
const state = (key: string): string => `state.workload.kcp.io/${key}`;
const diff = (key: string): string => `experimental.spec-diff.workload.kcp.io/${key}`;
const deletion = (key: string): string => `deletion.internal.workload.kcp.io/${key}`;
const replicas = (value: number, op = 'replace'): string => JSON.stringify([{ op, path: '/replicas', value }]);
const bothSync = { [state(WEST)]: 'Sync', [state(EAST)]: 'Sync' };
const LEAVING = '2002-10-02T10:00:00Z';

describe('the split of a deployment', () => {
  test('gives each target its share, and the first what is left', () => {
    expect(deploymentSplitPatch(stored({ labels: bothSync, spec: { replicas: 7 } }))).toEqual({
      metadata: { uid: 'uid', resourceVersion: '41', annotations: { [diff(WEST)]: replicas(4), [diff(EAST)]: replicas(3) } },
    });
    expect(shares(11, 3)).toEqual([5, 3, 3]);
  });

  test('takes away the spec-diff of a target that is gone, whose replicas the others get', () => {
    const annotations = { [diff(WEST)]: replicas(3), [diff(EAST)]: replicas(4) };
    const patch = deploymentSplitPatch(stored({ labels: { [state(WEST)]: 'Sync' }, annotations, spec: { replicas: 7 } }));
    expect(patch?.metadata.annotations).toEqual({ [diff(WEST)]: replicas(7), [diff(EAST)]: null });
  });

  test('gives a pending target nothing', () => {
    const patch = deploymentSplitPatch(stored({ labels: { ...bothSync, [state(EAST)]: '' }, spec: { replicas: 7 } }));
    expect(patch?.metadata).toMatchObject({ annotations: { [diff(WEST)]: replicas(7) } });
    expect(patch?.metadata.labels).toBeUndefined();
  });

  test('an annotation of deletion that is no timestamp is an error that names it', () => {
    const deployment = stored({ labels: bothSync, annotations: { [deletion(EAST)]: 'wrong format' }, spec: { replicas: 7 } });
    expect(() => deploymentSplitPatch(deployment)).toThrow(
      `the annotation ${deletion(EAST)} is no timestamp of RFC 3339: "wrong format"`,
    );
  });

  test('a target is admitted together with its share, so that it never sees all replicas', () => {
    const deployment = stored({ labels: { ...bothSync, [state(EAST)]: '' }, spec: { replicas: 7 } });
    expect(deploymentSplitPatch(deployment, { admitPending: true })?.metadata).toMatchObject({
      labels: { [state(EAST)]: 'Sync' },
      annotations: { [diff(WEST)]: replicas(4), [diff(EAST)]: replicas(3) },
    });
  });

  test('a draining target keeps its spec-diff until its label goes, while the others get its replicas', () => {
    const annotations = { [diff(WEST)]: replicas(4), [diff(EAST)]: replicas(3), [deletion(EAST)]: LEAVING };
    const draining = stored({ labels: bothSync, annotations, spec: { replicas: 7 } });
    expect(deploymentSplitPatch(draining)?.metadata.annotations).toEqual({ [diff(WEST)]: replicas(7) });
    const gone = stored({ labels: { [state(WEST)]: 'Sync' }, annotations, spec: { replicas: 7 } });
    expect(deploymentSplitPatch(gone)?.metadata.annotations).toEqual({ [diff(WEST)]: replicas(7), [diff(EAST)]: null });
  });

  test('a deployment that does not say how many replicas it has has one, which nothing can replace', () => {
    expect(deploymentSplitPatch(stored({ labels: bothSync, spec: {} }))?.metadata.annotations).toEqual({
      [diff(WEST)]: replicas(1, 'add'),
      [diff(EAST)]: replicas(0, 'add'),
    });
  });

  test('says nothing about a deployment that is split already, however the spec-diff is spelled', () => {
    const annotations = { [diff(WEST)]: '[{ "op": "replace", "path": "/replicas", "value": 4 }]', [diff(EAST)]: replicas(3) };
    expect(deploymentSplitPatch(stored({ labels: bothSync, annotations, spec: { replicas: 7 } }))).toBeUndefined();
  });

  test('writes a spec-diff that is no JSON anew', () => {
    const deployment = stored({ labels: { [state(WEST)]: 'Sync' }, annotations: { [diff(WEST)]: '[{' }, spec: { replicas: 2 } });
    expect(deploymentSplitPatch(deployment)?.metadata.annotations).toEqual({ [diff(WEST)]: replicas(2) });
  });

  test('leaves a deployment that is deleted as it is', () => {
    const deployment = stored({ labels: bothSync, deletionTimestamp: LEAVING, spec: { replicas: 7 } });
    expect(deploymentSplitPatch(deployment, { admitPending: true })).toBeUndefined();
  });

  test('has all replicas, none twice, and the shares differ by less than there are targets', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 50 }), (count, targets) => {
        const split = shares(count, targets);
        expect(split).toHaveLength(targets);
        expect(split.reduce((sum, one) => sum + one, 0)).toBe(count);
        expect(new Set(split.slice(1)).size).toBeLessThanOrEqual(1);
        const spread = (split[0] ?? 0) - (split.at(-1) ?? 0);
        expect(spread).toBeGreaterThanOrEqual(0);
        expect(spread).toBeLessThan(targets);
      }),
    );
  });

  test('is done with one patch, in which the targets that take part have all replicas together', () => {
    const targetStates = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      fc.record({
        label: fc.constantFrom('Sync', '', 'Other', undefined),
        leaving: fc.boolean(),
        before: fc.option(fc.nat(9), { nil: undefined }),
      }),
    );
    fc.assert(
      fc.property(targetStates, fc.option(fc.nat(40), { nil: undefined }), fc.boolean(), (targets, count, admitPending) => {
        const entries = Object.entries(targets);
        const deployment = stored({
          labels: Object.fromEntries(entries.flatMap(([key, { label }]) => (label === undefined ? [] : [[state(key), label]]))),
          annotations: Object.fromEntries(
            entries.flatMap(([key, { leaving, before }]) => [
              ...(leaving ? [[deletion(key), LEAVING]] : []),
              ...(before === undefined ? [] : [[diff(key), replicas(before)]]),
            ]),
          ),
          spec: count === undefined ? {} : { replicas: count },
        });
        const patch = deploymentSplitPatch(deployment, { admitPending });
        const after = patch ? patched(deployment, patch) : deployment;
        expect(deploymentSplitPatch(after, { admitPending })).toBeUndefined();
        const { labels = {}, annotations = {} } = after.metadata ?? {};
        const taking = intentKeys(after).filter(key => labels[state(key)] === 'Sync' && !annotations[deletion(key)]);
        const given = taking.map(key => JSON.parse(annotations[diff(key)] ?? '[]')[0].value as number);
        if (taking.length > 0) expect(given.reduce((sum, one) => sum + one, 0)).toBe(count ?? 1);
      }),
    );
  });
});

describe('whether a change of a deployment matters to its split', () => {
  const base = stored({ labels: { app: 'web' }, annotations: { note: 'a' }, spec: { replicas: 4 } });
  const withReplicas = (spec: object) => stored({ labels: { app: 'web' }, annotations: { note: 'a' }, spec });

  test.each([
    [
      'a spec-diff',
      stored({ labels: { app: 'web' }, annotations: { note: 'a', [diff(WEST)]: '[]' }, spec: { replicas: 4 } }),
      true,
    ],
    ['another field of the spec', withReplicas({ replicas: 4, minReadySeconds: 3 }), true],
    ['another annotation', stored({ labels: { app: 'web' }, annotations: { note: 'b' }, spec: { replicas: 4 } }), false],
    ['a label', stored({ labels: { app: 'api' }, annotations: { note: 'a' }, spec: { replicas: 4 } }), false],
    ['the replicas', withReplicas({ replicas: 5 }), false],
    ['that there are replicas', withReplicas({}), false],
  ])('%s', (_, other, isAlike) => {
    expect(isSplitAlike(base, other)).toBe(isAlike);
    expect(isSplitAlike(other, base)).toBe(isAlike);
  });

  test('nothing, if neither says how many replicas there are', () => {
    expect(isSplitAlike(withReplicas({}), withReplicas({ minReadySeconds: 3 }))).toBe(true);
  });
});
