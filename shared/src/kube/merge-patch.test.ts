import { expect, test } from '@jest/globals';
import { parseExact } from './json-exact.ts';
import { mergePatch } from './merge-patch.ts';

// RFC 7396, appendix A.
test.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [['a'], ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('merging into %j the patch %j makes %j', (target, patch, expected) => {
  expect(mergePatch(target, patch)).toEqual(expected);
});

test('a number that no double holds replaces, and is replaced, as a number', () => {
  const [before, after] = ['{"a":1234567890123456789}', '{"a":9876543210987654321}'];
  expect(JSON.stringify(mergePatch(parseExact(before), parseExact(after)))).toBe(after);
  expect(JSON.stringify(mergePatch({ a: { b: 1 } }, parseExact(after)))).toBe(after);
  expect(mergePatch(parseExact(before), { a: { b: 1 } })).toEqual({ a: { b: 1 } });
});

test('a key that JavaScript has a meaning for is a key', () => {
  const merged = mergePatch({ a: 1 }, JSON.parse('{"__proto__":{"b":2},"constructor":{"c":null}}'));
  expect(JSON.stringify(merged)).toBe('{"a":1,"__proto__":{"b":2},"constructor":{}}');
});
