import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseExact } from './json-exact.ts';
import { parseYaml } from './yaml-go.ts';
import { printYaml } from './yaml-print.ts';

describe('a value in YAML', () => {
  test('has its keys by alphabet and each line whole', () => {
    const long = 'word '.repeat(40).trim();
    expect(printYaml({ kind: 'Thing', apiVersion: 'v1', text: long, list: [] })).toBe(
      `apiVersion: v1\nkind: Thing\nlist: []\ntext: ${long}\n`,
    );
  });

  test.each([
    'on',
    'y',
    '0777',
    '1_000',
    '1e3',
    '~',
    '',
    '2024-01-01T00:00:00Z',
    'null',
    '12:30',
    '0x1F',
    '12345678901234567890',
  ])('that is the text "%s" is read as a text again', text => {
    expect(parseYaml(printYaml({ text }))).toEqual({ value: { text } });
  });

  test('keeps the digits of a number that a double does not hold', () => {
    expect(printYaml(parseExact('{"a":12345678901234567890,"b":1.5,"c":7}'))).toBe('a: 12345678901234567890\nb: 1.5\nc: 7\n');
  });

  test('is the same JSON when a server reads it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), value => {
        const plain = JSON.parse(JSON.stringify(value));
        expect(JSON.parse(JSON.stringify(parseYaml(printYaml({ plain }))))).toEqual({ value: { plain } });
      }),
    );
  });
});
