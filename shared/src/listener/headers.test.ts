import { describe, expect, test } from '@jest/globals';
import { HeaderNames, withoutNames } from './headers.ts';

describe('names that are looked for', () => {
  const names = new HeaderNames(['te', 'expect', 'upgrade']);

  test('are found in any case', () => {
    for (const name of ['te', 'TE', 'Expect', 'uPGRADE']) expect(names.has(name)).toBe(true);
  });

  test('are not taken for others of their length', () => {
    for (const name of ['', 't', 'to', 'accept', 'upgrades', 'a-name-longer-than-all-of-them'])
      expect(names.has(name)).toBe(false);
  });

  test('may be none', () => {
    expect(new HeaderNames([]).has('')).toBe(false);
  });
});

describe('a list without some names', () => {
  const names = new HeaderNames(['te']);

  test('has each of the others, in their order', () => {
    expect(withoutNames(['A', '1', 'Te', '2', 'b', '3', 'TE', '4', 'a', '5'], names)).toEqual(['A', '1', 'b', '3', 'a', '5']);
  });

  test('is the same list when it has none of them', () => {
    const headers = ['a', 'te', 'b', 'te'];
    expect(withoutNames(headers, names)).toBe(headers);
  });
});
