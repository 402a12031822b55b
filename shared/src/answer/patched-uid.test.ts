import { expect, test } from '@jest/globals';
import { patchedUid } from './patched-uid.ts';

const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const APPLY = 'application/apply-patch+yaml';

test.each([
  [MERGE, '{"metadata":{"uid":"a","resourceVersion":"1"},"status":{}}', 'a'],
  [MERGE, '{"metadata":{"uid":null}}', undefined],
  [MERGE, '{"metadata":{}}', undefined],
  [MERGE, '{"status":{"uid":"a"}}', undefined],
  [MERGE, 'null', undefined],
  [MERGE, '{', undefined],
  [JSON_PATCH, '[{"op":"replace","path":"/metadata/uid","value":"a"},{"op":"remove","path":"/status/x"}]', 'a'],
  [JSON_PATCH, '[{"op":"add","path":"/metadata/uid","value":"a"},{"op":"add","path":"/metadata/uid","value":"b"}]', 'b'],
  [JSON_PATCH, '[{"op":"test","path":"/metadata/uid","value":"a"}]', undefined],
  [JSON_PATCH, '[1, null]', undefined],
  [APPLY, 'metadata:\n  uid: a\n', 'a'],
  [`${APPLY}; charset=utf-8`, '{"metadata":{"uid":"a"}}', 'a'],
  [APPLY, ': :', undefined],
])('a %s of %s is meant for the object %s', (type, body, uid) => {
  expect(patchedUid(type, Buffer.from(body))).toBe(uid);
});
