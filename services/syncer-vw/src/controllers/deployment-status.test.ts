import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { patched, stored } from './controllers.fixture.ts';
import { areReportsAlike, deploymentStatusPatch } from './deployment-status.ts';

const view = (key: string): string => `diff.syncer.internal.kcp.io/${key}`;
const PROMOTED = { status: '##promoted##' };

/** A deployment whose targets have reported these view-diffs. */
function reported(
  views: Readonly<Record<string, unknown>>,
  status?: object,
  more: { labels?: Record<string, string>; generation?: number } = {},
) {
  const texts = Object.entries(views).map(([key, value]) => [
    view(key),
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  const labels = more.labels ?? Object.fromEntries(Object.keys(views).map(key => [`state.workload.kcp.io/${key}`, 'Sync']));
  const object = stored({ labels, annotations: Object.fromEntries(texts), ...(status && { status }) });
  return more.generation === undefined ? object : { ...object, metadata: { ...object.metadata, generation: more.generation } };
}
const statusOf = (...parameters: Parameters<typeof reported>) => deploymentStatusPatch(reported(...parameters))?.status;

const WEST = {
  status: {
    ...{ availableReplicas: 4, readyReplicas: 4, replicas: 4, updatedReplicas: 4 },
    conditions: [
      { status: 'True', type: 'Available' },
      { status: 'True', type: 'Progressing' },
    ],
  },
};
const EAST = {
  status: {
    ...{ availableReplicas: 1, readyReplicas: 1, replicas: 3, unavailableReplicas: 2, updatedReplicas: 3 },
    conditions: [
      { status: 'False', type: 'Available' },
      { status: 'True', type: 'Progressing' },
    ],
  },
};

describe('the status of a deployment that targets share', () => {
  test('has the sums of the counts, and the conditions by type', () => {
    expect(deploymentStatusPatch(reported({ E: EAST, W: WEST }))).toEqual({
      metadata: { uid: 'uid', resourceVersion: '41' },
      status: {
        ...{ replicas: 7, updatedReplicas: 7, readyReplicas: 5, availableReplicas: 5, unavailableReplicas: 2 },
        conditions: [
          { type: 'Available', status: 'True' },
          { type: 'Progressing', status: 'True' },
        ],
      },
    });
  });

  test('adds up the replicas that are available', () => {
    expect(statusOf({ a: { status: { availableReplicas: 4 } }, b: { status: { availableReplicas: 3 } } })).toEqual({
      availableReplicas: 7,
    });
  });

  test('does without targets that have an empty status or none', () => {
    const views = { a: { status: { availableReplicas: 4 } }, b: { status: { availableReplicas: 3 } }, c: { status: {} }, d: {} };
    expect(statusOf(views)).toEqual({ availableReplicas: 7 });
  });

  test('a condition is True if one target has it so, else False, else Unknown; they are sorted', () => {
    const of = (...conditions: [string, string][]) => ({
      status: { conditions: conditions.map(([type, status]) => ({ type, status })) },
    });
    const views = {
      a: of(['Available', 'True'], ['ReplicaFailure', 'Unknown'], ['Progressing', 'False']),
      b: of(['ReplicaFailure', 'False'], ['Progressing', 'True']),
    };
    expect(statusOf(views)).toEqual({
      conditions: [
        { type: 'Available', status: 'True' },
        { type: 'Progressing', status: 'True' },
        { type: 'ReplicaFailure', status: 'False' },
      ],
    });
  });

  test('of equal conditions the one of the first target is said, in whatever order the annotations are', () => {
    const of = (reason: string) => ({ status: { conditions: [{ type: 'Available', status: 'True', reason }] } });
    const expected = { conditions: [{ type: 'Available', status: 'True', reason: 'of a' }] };
    expect(statusOf({ a: of('of a'), b: of('of b') })).toEqual(expected);
    expect(statusOf({ b: of('of b'), a: of('of a') })).toEqual(expected);
  });

  test.each([
    ['is no JSON', 'invalid json', 'diff.syncer.internal.kcp.io/a is no JSON'],
    ['is no map', '[]', 'diff.syncer.internal.kcp.io/a is no map'],
    ['has a status that is no map', '{"status":7}', 'the status in the annotation diff.syncer.internal.kcp.io/a is no map'],
    ['has counts that are no numbers', '{"status":{"replicas":"4"}}', 'a target reports replicas: "4"'],
    [
      'has conditions that are none',
      '{"status":{"conditions":[{"status":"True"}]}}',
      'a target reports conditions: [{"status":"True"}]',
    ],
  ])('is an error that says why if a view-diff %s', (_, text, why) => {
    expect(() => statusOf({ a: text, b: EAST })).toThrow(why);
  });

  test('is left alone with one target, whose status is promoted', () => {
    expect(statusOf({ W: WEST })).toBeUndefined();
  });

  test('is made as soon as a second target is pending, since the first is no longer promoted then', () => {
    const labels = { 'state.workload.kcp.io/E': '', 'state.workload.kcp.io/W': 'Sync' };
    expect(statusOf({ W: WEST }, undefined, { labels })).toEqual(WEST.status);
  });

  test('does not take for a report what it has written itself: neither from a promoted target nor from one that reports nothing', () => {
    const held = reported({ W: PROMOTED, E: EAST }, WEST.status);
    held.metadata = { ...held.metadata, finalizers: ['workload.kcp.io/syncer-W'] };
    expect(deploymentStatusPatch(held)).toBeUndefined();
    expect(statusOf({ W: {}, E: {} }, WEST.status)).toBeUndefined();
    // With rules that do not promote, the view of such a target shows the sum.
    expect(statusOf({ W: {}, E: { status: { replicas: 3 } } }, { replicas: 3 })).toBeUndefined();
  });

  test('does without the mark of a former assignment', () => {
    expect(statusOf({ W: PROMOTED, E: { status: { replicas: 3 } } }, WEST.status)).toMatchObject({ replicas: 3 });
  });

  test('is left alone if the rules of the deployment do not give it to syncers', () => {
    const deployment = reported({ W: WEST, E: EAST });
    const rules = '[{"fieldPath":"spec.paused","promoteToUpstream":true}]';
    deployment.metadata = {
      ...deployment.metadata,
      annotations: { ...deployment.metadata?.annotations, 'experimental.summarizing.workload.kcp.io': rules },
    };
    expect(deploymentStatusPatch(deployment)).toBeUndefined();
  });

  test('does without what a target has left behind that the deployment is no longer on', () => {
    const labels = { 'state.workload.kcp.io/E': 'Sync', 'state.workload.kcp.io/W': 'Sync' };
    const views = { W: { status: { replicas: 1 } }, E: { status: { replicas: 2 } }, gone: { status: { replicas: 9 } } };
    expect(statusOf(views, undefined, { labels })).toEqual({ replicas: 3 });
  });

  test('the patch has only what changes, and takes away what nobody reports', () => {
    const status = { replicas: 7, readyReplicas: 1, collisionCount: 2, conditions: [{ type: 'Available', status: 'True' }] };
    const views = {
      a: { status: { replicas: 4, readyReplicas: 2, conditions: [{ type: 'Available', status: 'True' }] } },
      b: { status: { replicas: 3 } },
    };
    expect(statusOf(views, status)).toEqual({ collisionCount: null, readyReplicas: 2 });
  });

  test('says the least generation that a target has observed, and never one that there is not', () => {
    const of = (observedGeneration?: number) => ({ status: { replicas: 1, ...(observedGeneration && { observedGeneration }) } });
    expect(statusOf({ a: of(3), b: of(2) }, undefined, { generation: 5 })).toEqual({ replicas: 2, observedGeneration: 2 });
    expect(statusOf({ a: of(9), b: of(8) }, undefined, { generation: 5 })).toEqual({ replicas: 2, observedGeneration: 5 });
    expect(statusOf({ a: of(3), b: of() }, undefined, { generation: 5 })).toEqual({ replicas: 2 });
  });

  test('is done with one patch', () => {
    const status = fc.record(
      {
        replicas: fc.nat(9),
        readyReplicas: fc.nat(9),
        observedGeneration: fc.nat(9),
        conditions: fc.array(
          fc.record({ type: fc.constantFrom('A', 'B', 'C'), status: fc.constantFrom('True', 'False', 'Unknown', 'No') }),
        ),
      },
      { requiredKeys: [] },
    );
    const views = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.record({ status }, { requiredKeys: [] }));
    fc.assert(
      fc.property(views, fc.option(status, { nil: undefined }), (targets, before) => {
        const deployment = reported(targets, before, { generation: 4 });
        const patch = deploymentStatusPatch(deployment);
        if (patch !== undefined) expect(deploymentStatusPatch(patched(deployment, patch))).toBeUndefined();
      }),
    );
  });
});

describe('whether a change of a deployment matters to its status', () => {
  test('a report does, and a target; nothing else does', () => {
    const base = reported({ a: WEST, b: EAST });
    expect(areReportsAlike(base, reported({ a: WEST, b: EAST }, { replicas: 1 }))).toBe(true);
    expect(areReportsAlike(base, reported({ a: WEST, b: WEST }))).toBe(false);
    expect(areReportsAlike(base, reported({ a: WEST, b: EAST }, undefined, { labels: {} }))).toBe(false);
  });
});
