import { describe, expect, test } from '@jest/globals';
import { strategicMergePatch } from './merge.ts';

describe('a strategic merge', () => {
  test('merges named items by their name, and removes those that say so', () => {
    const target = { secrets: [{ name: 'a', x: 1 }, { name: 'b' }] };
    const patch = { secrets: [{ name: 'a', y: 2 }, { name: 'c' }, { name: 'b', $patch: 'delete' }] };
    expect(strategicMergePatch(target, patch)).toEqual({ secrets: [{ name: 'a', x: 1, y: 2 }, { name: 'c' }] });
  });

  test('replaces lists without names, and the subjects of a binding', () => {
    expect(strategicMergePatch({ x: [1], subjects: [{ name: 'a' }] }, { x: [2], subjects: [{ name: 'b' }] })).toEqual({
      x: [2],
      subjects: [{ name: 'b' }],
    });
  });

  test('replaces a map that says so', () => {
    expect(strategicMergePatch({ data: { a: 1 } }, { data: { $patch: 'replace', b: 2 } })).toEqual({ data: { b: 2 } });
  });

  test('takes finalizers for a set', () => {
    expect(strategicMergePatch({ finalizers: ['a', 'b'] }, { finalizers: ['c', 'a'] })).toEqual({ finalizers: ['a', 'b', 'c'] });
    expect(strategicMergePatch({ finalizers: ['a', 'b'] }, { '$deleteFromPrimitiveList/finalizers': ['a'] })).toEqual({
      finalizers: ['b'],
    });
  });
});
