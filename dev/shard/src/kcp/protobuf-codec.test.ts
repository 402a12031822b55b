import { describe, expect, test } from '@jest/globals';
import { decodeObject, encodeObject } from './protobuf-codec.ts';

const roundTrip = (object: Record<string, unknown>) => {
  const encoded = encodeObject(object);
  return encoded && decodeObject(encoded);
};

describe('an object of Kubernetes', () => {
  test.each<[string, Record<string, unknown>]>([
    [
      'with all kinds of metadata',
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'ä',
          namespace: 'default',
          generation: 300,
          creationTimestamp: '2026-01-02T03:04:05Z',
          labels: { a: 'b', c: '' },
          finalizers: ['x', 'y'],
          ownerReferences: [{ kind: 'A', name: 'a', uid: 'u', apiVersion: 'v1', controller: true }],
        },
        data: { key: 'value', empty: '' },
        binaryData: { blob: 'AAEC/w==' },
        immutable: true,
      },
    ],
    [
      'in a list',
      {
        apiVersion: 'v1',
        kind: 'NamespaceList',
        metadata: { resourceVersion: '7', remainingItemCount: 200 },
        items: [{ metadata: { name: 'a' }, status: { phase: 'Active' } }, { metadata: { name: 'b' } }],
      },
    ],
    [
      'that reviews access',
      {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          resourceAttributes: { verb: 'get', resource: 'pods' },
          user: 'ada',
          groups: ['a', 'b'],
          extra: { scopes: ['cluster:x', 'cluster:y'], none: [] },
        },
      },
    ],
    [
      'that tells what has happened',
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'e' },
        eventTime: '2026-01-02T03:04:05.060708Z',
        series: { count: 2, lastObservedTime: '2026-01-02T03:04:06.000000Z' },
        regarding: { kind: 'Pod', name: 'p' },
        note: 'text',
      },
    ],
    [
      'that leads',
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'l' },
        spec: { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-01-02T03:04:05.000001Z' },
      },
    ],
    [
      'that grants something',
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'r' },
        rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }],
      },
    ],
  ])('%s survives being encoded and decoded', (_, object) => {
    expect(roundTrip(object)).toEqual(object);
  });

  test('that a Go client wrote is understood', () => {
    // A ConfigMap `x` with `a: b`, as client-go sends it: empty fields included.
    const body = Buffer.from('6b3873000a0f0a02763112 09436f6e6669674d6170'.replaceAll(' ', ''), 'hex');
    const meta = Buffer.from('0a0178120022002a0032003800', 'hex');
    const message = Buffer.concat([Buffer.from([0x0a, meta.length]), meta, Buffer.from('12060a0161120162', 'hex')]);
    const whole = Buffer.concat([body, Buffer.from([0x12, message.length]), message, Buffer.from('1a002200', 'hex')]);
    expect(decodeObject(whole)).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: 'b' } });
  });

  test('that is broken is refused', () => {
    const encoded = encodeObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }) ?? Buffer.alloc(0);
    expect(() => decodeObject(encoded.subarray(0, encoded.length - 2))).toThrow('malformed');
    expect(() => decodeObject(Buffer.from('{}'))).toThrow('does not appear to be a protobuf message');
  });
});

describe('a custom resource', () => {
  test('has no such form', () => {
    expect(encodeObject({ apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'Workspace', metadata: {} })).toBeUndefined();
  });
});
