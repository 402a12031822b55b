import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { asSeen } from './as-seen.ts';
import {
  execute,
  frozen,
  letGo,
  planFor,
  refusalOf,
  type SimulatedUpstream,
  simulatedUpstream,
  taken,
  viewFor,
  withStatus,
} from './upstream.fixture.ts';
import { writePlan } from './write-plan.ts';

const SOON = '2023-05-01T10:00:00Z';
const RULES = 'experimental.summarizing.workload.kcp.io';
const state = (...keys: string[]) => Object.fromEntries(keys.map(key => [`state.workload.kcp.io/${key}`, 'Sync']));
const finalizers = (...keys: string[]) => keys.map(key => `workload.kcp.io/syncer-${key}`);
const diff = (key: string, value: unknown) => ({ [`diff.syncer.internal.kcp.io/${key}`]: JSON.stringify(value) });
const leaving = (key: string) => ({ [`deletion.internal.workload.kcp.io/${key}`]: SOON });

const upstream = (metadata: KubeObject['metadata'], rest: KubeObject = {}): SimulatedUpstream =>
  simulatedUpstream({
    ...rest,
    metadata: { name: 'web', ...metadata, annotations: { 'kcp.io/cluster': 'c1', ...metadata?.annotations } },
  });

const putStatus = (of: SimulatedUpstream, key: string, status: unknown): KubeObject =>
  execute(of, planFor(of, key, taken(withStatus(viewFor(of, key), status), key), 'status'));

describe('a status that a syncer reports', () => {
  test('20: is stored in its view-diff by rules that do not promote; the other stored values stay', () => {
    const of = upstream({
      labels: state('W'),
      finalizers: finalizers('W'),
      annotations: { [RULES]: '[{"fieldPath":"status"},{"fieldPath":"spec.field"}]', ...diff('W', { 'spec.field': 'already' }) },
    });
    expect(putStatus(of, 'W', { ready: 4 })).toMatchObject({ status: { ready: 4 }, spec: { field: 'already' } });
    expect(of.puts).toEqual(['main']);
    expect(of.object.metadata?.annotations).toMatchObject(diff('W', { 'spec.field': 'already', status: { ready: 4 } }));
    expect(of.object).not.toHaveProperty('status');
  });

  test('21: is refused with 500 when the view does not carry the finalizer', () => {
    const of = upstream({ labels: state('W'), finalizers: finalizers('W'), annotations: diff('W', {}) });
    const refusal = refusalOf(planFor(of, 'W', letGo(withStatus(viewFor(of, 'W'), { ready: 4 })), 'status'));
    expect(refusal.status).toMatchObject({
      code: 500,
      message:
        "Internal error occurred: tried to write resource things/status(/web) though it is not owning it (syncer finalizer doesn't exist)",
    });
  });

  test('22: is promoted when the target is the only one: the value goes upstream, and then the mark', () => {
    const of = upstream({ labels: state('W'), finalizers: finalizers('W') }, { status: { ready: 7 } });
    expect(putStatus(of, 'W', { ready: 4 }).status).toEqual({ ready: 4 });
    expect(of.puts).toEqual(['status', 'main']);
    expect(of.object.status).toEqual({ ready: 4 });
    expect(of.object.metadata?.annotations).toMatchObject(diff('W', { status: '##promoted##' }));
  });

  test('is one PUT of the status from then on, and none when it is the same', () => {
    const of = upstream({ labels: state('W'), finalizers: finalizers('W') });
    putStatus(of, 'W', { ready: 1 });
    of.puts.length = 0;
    putStatus(of, 'W', { ready: 2 });
    expect(of.puts).toEqual(['status']);
    expect(putStatus(of, 'W', { ready: 2 }).status).toEqual({ ready: 2 });
    expect(of.puts).toEqual(['status']);
  });

  test('is one PUT of the object where there are several targets, and none when it is the same', () => {
    const of = upstream({ labels: state('W', 'E'), finalizers: finalizers('W', 'E') }, { status: { ready: 7 } });
    putStatus(of, 'W', { ready: 4, list: [{ b: 1, a: 2 }] });
    expect(of.puts).toEqual(['main']);
    putStatus(of, 'W', { list: [{ a: 2, b: 1 }], ready: 4 });
    expect(of.puts).toEqual(['main']);
    expect(of.object.status).toEqual({ ready: 7 });
  });

  test('is not written again because Go has written it in other words', () => {
    const text = '{"status":{"message":"\\u003cnone\\u003e"}}';
    const annotations = { 'diff.syncer.internal.kcp.io/W': text };
    const of = upstream({ labels: state('W', 'E'), finalizers: finalizers('W', 'E'), annotations });
    putStatus(of, 'W', { message: '<none>' });
    expect(of.puts).toEqual([]);
  });

  test('adds the finalizer, sorted, when only the submitted object has it', () => {
    const of = upstream({ labels: state('W', 'E'), finalizers: ['z', 'a'] });
    putStatus(of, 'W', { ready: 4 });
    expect(of.object.metadata?.finalizers).toEqual(['a', 'workload.kcp.io/syncer-W', 'z']);
  });

  test('that is gone leaves the upstream field as it is', () => {
    const of = upstream(
      { labels: state('W'), finalizers: finalizers('W'), annotations: diff('W', { status: '##promoted##' }) },
      { status: { ready: 7 } },
    );
    expect(putStatus(of, 'W', undefined)).not.toHaveProperty('status');
    expect(of.object.status).toEqual({ ready: 7 });
    expect(of.object.metadata?.annotations).toMatchObject(diff('W', {}));
  });

  test('7: is in the view of its own target only', () => {
    const of = upstream({ labels: state('W', 'E'), finalizers: finalizers('W', 'E') }, { status: { ready: 7 } });
    putStatus(of, 'W', { ready: 4 });
    putStatus(of, 'E', { ready: 3 });
    expect([viewFor(of, 'W').status, viewFor(of, 'E').status, of.object.status]).toEqual([
      { ready: 4 },
      { ready: 3 },
      { ready: 7 },
    ]);
  });

  test('10: is not upstream by rules that do not promote', () => {
    const annotations = { [RULES]: '[{"fieldPath":"status","promoteToUpstream":false}]' };
    const of = upstream({ labels: state('W'), finalizers: finalizers('W'), annotations });
    expect(putStatus(of, 'W', { ready: 4 }).status).toEqual({ ready: 4 });
    expect(of.object).not.toHaveProperty('status');
  });

  test.each([
    ['the mark of a promoted value', '##promoted##'],
    ['a value too deep to be shown again', JSON.parse(`${'['.repeat(600)}${']'.repeat(600)}`)],
  ])('is refused when it is %s', (_, status) => {
    const of = upstream({ labels: state('W', 'E'), finalizers: finalizers('W', 'E') });
    expect(refusalOf(planFor(of, 'W', withStatus(viewFor(of, 'W'), status), 'status')).code).toBe(400);
  });
});

describe('a second target', () => {
  test('23: even a pending one, turns the promoted status into the value of its syncer; upstream it stays', () => {
    const of = upstream(
      {
        labels: { ...state('W'), 'state.workload.kcp.io/E': '' },
        finalizers: finalizers('W'),
        annotations: diff('W', { status: '##promoted##' }),
      },
      { status: { ready: 7 } },
    );
    putStatus(of, 'W', { ready: 7 });
    expect(of.puts).toEqual(['main']);
    expect(of.object.metadata?.annotations).toMatchObject(diff('W', { status: { ready: 7 } }));
    expect(of.object.status).toEqual({ ready: 7 });
  });

  test('that takes the object does so for the first one', () => {
    const of = upstream(
      { labels: state('W', 'E'), finalizers: finalizers('W'), annotations: diff('W', { status: '##promoted##' }) },
      { status: { ready: 7 } },
    );
    execute(of, planFor(of, 'E', taken(viewFor(of, 'E'), 'E'), ''));
    expect(of.object.metadata?.annotations).toMatchObject({ ...diff('W', { status: { ready: 7 } }), ...diff('E', {}) });
    expect(viewFor(of, 'W').status).toEqual({ ready: 7 });
    expect(viewFor(of, 'E')).not.toHaveProperty('status');
  });

  test('takes from the first one a mark without a value, which would show the next value of anybody', () => {
    const annotations = diff('W', { status: '##promoted##' });
    const of = upstream({ labels: state('W', 'E'), finalizers: finalizers('W'), annotations });
    execute(of, planFor(of, 'E', taken(viewFor(of, 'E'), 'E'), ''));
    expect(of.object.metadata?.annotations).toMatchObject(diff('W', {}));
  });

  // The scheduler took W's label without its syncer; its mark would come to life again with the next label.
  test('that is no longer one loses its mark before the value is somebody else’s', () => {
    const of = upstream(
      { labels: state('E'), finalizers: finalizers('E', 'W'), annotations: diff('W', { status: '##promoted##' }) },
      { status: { ready: 7 } },
    );
    putStatus(of, 'E', { ready: 3 });
    expect(of.puts).toEqual(['main', 'status', 'main']);
    of.change(object => ({ ...object, metadata: { ...object.metadata, labels: state('E', 'W') } }));
    expect(viewFor(of, 'W')).not.toHaveProperty('status');
  });
});

describe('a write', () => {
  const of = upstream({ labels: state('W'), finalizers: finalizers('W') }, { spec: { replicas: 7 } });
  const write = { of: { group: 'group', resource: 'things' }, name: 'web', key: 'W', subresource: '' } as const;

  test.each([
    ['24: to an object that is not there', undefined],
    ['to one that is pending', frozen({ metadata: { resourceVersion: '1', labels: { 'state.workload.kcp.io/W': '' } } })],
    ['to one of another target', frozen({ metadata: { resourceVersion: '1', labels: state('E') } })],
  ])('%s is a 404', (_, stored) => {
    const { status } = refusalOf(writePlan({ ...write, stored, submitted: { metadata: { resourceVersion: '1' } } }));
    expect(status).toMatchObject({ code: 404, reason: 'NotFound', message: 'things.group "web" not found' });
  });

  test.each([
    ['another', '9'],
    ['no', undefined],
    ['an empty', ''],
  ])('25: with %s resourceVersion is a 409', (_, resourceVersion) => {
    const view = viewFor(of, 'W');
    const submitted = { ...view, metadata: { ...view.metadata, ...(resourceVersion !== undefined && { resourceVersion }) } };
    if (resourceVersion === undefined) delete submitted.metadata.resourceVersion;
    const { status } = refusalOf(planFor(of, 'W', submitted, ''));
    expect(status).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Operation cannot be fulfilled on things.group "web": the resource has been modified in the meantime',
    });
  });

  test('to an object without any resourceVersion is a 409', () => {
    const stored = frozen({ metadata: { labels: state('W') } });
    expect(refusalOf(writePlan({ ...write, stored, submitted: stored })).code).toBe(409);
  });

  test('is a 500 that says why where the object is broken', () => {
    const broken = upstream({ labels: state('W'), finalizers: finalizers('W'), annotations: { [RULES]: '[' } });
    const { status } = refusalOf(planFor(broken, 'W', taken(broken.object, 'W'), ''));
    expect(status).toMatchObject({ code: 500, message: expect.stringContaining(RULES) });
  });

  test('6: changes nothing that is not the syncer’s, and succeeds', () => {
    const started = upstream(
      { labels: state('W'), finalizers: finalizers('W'), annotations: diff('W', {}) },
      { spec: { replicas: 7 }, other: 1 },
    );
    const before = started.object;
    const view = viewFor(started, 'W');
    const submitted = taken(
      {
        ...view,
        spec: { replicas: 1 },
        status: { ready: 1 },
        other: 2,
        metadata: { ...view.metadata, labels: {}, annotations: { a: 'b' }, ownerReferences: [{}], generation: 9 },
      },
      'W',
    );
    expect(execute(started, planFor(started, 'W', submitted, ''))).toEqual(view);
    expect(started.puts).toEqual([]);
    putStatus(started, 'W', { ready: 1 });
    expect(viewFor(started, 'W').metadata?.resourceVersion).toBe(started.object.metadata?.resourceVersion);
    expect({ ...started.object, status: undefined, metadata: undefined }).toEqual({ ...before, metadata: undefined });
  });

  test('stores a field of the spec that the rules name: upstream with its mark, in one PUT', () => {
    const started = upstream(
      {
        labels: state('W'),
        finalizers: finalizers('W'),
        annotations: { [RULES]: '[{"fieldPath":"spec.ip","promoteToUpstream":true}]' },
      },
      { spec: { replicas: 7 } },
    );
    const view = viewFor(started, 'W');
    const answer = execute(started, planFor(started, 'W', { ...view, spec: { replicas: 1, ip: '10.0.0.1' } }, ''));
    expect(started.puts).toEqual(['main']);
    expect(answer.spec).toEqual({ replicas: 7, ip: '10.0.0.1' });
    expect(started.object.spec).toEqual({ replicas: 7, ip: '10.0.0.1' });
    expect(started.object.metadata?.annotations).toMatchObject(diff('W', { 'spec.ip': '##promoted##' }));
  });

  // A PUT of the object does not store what is below `status`: its mark alone would have lost it.
  test('stores a promoted field below the status through the status', () => {
    const started = upstream({
      labels: state('W'),
      finalizers: finalizers('W'),
      annotations: { [RULES]: '[{"fieldPath":"status.ip","promoteToUpstream":true}]' },
    });
    const view = viewFor(started, 'W');
    expect(execute(started, planFor(started, 'W', { ...view, status: { ip: 'x', y: 1 } }, '')).status).toEqual({ ip: 'x' });
    expect(started.puts).toEqual(['status', 'main']);
    expect(started.object.status).toEqual({ ip: 'x' });
  });

  test('drops stored values that the rules no longer name', () => {
    const annotations = diff('W', { 'spec.ip': 'x', status: { ready: 1 } });
    const started = upstream({ labels: state('W', 'E'), finalizers: finalizers('W', 'E'), annotations });
    putStatus(started, 'W', { ready: 2 });
    expect(started.object.metadata?.annotations).toMatchObject(diff('W', { status: { ready: 2 } }));
  });
});

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
