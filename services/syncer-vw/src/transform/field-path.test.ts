import { describe, expect, test } from '@jest/globals';
import { parseExact } from '@kcp-vw/shared/kube/json-exact.ts';
import { BrokenObject } from './broken-object.ts';
import { fieldOf, withField, withoutField } from './field-path.ts';
import { frozen } from './upstream.fixture.ts';

const OBJECT = frozen({ spec: { a: { b: 1, c: 2 }, none: null, list: [1] }, status: { deep: {} } });

describe('a field of an object', () => {
  test('is found by its path; null is a value', () => {
    expect(fieldOf(OBJECT, ['spec', 'a', 'b'])).toBe(1);
    expect(fieldOf(OBJECT, ['spec', 'none'])).toBeNull();
  });

  test.each([[['spec', 'x']], [['spec', 'list', '0']], [['spec', 'a', 'b', 'c']], [['constructor']], [['spec', 'toString']]])(
    '%j is not there',
    path => {
      expect(fieldOf(OBJECT, path)).toBeUndefined();
      expect(withoutField(OBJECT, path)).toBe(OBJECT);
    },
  );

  test('is set in a copy, which shares all else', () => {
    const changed = withField(OBJECT, ['spec', 'a', 'b'], 7);
    expect(changed).toEqual({ ...OBJECT, spec: { ...OBJECT.spec, a: { b: 7, c: 2 } } });
    expect(changed.status).toBe(OBJECT.status);
    expect(changed.spec.list).toBe(OBJECT.spec.list);
  });

  test('is set with the maps on its way, null being one that is missing', () => {
    expect(withField({}, ['a', 'b'], 1)).toEqual({ a: { b: 1 } });
    expect(withField(OBJECT, ['spec', 'none', 'x'], 1).spec.none).toEqual({ x: 1 });
    expect(Object.keys(withField({}, ['__proto__', 'x'], 1))).toEqual(['__proto__']);
  });

  test('leaves the object the same when it has the value', () => {
    expect(withField(OBJECT, ['spec', 'a'], { c: 2, b: 1 })).toBe(OBJECT);
  });

  test('cannot be set where there is no map', () => {
    expect(() => withField(OBJECT, ['spec', 'list', 'x'], 1)).toThrow(BrokenObject);
    expect(() => withField(parseExact('{"n":9007199254740993}') as object as typeof OBJECT, ['n', 'x'], 1)).toThrow(BrokenObject);
  });

  test('is removed in a copy', () => {
    const changed = withoutField(OBJECT, ['spec', 'a', 'b']);
    expect(changed.spec.a).toEqual({ c: 2 });
    expect(changed.status).toBe(OBJECT.status);
  });
});
