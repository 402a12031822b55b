import { describe, expect, test } from '@jest/globals';
import { diff, finalizers, putStatus, RULES, state, upstream } from './stored.fixture.ts';
import { execute, frozen, planFor, refusalOf, taken, viewFor } from './upstream.fixture.ts';
import { writePlan } from './write-plan.ts';

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
