import { expect, test } from '@jest/globals';
import { createBrokenRegister } from './broken-register.ts';

const reasons = (...targets: string[]) => new Map(targets.map(target => [target, 'why']));

test('it tells the targets for which something has changed, and no others', () => {
  const register = createBrokenRegister();
  expect(register.set('a', reasons('x', 'y'))).toEqual(['x', 'y']);
  expect(register.set('a', reasons('x', 'y'))).toEqual([]);
  expect(register.set('a', reasons('y'))).toEqual(['x']);
  expect(register.of('x')).toBeUndefined();
  expect(register.of('y')).toEqual({ count: 1, isMore: false, examples: [{ object: 'a', reason: 'why' }] });
  expect(register.set('a', new Map())).toEqual(['y']);
  expect(register.has('a')).toBe(false);
});

test('examples are five, sorted, with reasons that are not long', () => {
  const register = createBrokenRegister();
  for (const object of ['f', 'e', 'd', 'c', 'b', 'a']) register.set(object, new Map([['x', 'y'.repeat(10_000)]]));
  const { count, examples } = register.of('x') ?? { examples: [] };
  expect(count).toBe(6);
  expect(examples.map(({ object }) => object)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(examples[0]?.reason).toHaveLength(200);
});

test('a long reason that stays is no change', () => {
  const register = createBrokenRegister();
  register.set('a', new Map([['x', 'y'.repeat(10_000)]]));
  expect(register.set('a', new Map([['x', 'y'.repeat(10_000)]]))).toEqual([]);
});

test('more than it remembers is known to be more, and is to be read again when the others are mended', () => {
  const register = createBrokenRegister(2);
  for (const object of ['a', 'b', 'c', 'd']) register.set(object, reasons('x'));
  expect(register.of('x')).toMatchObject({ count: 2, isMore: true });
  register.set('a', new Map());
  expect(register.isToBeReadAgain('x')).toBe(false);
  register.set('b', new Map());
  expect(register.isToBeReadAgain('x')).toBe(true);
  expect(register.isToBeReadAgain('x')).toBe(false);
});

test('of a target that is gone nothing is left', () => {
  const register = createBrokenRegister();
  register.set('a', reasons('x', 'y'));
  register.forget('x');
  expect(register.of('x')).toBeUndefined();
  expect(register.has('a')).toBe(true);
  register.forget('y');
  expect(register.has('a')).toBe(false);
});
