import { describe, expect, test } from '@jest/globals';
import { parseExact } from '@kcp-vw/shared/kube/json-exact.ts';
import { diff, finalizers, putStatus, RULES, state, upstream } from './stored.fixture.ts';
import { letGo, planFor, refusalOf, viewFor, withStatus } from './upstream.fixture.ts';

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

  test.each([[['W']], [['W', 'E']]])('keeps the digits of numbers that a double does not hold, with the targets %j', keys => {
    const of = upstream({ labels: state(...keys), finalizers: finalizers(...keys) });
    const status = parseExact('{"n":9007199254740993}');
    expect(JSON.stringify(putStatus(of, 'W', status).status)).toBe('{"n":9007199254740993}');
    const written = of.puts.length;
    expect(JSON.stringify(putStatus(of, 'W', status).status)).toBe('{"n":9007199254740993}');
    expect(of.puts).toHaveLength(written);
    putStatus(of, 'W', parseExact('{"n":9007199254740994}'));
    expect(of.puts).toHaveLength(written + 1);
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
