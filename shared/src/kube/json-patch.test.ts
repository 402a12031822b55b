import { describe, expect, test } from '@jest/globals';
import { parseExact } from './json-exact.ts';
import { applyJsonPatch, isJsonPatch, PatchFailure } from './json-patch.ts';

// The cases of RFC 6902, appendix A, by their numbers there.
describe('a JSON Patch', () => {
  test.each([
    ['A.1 adds a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
    [
      'A.2 adds an element',
      { foo: ['bar', 'baz'] },
      [{ op: 'add', path: '/foo/1', value: 'qux' }],
      { foo: ['bar', 'qux', 'baz'] },
    ],
    ['A.3 removes a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    ['A.4 removes an element', { foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
    ['A.5 replaces a value', { baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
    [
      'A.6 moves a value',
      { foo: { a: 1 }, qux: {} },
      [{ op: 'move', from: '/foo/a', path: '/qux/b' }],
      { foo: {}, qux: { b: 1 } },
    ],
    ['A.7 moves an element', { foo: [1, 2, 3, 4] }, [{ op: 'move', from: '/foo/1', path: '/foo/3' }], { foo: [1, 3, 4, 2] }],
    ['A.8 tests values', { baz: { a: [1] } }, [{ op: 'test', path: '/baz', value: { a: [1] } }], { baz: { a: [1] } }],
    [
      'A.10 adds a nested object',
      { foo: 'bar' },
      [{ op: 'add', path: '/child', value: { x: {} } }],
      { foo: 'bar', child: { x: {} } },
    ],
    [
      'A.14 reads ~ and /',
      { '~1': 10, '/': 9 },
      [
        { op: 'replace', path: '/~01', value: 1 },
        { op: 'remove', path: '/~1' },
      ],
      { '~1': 1 },
    ],
    ['A.16 adds to the end', { foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc'] }], { foo: ['bar', ['abc']] }],
    [
      'copies',
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'add', path: '/c/b', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 2 } },
    ],
    ['replaces an element', { a: [1, 2] }, [{ op: 'replace', path: '/a/0', value: 9 }], { a: [9, 2] }],
    ['replaces everything', { a: 1 }, [{ op: 'replace', path: '', value: [] }], []],
    ['keeps __proto__ a key', {}, [{ op: 'add', path: '/__proto__', value: 1 }], JSON.parse('{"__proto__":1}')],
  ])('%s', (_, document, operations, expected) => {
    expect(applyJsonPatch(document, operations)).toEqual(expected);
  });

  test.each([
    ['A.9 a test that fails', { op: 'test', path: '/baz', value: 'bar' }],
    ['A.12 a parent that is not there', { op: 'add', path: '/x/bat', value: 1 }],
    ['A.15 a comparison of text and number', { op: 'test', path: '/n', value: '1' }],
    ['an element beyond the end', { op: 'add', path: '/list/5', value: 1 }],
    ['an index with a leading zero', { op: 'remove', path: '/list/00' }],
    ['a member that is not there', { op: 'remove', path: '/x' }],
    ['a move into itself', { op: 'move', from: '/child', path: '/child/inside' }],
    ['a path that is none', { op: 'remove', path: 'x' }],
    ['an operation that is none', { op: 'x', path: '/baz' }],
    ['an inherited member', { op: 'remove', path: '/constructor' }],
  ])('fails for %s and changes nothing', (_, operation) => {
    const document = { baz: 'qux', n: 1, list: [1, 2], child: {} };
    const before = JSON.stringify(document);
    expect(() => applyJsonPatch(document, [{ op: 'add', path: '/first', value: 1 }, operation])).toThrow(PatchFailure);
    expect(JSON.stringify(document)).toBe(before);
  });

  test('leaves the document as it is, and shares what it does not touch', () => {
    const document = { a: { list: [{ x: 1 }] }, untouched: { deep: {} } };
    const before = JSON.stringify(document);
    const patched = applyJsonPatch(document, [
      { op: 'add', path: '/a/list/0/x', value: 2 },
      { op: 'add', path: '/a/list/-', value: { y: 1 } },
      { op: 'copy', from: '/a/list/0', path: '/a/list/0/inside' },
      { op: 'replace', path: '/a/list/0/inside/x', value: 3 },
    ]) as typeof document;
    expect(patched.a).toEqual({ list: [{ x: 2, inside: { x: 3 } }, { y: 1 }] });
    expect(patched.untouched).toBe(document.untouched);
    expect(JSON.stringify(document)).toBe(before);
  });

  test('does not change the values that it brings, which it may bring again', () => {
    const operations = [
      { op: 'add', path: '/a', value: { list: [] } },
      { op: 'add', path: '/a/list/-', value: 1 },
    ];
    expect(applyJsonPatch({}, operations)).toEqual({ a: { list: [1] } });
    expect(applyJsonPatch({}, operations)).toEqual({ a: { list: [1] } });
  });

  test('keeps the digits of numbers that a double does not hold, also of those that it copies', () => {
    const patched = applyJsonPatch(parseExact('{"a":{"n":9007199254740993}}'), [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'test', path: '/b/n', value: parseExact('9007199254740993') },
    ]);
    expect(JSON.stringify(patched)).toBe('{"a":{"n":9007199254740993},"b":{"n":9007199254740993}}');
    const inside = [{ op: 'add', path: '/a/n/rawJSON', value: '1' }];
    expect(() => applyJsonPatch(parseExact('{"a":{"n":9007199254740993}}'), inside)).toThrow(PatchFailure);
  });

  // Each of these copies doubles the document: thirty of them are a gigabyte, from a few hundred bytes.
  test('does not copy without end, nor goes on for ever', () => {
    const doubling = Array.from({ length: 30 }, (_, i) => ({ op: 'copy', from: '/a', path: `/a/${i}` }));
    expect(() => applyJsonPatch({ a: { x: 'x'.repeat(1000) } }, doubling)).toThrow('copies more than');
    const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: {} }));
    expect(() => applyJsonPatch({}, many)).toThrow('more than the allowed 10000');
  });

  test('is a list of operations with paths', () => {
    expect(isJsonPatch([{ op: 'remove', path: '/x' }])).toBe(true);
    for (const value of [{}, [{}], [{ op: 'remove' }], [null], 'x']) expect(isJsonPatch(value)).toBe(false);
  });
});
