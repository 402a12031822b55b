import { describe, expect, test } from '@jest/globals';
import { parseExact } from '@kcp-vw/shared/kube/json-exact.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { asSeen, asShown } from './as-seen.ts';
import { frozen } from './upstream.fixture.ts';

const RULES = 'experimental.summarizing.workload.kcp.io';

const upstream = (annotations: Record<string, string>, rest: KubeObject = {}): KubeObject =>
  frozen({
    apiVersion: 'group/v1',
    kind: 'Thing',
    ...rest,
    metadata: {
      name: 'web',
      uid: 'u',
      resourceVersion: '7',
      generation: 3,
      labels: { 'state.workload.kcp.io/W': 'Sync', 'state.workload.kcp.io/E': 'Sync' },
      ...rest.metadata,
      annotations: { 'kcp.io/cluster': 'c1', ...annotations },
    },
  });

function seen(object: KubeObject, key = 'W'): KubeObject {
  const result = asSeen(object, key);
  if (!('seen' in result)) throw new Error(JSON.stringify(result));
  return result.seen;
}

const HELD = { metadata: { finalizers: ['other', 'workload.kcp.io/syncer-W', 'workload.kcp.io/syncer-E'] } };

describe('what a syncer sees of an object', () => {
  test('18: is its spec, then the values that it has written, and no view-diff', () => {
    const object = upstream(
      {
        'diff.syncer.internal.kcp.io/W': '{"status":{"ready":4}}',
        'diff.syncer.internal.kcp.io/E': '{"status":{"ready":3}}',
        'experimental.spec-diff.workload.kcp.io/W': '[{"op":"replace","path":"/replicas","value":4}]',
      },
      { ...HELD, spec: { replicas: 7, template: {} }, status: { ready: 7 } },
    );
    const { finalizers: _, ...metadata } = object.metadata ?? {};
    expect(seen(object)).toEqual({
      ...object,
      metadata: {
        ...metadata,
        annotations: {
          'kcp.io/cluster': 'c1',
          'experimental.spec-diff.workload.kcp.io/W': '[{"op":"replace","path":"/replicas","value":4}]',
        },
        finalizers: ['workload.kcp.io/syncer-W'],
      },
      spec: { replicas: 4, template: {} },
      status: { ready: 4 },
    });
  });

  test('19: has a deletionTimestamp when it is to leave the target', () => {
    const object = upstream({ 'deletion.internal.workload.kcp.io/W': '2023-05-01T12:00:00.5+02:00' });
    expect(seen(object).metadata).toMatchObject({
      deletionTimestamp: '2023-05-01T10:00:00Z',
      annotations: { 'deletion.internal.workload.kcp.io/W': '2023-05-01T12:00:00.5+02:00' },
    });
    expect(seen(object, 'E').metadata).not.toHaveProperty('deletionTimestamp');
  });

  test('has none as long as there are soft finalizers', () => {
    const annotations = { 'deletion.internal.workload.kcp.io/W': '2023-05-01T10:00:00Z', 'finalizers.workload.kcp.io/W': 'a' };
    expect(seen(upstream(annotations)).metadata).not.toHaveProperty('deletionTimestamp');
    expect(seen(upstream({ ...annotations, 'finalizers.workload.kcp.io/W': '' })).metadata).toHaveProperty('deletionTimestamp');
  });

  test('does not tell that the upstream object is going away', () => {
    const object = upstream({}, { metadata: { deletionTimestamp: '2023-05-01T10:00:00Z', deletionGracePeriodSeconds: 0 } });
    expect(seen(object).metadata).not.toHaveProperty('deletionTimestamp');
    expect(seen(object).metadata).not.toHaveProperty('deletionGracePeriodSeconds');
  });

  test('9: differs by its spec-diff in the spec only', () => {
    const plain = upstream({}, { ...HELD, spec: { replicas: 7, deep: { list: [1] } } });
    const diff = { 'experimental.spec-diff.workload.kcp.io/W': '[{"op":"add","path":"/replicas","value":4}]' };
    const transformed = seen(upstream(diff, { ...HELD, spec: { replicas: 7, deep: { list: [1] } } }));
    expect(transformed.spec).toEqual({ replicas: 4, deep: { list: [1] } });
    expect({ ...transformed, spec: plain.spec, metadata: { ...transformed.metadata, annotations: {} } }).toEqual({
      ...seen(plain),
      metadata: { ...seen(plain).metadata, annotations: {} },
    });
  });

  test('is without a spec-diff where there is no spec', () => {
    expect(seen(upstream({ 'experimental.spec-diff.workload.kcp.io/W': '[]' }))).not.toHaveProperty('spec');
  });

  test('has the upstream status where that is its own', () => {
    const mark = { 'diff.syncer.internal.kcp.io/W': '{"status":"##promoted##"}' };
    expect(seen(upstream(mark, { ...HELD, status: { ready: 7 } })).status).toEqual({ ready: 7 });
    expect(seen(upstream(mark, HELD))).not.toHaveProperty('status');
  });

  test('has no status that it has not written', () => {
    expect(seen(upstream({}, { ...HELD, status: { ready: 7 } }))).not.toHaveProperty('status');
  });

  // It is of a former assignment, which the scheduler has ended without the syncer; the field is somebody else's by now.
  test('has no status by the mark of a syncer that does not hold the object', () => {
    const mark = { 'diff.syncer.internal.kcp.io/W': '{"status":"##promoted##"}' };
    expect(seen(upstream(mark, { status: { ready: 7 } }))).not.toHaveProperty('status');
  });

  test('10: by rules that do not promote is what it has written, otherwise what is upstream', () => {
    const rules = { [RULES]: '[{"fieldPath":"status"},{"fieldPath":"spec.host"}]' };
    const rest = { ...HELD, spec: { host: 'kcp' }, status: { ready: 7 } };
    expect(seen(upstream(rules, rest))).toMatchObject({ spec: { host: 'kcp' }, status: { ready: 7 } });
    const written = upstream({ ...rules, 'diff.syncer.internal.kcp.io/W': '{"spec.host":"w","status":{"ready":4}}' }, rest);
    expect(seen(written)).toMatchObject({ spec: { host: 'w' }, status: { ready: 4 } });
    const marked = upstream({ ...rules, 'diff.syncer.internal.kcp.io/W': '{"spec.host":"##promoted##"}' }, rest);
    expect(seen(marked).spec).toEqual({ host: 'kcp' });
  });

  test('keeps the digits of numbers that a double does not hold', () => {
    const object = parseExact(
      `{"metadata":{"labels":{"state.workload.kcp.io/W":"Sync"},"annotations":{
        "diff.syncer.internal.kcp.io/W":"{\\"status\\":{\\"n\\":9007199254740993}}",
        "experimental.spec-diff.workload.kcp.io/W":"[{\\"op\\":\\"copy\\",\\"from\\":\\"/a\\",\\"path\\":\\"/b\\"}]"}},
        "spec":{"a":9007199254740995}}`,
    ) as KubeObject;
    const text = JSON.stringify(seen(object));
    expect(text).toContain('"spec":{"a":9007199254740995,"b":9007199254740995}');
    expect(text).toContain('"status":{"n":9007199254740993}');
  });

  test('shares with the object what is the same', () => {
    const object = upstream({}, { ...HELD, spec: { deep: {} } });
    expect(seen(object).spec).toBe(object.spec);
    expect(seen(object).metadata?.labels).toBe(object.metadata?.labels);
  });
});

describe('an object', () => {
  test.each([
    {},
    { 'state.workload.kcp.io/W': '' },
    { 'state.workload.kcp.io/W': 'Upsync' },
    { 'state.workload.kcp.io/E': 'Sync' },
  ])('is hidden with the labels %j', labels => {
    expect(asSeen({ metadata: { labels } }, 'W')).toEqual({ hidden: true });
  });

  test('can be shown to a syncer that has just let go of it', () => {
    expect(asShown({ metadata: { labels: {} }, status: {}, spec: { a: 1 } }, 'W')).toEqual({
      seen: { metadata: { labels: {} }, spec: { a: 1 } },
    });
  });

  const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

  test.each([
    ['a deletion annotation that is no time', { 'deletion.internal.workload.kcp.io/W': 'soon' }],
    ['a view-diff that is no JSON', { 'diff.syncer.internal.kcp.io/W': '{' }],
    ['a view-diff that is no map', { 'diff.syncer.internal.kcp.io/W': '[]' }],
    ['a view-diff too deep to be printed', { 'diff.syncer.internal.kcp.io/W': `{"status":${deep(5000)}}` }],
    [
      'one too deep to be read with exact numbers',
      { 'diff.syncer.internal.kcp.io/W': `{"n":9007199254740993,"status":${deep(9000)}}` },
    ],
    ['a spec-diff that is no JSON', { 'experimental.spec-diff.workload.kcp.io/W': 'replicas: 4' }],
    ['a spec-diff that is no list', { 'experimental.spec-diff.workload.kcp.io/W': '{"op":"remove","path":"/replicas"}' }],
    ['a spec-diff that does not fit', { 'experimental.spec-diff.workload.kcp.io/W': '[{"op":"remove","path":"/x"}]' }],
    ['a spec-diff that makes no map', { 'experimental.spec-diff.workload.kcp.io/W': '[{"op":"replace","path":"","value":[]}]' }],
    [
      'a spec-diff that makes it too deep',
      {
        'experimental.spec-diff.workload.kcp.io/W': JSON.stringify(
          [...Array(600).keys()].map(i => ({ op: 'add', path: '/a'.repeat(i + 1), value: {} })),
        ),
      },
    ],
    ['rules that are no JSON', { [RULES]: '[' }],
    [
      'a value where there is no map',
      { [RULES]: '[{"fieldPath":"spec.replicas.x"}]', 'diff.syncer.internal.kcp.io/W': '{"spec.replicas.x":1}' },
    ],
  ])('is broken, not an error, with %s', (_, annotations) => {
    expect(asSeen(upstream(annotations, { spec: { replicas: 7 } }), 'W')).toEqual({ broken: expect.any(String) });
  });

  // The original parsed the deletion annotations of all targets: a bad one for any of them broke the lists of every other.
  test.each([
    { 'deletion.internal.workload.kcp.io/E': 'soon' },
    { 'diff.syncer.internal.kcp.io/E': '{' },
    { 'experimental.spec-diff.workload.kcp.io/E': '{' },
  ])('is not broken for one target by what is written for another: %j', annotations => {
    expect(asSeen(upstream(annotations), 'W')).toHaveProperty('seen');
  });
});
