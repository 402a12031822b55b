import { describe, expect, test } from '@jest/globals';
import { parseYaml } from './yaml-go.ts';

const read = (text: string): unknown => {
  const parsed = parseYaml(text);
  return 'error' in parsed ? parsed : JSON.stringify(parsed.value);
};

// What kcp v0.32.3 stored of a custom resource sent as YAML.
test.each([
  ['1_000', '1000'],
  ['1__0', '10'],
  ['0777', '511'],
  ['0888', '888'],
  ['0o7', '7'],
  ['-0o7', '-7'],
  ['0b11', '3'],
  ['0x1F', '31'],
  ['-0x1', '-1'],
  ['+1', '1'],
  ['1e3', '1000'],
  ['12e03', '12000'],
  ['1.', '1'],
  ['.5', '0.5'],
  ['-.5', '-0.5'],
  ['1.0', '1'],
  ['9007199254740993', '9007199254740993'],
  ['123456789012345678901234567890', '1.2345678901234568e+29'],
  ['1e400', '"1e400"'],
  ['1:30', '"1:30"'],
  ['190:20:30', '"190:20:30"'],
  ['2020-01-01', '"2020-01-01"'],
  ['2001-12-14t21:59:43.10-05:00', '"2001-12-14t21:59:43.10-05:00"'],
  ['y', 'true'],
  ['on', 'true'],
  ['TRUE', 'true'],
  ['Off', 'false'],
  ['N', 'false'],
  ['nO', '"nO"'],
  ['~', 'null'],
  ['Null', 'null'],
  ['"null"', '"null"'],
  ['!!str 5', '"5"'],
  ['=', '"="'],
  ['.inf2', '".inf2"'],
])('the scalar %s is %s', (scalar, json) => {
  expect(read(`a: ${scalar}`)).toBe(`{"a":${json}}`);
});

test('keys are texts', () => {
  expect(read('{5: a, true: b, 1.5: c}')).toBe('{"5":"a","true":"b","1.5":"c"}');
});

describe('a document', () => {
  test('may merge others into its maps', () => {
    expect(read('a: &x {b: 1}\nc: {<<: *x, d: 2}')).toBe('{"a":{"b":1},"c":{"b":1,"d":2}}');
  });

  test('takes the last of a key that is repeated', () => {
    expect(read('a: 1\na: 2')).toBe('{"a":2}');
  });

  test('is the first of several', () => {
    expect(read('a: 1\n---\na: 2')).toBe('{"a":1}');
  });

  test('is undefined when there is none', () => {
    expect(parseYaml('')).toEqual({ value: undefined });
  });

  test('may be no YAML, and is told so with the line', () => {
    expect(read('a: 1\nb: [c')).toEqual({ error: expect.stringMatching(/^yaml: line \d+: ./) });
  });

  // Ten lines that would be written as ten billion texts.
  test('may not say more than it could hold', () => {
    const lines = Array.from({ length: 10 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join()}]`);
    expect(read(['l0: &l0 lol', ...lines].join('\n'))).toEqual({ error: 'yaml: document contains excessive aliasing' });
    expect(read('a: &a [*a]')).toEqual({ error: 'yaml: document contains excessive aliasing' });
  });
});
