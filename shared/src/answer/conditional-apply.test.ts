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

test.each(['[]', 'a: [', '"text"'])('%s is refused', body => {
  expect(() => apply(body)).toThrow('the object provided is unrecognized (must be of type Thing)');
});
