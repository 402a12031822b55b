import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StatusError } from './errors.ts';
import {
  CLUSTER_SCOPED_FIELDS,
  formatFieldSelector,
  METADATA_FIELDS,
  matchesFields,
  parseFieldSelector,
  requiredFieldValue,
} from './field-selectors.ts';

const FIELDS = { ...METADATA_FIELDS, 'spec.phase': (object: object) => String(Reflect.get(object, 'phase') ?? '') };
const object = { metadata: { name: 'a', namespace: 'default' }, phase: 'Ready' };

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError && error.code === 400) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('a field selector', () => {
  test.each<[string, boolean]>([
    ['', true],
    [',', true],
    ['=,!=', true],
    ['metadata.name=a', true],
    ['metadata.name==a', true],
    ['metadata.name!=a', false],
    ['metadata.name!=b', true],
    ['metadata.namespace=default,spec.phase=Ready', true],
    ['metadata.namespace=default,spec.phase=', false],
  ])('%j on the object a is %s', (text, expected) => {
    expect(matchesFields(parseFieldSelector(text, FIELDS), object, FIELDS)).toBe(expected);
  });

  test.each([
    ['spec.intent=x', 'field label not supported: spec.intent'],
    ['constructor=x', 'field label not supported: constructor'],
    ['=x', 'field label not supported: '],
    ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['metadata.name=a=b', 'invalid field selector: unescaped character in value: 61'],
    ['metadata.name=a\\b', 'invalid field selector: invalid escape sequence: \\b'],
    ['metadata.name=a\\', 'invalid field selector: invalid escape sequence: \\'],
  ])('%j is refused with the text of Kubernetes', (text, message) => {
    expect(refusal(() => parseFieldSelector(text, METADATA_FIELDS))).toBe(message);
  });

  test('of a cluster-scoped resource knows no namespace', () => {
    expect(refusal(() => parseFieldSelector('metadata.namespace=x', CLUSTER_SCOPED_FIELDS))).toBe(
      'field label not supported: metadata.namespace',
    );
  });

  test('names the one value it demands of a field', () => {
    expect(requiredFieldValue(parseFieldSelector('metadata.name=a'), 'metadata.name')).toBe('a');
    expect(requiredFieldValue(parseFieldSelector('x=1,metadata.name==a'), 'metadata.name')).toBe('a');
    expect(requiredFieldValue(parseFieldSelector('metadata.name!=a'), 'metadata.name')).toBeUndefined();
  });

  test('is printed so that it is read back, whatever its values hold', () => {
    const values = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('\\', ',', '=', '!', 'a') }));
    fc.assert(
      fc.property(fc.constantFrom('=' as const, '!=' as const), values, (operator, value) => {
        const selector = [{ field: 'metadata.name', operator, value }];
        expect(parseFieldSelector(formatFieldSelector(selector))).toEqual(selector);
      }),
    );
  });

  test('of any text is either a selector or a 400', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\\', ',', '=', '!', 'a', 'é') }), text => {
        expect(typeof refusal(() => parseFieldSelector(text))).toBe('string');
      }),
    );
  });
});
