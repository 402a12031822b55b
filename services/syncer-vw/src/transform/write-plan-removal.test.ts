import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { asSeen } from './as-seen.ts';
import { diff, finalizers, leaving, putStatus, SOON, state, upstream } from './stored.fixture.ts';
import { execute, letGo, planFor, refusalOf, type SimulatedUpstream, taken, viewFor } from './upstream.fixture.ts';

describe('a syncer that lets go of an object', () => {
  const removed = (of: SimulatedUpstream, key: string): KubeObject => execute(of, planFor(of, key, letGo(viewFor(of, key)), ''));

  test('26: leaves nothing of its own on it', () => {
    const of = upstream({
      labels: { app: 'web', ...state('W') },
      finalizers: ['z', ...finalizers('W'), 'a'],
      annotations: {
        ...diff('W', { status: { ready: 4 } }),
        ...leaving('W'),
        'experimental.spec-diff.workload.kcp.io/W': '[]',
        'finalizers.workload.kcp.io/W': '',
      },
    });
    const answer = removed(of, 'W');
    expect(of.puts).toEqual(['main']);
    expect(of.object.metadata).toMatchObject({ labels: { app: 'web' }, finalizers: ['z', 'a'] });
    expect(of.object.metadata?.annotations).toEqual({ 'kcp.io/cluster': 'c1', 'finalizers.workload.kcp.io/W': '' });
    expect(answer.metadata).not.toHaveProperty('finalizers');
    expect(asSeen(of.object, 'W')).toEqual({ hidden: true });
  });

  const two = (): SimulatedUpstream =>
    upstream(
      {
        labels: state('W', 'E'),
        finalizers: finalizers('W', 'E'),
        annotations: { ...diff('W', { status: { ready: 4 } }), ...diff('E', { status: { ready: 3 } }), ...leaving('E') },
      },
      { status: { ready: 7 } },
    );

  test('27: leaves the status of the last one upstream: first the status, then the object', () => {
    const of = two();
    removed(of, 'E');
    expect(of.puts).toEqual(['status', 'main']);
    expect(of.object.status).toEqual({ ready: 4 });
    expect(of.object.metadata).toMatchObject({ labels: state('W'), finalizers: finalizers('W') });
    expect(of.object.metadata?.annotations).toEqual({ 'kcp.io/cluster': 'c1', ...diff('W', { status: '##promoted##' }) });
    expect(viewFor(of, 'W').status).toEqual({ ready: 4 });
  });

  test('can try again when the second of the two fails, and until then nothing is lost', () => {
    const of = two();
    const letting = (): ReturnType<typeof planFor> => planFor(of, 'E', letGo(viewFor(of, 'E')), '');
    expect(() => execute(of, letting(), 1)).toThrow('crashed');
    expect([viewFor(of, 'W').status, viewFor(of, 'E').status]).toEqual([{ ready: 4 }, { ready: 3 }]);
    of.puts.length = 0;
    execute(of, letting());
    expect(of.puts).toEqual(['main']);
    expect(viewFor(of, 'W').status).toEqual({ ready: 4 });
    expect(of.object.metadata?.annotations).toMatchObject(diff('W', { status: '##promoted##' }));
  });

  test('8: after a second one has joined: the first one’s status is its own again, and then upstream', () => {
    const of = upstream({ labels: state('W'), finalizers: finalizers('W') });
    putStatus(of, 'W', { ready: 7 });
    of.change(object => ({ ...object, metadata: { ...object.metadata, labels: state('W', 'E') } }));
    execute(of, planFor(of, 'E', taken(viewFor(of, 'E'), 'E'), ''));
    putStatus(of, 'E', { ready: 3 });
    expect(of.object.status).toEqual({ ready: 7 });
    of.change(({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, annotations: { ...metadata?.annotations, ...leaving('W') } },
    }));
    removed(of, 'W');
    expect(asSeen(of.object, 'W')).toEqual({ hidden: true });
    expect(of.object.status).toEqual({ ready: 3 });
    expect(viewFor(of, 'E').status).toEqual({ ready: 3 });
  });

  // W had reported as the only one, and E had a status from before: without its own value W's mark would show E's until W is gone.
  test('sees its own status until it is gone, when the field becomes the last one’s', () => {
    const of = upstream(
      {
        labels: state('W', 'E'),
        finalizers: finalizers('W', 'E'),
        annotations: { ...diff('W', { status: '##promoted##' }), ...diff('E', { status: { ready: 3 } }), ...leaving('W') },
      },
      { status: { ready: 4 } },
    );
    for (const crashAfter of [1, 1]) {
      expect(() => execute(of, planFor(of, 'W', letGo(viewFor(of, 'W')), ''), crashAfter)).toThrow('crashed');
      expect([viewFor(of, 'W').status, viewFor(of, 'E').status]).toEqual([{ ready: 4 }, { ready: 3 }]);
    }
    removed(of, 'W');
    expect(of.puts).toEqual(['main', 'status', 'main']);
    expect(viewFor(of, 'E').status).toEqual({ ready: 3 });
    expect(of.object.status).toEqual({ ready: 3 });
  });

  // An absent value was promoted as null, and the upstream status was gone.
  test('promotes nothing that the last one has not written', () => {
    const of = upstream(
      { labels: state('W', 'E'), finalizers: finalizers('W', 'E'), annotations: { ...diff('W', {}), ...leaving('E') } },
      { status: { ready: 7 } },
    );
    removed(of, 'E');
    expect(of.puts).toEqual(['main']);
    expect(of.object.status).toEqual({ ready: 7 });
    expect(of.object.metadata?.annotations).toMatchObject(diff('W', {}));
  });

  test.each<[string, KubeObject['metadata']]>([
    [
      'it does not hold the object',
      { labels: state('W', 'E'), finalizers: finalizers('E'), annotations: diff('W', { status: 1 }) },
    ],
    [
      'it is pending',
      {
        labels: { ...state('E'), 'state.workload.kcp.io/W': '' },
        finalizers: finalizers('W', 'E'),
        annotations: diff('W', { status: 1 }),
      },
    ],
    [
      'there are others',
      { labels: state('W', 'E', 'X'), finalizers: finalizers('W', 'E'), annotations: diff('W', { status: 1 }) },
    ],
    [
      'its view-diff is broken, which is no reason to stay',
      { labels: state('W', 'E'), finalizers: finalizers('W', 'E'), annotations: { 'diff.syncer.internal.kcp.io/W': '{' } },
    ],
  ])('promotes nothing of one that remains when %s', (_, metadata) => {
    const of = upstream({ ...metadata, annotations: { ...metadata?.annotations, ...leaving('E') } }, { status: { ready: 7 } });
    removed(of, 'E');
    expect(of.puts).toEqual(['main']);
    expect(of.object.status).toEqual({ ready: 7 });
    expect(asSeen(of.object, 'E')).toEqual({ hidden: true });
  });

  // Whoever may write the view could have taken the object off its target, and with a forged time past the soft finalizers.
  test.each<[string, Record<string, string>]>([
    ['that has not been requested', {}],
    ['that somebody holds back', { ...leaving('W'), 'finalizers.workload.kcp.io/W': 'backup' }],
  ])('is refused a removal %s', (_, annotations) => {
    const of = upstream({ labels: state('W'), finalizers: finalizers('W'), annotations });
    const view = viewFor(of, 'W');
    const forged = letGo({ ...view, metadata: { ...view.metadata, deletionTimestamp: SOON } });
    expect(refusalOf(planFor(of, 'W', forged, '')).code).toBe(403);
  });

  test.each<['' | 'status', boolean]>([
    ['status', true],
    ['', false],
  ])('cannot do so by a write to %j with a deletionTimestamp: %j', (subresource, isDeleted) => {
    const of = upstream({ labels: state('W'), finalizers: finalizers('W'), annotations: leaving('W') });
    const { deletionTimestamp: _, ...metadata } = letGo(viewFor(of, 'W')).metadata ?? {};
    const submitted = { metadata: { ...metadata, ...(isDeleted && { deletionTimestamp: SOON }) } };
    expect(refusalOf(planFor(of, 'W', submitted, subresource)).code).toBe(500);
  });
});
