import { expect, test } from '@jest/globals';
import { discoveryProtobuf } from './discovery-protobuf.ts';
import { readProtobufEnvelope } from './protobuf.ts';
import { fieldsOf } from './protobuf-wire.ts';

// As kcp v0.32.3 answered for the logical clusters of a lifecycle view: 113 bytes.
test('a group list is that of kcp', () => {
  const groupVersion = { groupVersion: 'core.kcp.io/v1alpha1', version: 'v1alpha1' };
  const groups = [{ name: 'core.kcp.io', versions: [groupVersion], preferredVersion: groupVersion }];
  const body = discoveryProtobuf({ kind: 'APIGroupList', apiVersion: 'v1', groups });
  const inner = '\n\x14core.kcp.io/v1alpha1\x12\x08v1alpha1';
  const group = `\n\x0bcore.kcp.io\x12 ${inner}\x1a ${inner}`;
  expect(body.toString('latin1')).toBe(`k8s\0\n\x12\n\x02v1\x12\x0cAPIGroupList\x12S\nQ${group}\x1a\x00"\x00`);
  expect(body).toHaveLength(113);
});

test('a resource list tells verbs that are missing from verbs that are none', () => {
  const resource = { name: 'a', singularName: 'b', namespaced: true, kind: 'A' };
  const resources = [
    { ...resource, verbs: ['get', 'list'], shortNames: ['x', 'y'] },
    { ...resource, verbs: null },
    { ...resource, verbs: [] },
  ];
  const { raw, kind } = readProtobufEnvelope(discoveryProtobuf({ kind: 'APIResourceList', groupVersion: 'g/v1', resources }));
  expect(kind).toBe('APIResourceList');
  const written = [...fieldsOf(raw)].filter(({ number }) => number === 2).map(field => [...fieldsOf(field.bytes())]);
  expect(written.map(fields => fields.map(({ number }) => number))).toEqual([
    [1, 2, 3, 4, 5, 5, 6],
    [1, 2, 3, 6],
    [1, 2, 3, 4, 6],
  ]);
  const verbs = written[0]?.find(({ number }) => number === 4)?.bytes() ?? new Uint8Array();
  expect([...fieldsOf(verbs)].map(field => field.text())).toEqual(['get', 'list']);
});

test('a resource list has a version where its JSON has one', () => {
  const version = (json: object) => readProtobufEnvelope(discoveryProtobuf({ kind: 'APIResourceList', ...json })).apiVersion;
  expect([version({}), version({ apiVersion: 'v1' })]).toEqual(['', 'v1']);
});

test('what is no discovery document is a programming error', () => {
  expect(() => discoveryProtobuf({ kind: 'ConfigMap' })).toThrow('ConfigMap is no document of legacy discovery');
});
