import { describe, expect, test } from '@jest/globals';
import { diff, finalizers, putStatus, RULES, state, upstream } from './stored.fixture.ts';
import { execute, planFor, taken, viewFor } from './upstream.fixture.ts';

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

  test('lets the first one keep its status by value, also when that one writes something else', () => {
    const rules = {
      [RULES]: '[{"fieldPath":"status","promoteToUpstream":true},{"fieldPath":"spec.ip","promoteToUpstream":true}]',
    };
    const of = upstream(
      {
        labels: state('W', 'E'),
        finalizers: finalizers('W'),
        annotations: { ...rules, ...diff('W', { status: '##promoted##' }) },
      },
      { status: { ready: 7 } },
    );
    execute(of, planFor(of, 'W', { ...viewFor(of, 'W'), spec: { ip: 'x' } }, ''));
    expect(of.object.metadata?.annotations).toMatchObject(diff('W', { 'spec.ip': 'x', status: { ready: 7 } }));
    expect(of.object).not.toHaveProperty('spec');
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
