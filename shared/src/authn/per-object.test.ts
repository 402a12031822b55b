import { describe, expect, test } from '@jest/globals';
import { perObject } from './per-object.ts';

describe('what follows from an object', () => {
  test('is computed once for each frozen one', () => {
    let computed = 0;
    const of = perObject((object: { readonly n: number }) => object.n + 10 * ++computed);
    const [one, same] = [Object.freeze({ n: 1 }), Object.freeze({ n: 1 })];
    expect([of(one), of(one), of(same), of(one)]).toEqual([11, 11, 21, 11]);
  });

  // An identity that changes after it was looked at must not be sent on as what it was.
  test('is computed each time for one that could change', () => {
    const of = perObject((object: { n: number }) => object.n);
    const object = { n: 1 };
    const first = of(object);
    object.n = 2;
    expect([first, of(object)]).toEqual([1, 2]);
  });

  test('is not kept when it throws, and is when it is nothing', () => {
    let computed = 0;
    const failing = perObject((): number => {
      if (++computed === 1) throw new Error('once');
      return computed;
    });
    const object = Object.freeze({});
    expect(() => failing(object)).toThrow('once');
    expect([failing(object), failing(object)]).toEqual([2, 2]);
    let asked = 0;
    const nothing = perObject(() => void asked++);
    expect([nothing(object), nothing(object), asked]).toEqual([undefined, undefined, 1]);
  });
});
