import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseExact } from './json-exact.ts';

test.each(['9007199254740993', '-9223372036854775808', '123456789012345678901234567890', '1e400'])(
  'the number %s is written as it was read',
  number => {
    expect(JSON.stringify(parseExact(`{"a":[${number}]}`))).toBe(`{"a":[${number}]}`);
  },
);

test('all else is what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const text = JSON.stringify(value);
      expect(JSON.stringify(parseExact(text))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test('what is no JSON is a SyntaxError', () => {
  expect(() => parseExact('{"a":9007199254740993')).toThrow(SyntaxError);
});
