import { expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { BrokenObject } from './broken-object.ts';
import { withSpecDiff } from './spec-diff.ts';
import { frozen } from './upstream.fixture.ts';

const withText = (text: string, spec?: object): KubeObject =>
  frozen({ metadata: { annotations: { 'experimental.spec-diff.workload.kcp.io/k': text } }, ...(spec && { spec }) });
const specOf = (object: KubeObject): unknown => withSpecDiff(object, 'k').spec;

test('a text that many objects have is applied to each of them by itself', () => {
  const text = '[{"op":"add","path":"/a","value":{"list":[]}},{"op":"add","path":"/a/list/-","value":1}]';
  const first = specOf(withText(text, { first: true }));
  expect(first).toEqual({ first: true, a: { list: [1] } });
  expect(specOf(withText(text, { second: true }))).toEqual({ second: true, a: { list: [1] } });
  expect(first).toEqual({ first: true, a: { list: [1] } });
});

test('more texts than are remembered are all applied, and again', () => {
  const values = Array.from({ length: 600 }, (_, index) => index);
  for (const value of [...values, ...values]) {
    const text = JSON.stringify([{ op: 'replace', path: '/replicas', value }]);
    expect(specOf(withText(text, { replicas: -1 }))).toEqual({ replicas: value });
  }
});

test.each(['{', '{}', '[1]', 'null'])('%s is refused each time, of an object without a spec, too', text => {
  for (const object of [withText(text, {}), withText(text, {}), withText(text)])
    expect(() => withSpecDiff(object, 'k')).toThrow(BrokenObject);
});

test('an empty text leaves the object as it is', () => {
  const object = withText('', { replicas: 1 });
  expect(withSpecDiff(object, 'k')).toBe(object);
});
