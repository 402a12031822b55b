import { expect, test } from '@jest/globals';
import { conditionalApply } from './conditional-apply.ts';

const changes = { uid: 'u1', resourceVersion: '5', labels: { team: 'a' } };
const apply = (body: string) => JSON.parse(conditionalApply(Buffer.from(body), 'Thing', changes).toString());

test.each([
  ['JSON', '{"kind":"Thing","metadata":{"name":"a","labels":{"x":"z"}},"spec":{"size":1}}'],
  ['YAML', 'kind: Thing\nmetadata:\n  name: a\n  labels: {x: z}\nspec:\n  size: 1\n'],
])('an apply in %s gets the conditions and labels beside its own', (_, body) => {
  expect(apply(body)).toEqual({
    kind: 'Thing',
    metadata: { name: 'a', uid: 'u1', resourceVersion: '5', labels: { x: 'z', team: 'a' } },
    spec: { size: 1 },
  });
});

test('an apply without metadata gets some', () => {
  expect(apply('kind: Thing')).toEqual({ kind: 'Thing', metadata: changes });
});

// A merge of a replica count must not change an int64 elsewhere.
test('numbers keep their digits', () => {
  expect(conditionalApply(Buffer.from('{"spec":9007199254740993}'), 'Thing', {}).toString()).toContain('9007199254740993');
});

// The JSON is read as YAML, where some of these end a line, and become a space, and others may not be.
test('characters that mean something in YAML only are escaped', () => {
  const special = '\u007f\u0085\u009f\u2028\u2029\ufeff\ufffe\uffff';
  const body = conditionalApply(
    Buffer.from(JSON.stringify({ kind: 'Thing', [special]: `${special}é😀` })),
    'Thing',
    {},
  ).toString();
  expect(body).toContain(String.raw`\u007f\u0085\u009f\u2028\u2029\ufeff\ufffe\uffff`);
  expect(body).not.toMatch(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/);
  expect(JSON.parse(body)[special]).toBe(`${special}é😀`);
});

test.each(['[]', 'a: [', '"text"'])('%s is refused', body => {
  expect(() => apply(body)).toThrow('the object provided is unrecognized (must be of type Thing)');
});
