import { describe, expect, test } from '@jest/globals';
import { labelKeyErrors, labelValueErrors } from './label-names.ts';

describe('a label key', () => {
  test.each(['a', 'A-b_c.d', 'example.com/name', 'constructor', 'a'.repeat(63), `${'a.'.repeat(126)}a/n`])('%s is valid', key => {
    expect(labelKeyErrors(key)).toEqual([]);
  });

  test.each([
    ['', 'name part must be non-empty'],
    ['-a', "name part must consist of alphanumeric characters, '-', '_' or '.'"],
    ['a/', 'name part must be non-empty'],
    ['/a', 'prefix part must be non-empty'],
    ['A.com/a', 'prefix part a lowercase RFC 1123 subdomain'],
    ['a/b/c', 'a valid label key must consist of'],
    ['a'.repeat(64), 'name part must be no more than 63 bytes'],
    ['a\n', 'name part must consist of'],
  ])('%j is refused in the words of Kubernetes', (key, sentence) => {
    expect(labelKeyErrors(key).join('; ')).toContain(sentence);
  });
});

describe('a label value', () => {
  test.each(['', 'a', '1.2_3-x', 'v'.repeat(63)])('%j is valid', value => {
    expect(labelValueErrors(value)).toEqual([]);
  });

  test('names the expression and three examples when it is refused', () => {
    expect(labelValueErrors('-')).toEqual([
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ]);
    expect(labelValueErrors('é'.repeat(32))[0]).toBe('must be no more than 63 bytes');
  });
});
