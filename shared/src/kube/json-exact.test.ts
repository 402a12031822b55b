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

test('numbers are found wherever they can stand, and however it is indented', () => {
  const numeral = fc.oneof(
    fc.bigInt({ min: 10n ** 15n, max: 10n ** 25n }).map(String),
    fc
      .tuple(fc.bigInt({ min: 1n, max: 10n ** 18n }), fc.integer({ min: 309, max: 9999 }))
      .map(([digits, power]) => `${digits}e+${power}`),
    fc.integer({ min: 309, max: 9999 }).map(power => `1.25E${power}`),
  );
  const signed = fc.tuple(fc.constantFrom('', '-'), numeral).map(parts => parts.join(''));
  const space = fc.constantFrom('', ' ', '\n\t', '\r');
  fc.assert(
    fc.property(signed, signed, space, (a, b, s) => {
      for (const text of [`${s}${a}${s}`, `[${s}${a}${s},${s}${b}${s}]`, `{"x"${s}:${s}${a}${s},"y":[${b}]}`]) {
        const printed = JSON.stringify(parseExact(text));
        expect(printed).toBe(text.replaceAll(/\s/g, ''));
      }
    }),
  );
});

test('what is no JSON is a SyntaxError', () => {
  expect(() => parseExact('{"a":9007199254740993')).toThrow(SyntaxError);
});
