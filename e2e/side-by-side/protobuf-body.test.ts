import { expect, test } from '@jest/globals';
import { readProtobufEnvelope, readProtobufObjectMeta } from '@kcp-vw/shared/kube/protobuf.ts';
import { entries, objectMeta, Protobuf } from './protobuf-body.ts';

test('a body is read as what it was written as, its placeholders filled', () => {
  const body = new Protobuf('v1', 'ConfigMap', [
    objectMeta('a-{copy}', 'default', { team: 'red' }),
    ...entries(2, { key: 'v'.repeat(300) }),
  ]);
  const envelope = readProtobufEnvelope(body.encode(text => text.replace('{copy}', 'b')));
  expect(envelope).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  expect(readProtobufObjectMeta(envelope.raw)).toMatchObject({ name: 'a-b', namespace: 'default', labels: { team: 'red' } });
});
