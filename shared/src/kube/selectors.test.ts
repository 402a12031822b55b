import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StatusError } from './errors.ts';
import { formatLabelSelector, type LabelOperator, matchesLabels, parseLabelSelector } from './selectors.ts';

const messageOf = (text: string): string => {
  try {
    parseLabelSelector(text);
  } catch (error) {
    if (error instanceof StatusError && error.code === 400) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('a label selector', () => {
  test.each([
    ['', ''],
    ['  ', ''],
    ['a', 'a'],
    ['!a', '!a'],
    ['! a', '!a'],
    ['b=1,a', 'a,b=1'],
    ['a==1', 'a==1'],
    ['a!=1', 'a!=1'],
    ['a=', 'a='],
    ['a=,b', 'a=,b'],
    ['x in (c,a,,a)', 'x in (,a,c)'],
    ['x in ()', 'x in ()'],
    ['x in (,a)', 'x in (,a)'],
    ['x in (a,)', 'x in (,a)'],
    ['x notin(a)', 'x notin (a)'],
    ['in in (in,notin)', 'in in (in,notin)'],
    ['notin', 'notin'],
    ['x=in', 'x=in'],
    ['x > 1, y<2', 'x>1,y<2'],
    ['internal.kcp.io/phase=Initializing', 'internal.kcp.io/phase=Initializing'],
  ])('%j is read, and printed as Kubernetes prints it', (text, printed) => {
    expect(formatLabelSelector(parseLabelSelector(text))).toBe(printed);
  });

  test.each([
    ['(', "found '(', expected: !, identifier, or 'end of string'"],
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    [',a', "found ',', expected: !, identifier, or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    ['a,,b', "found ',', expected: identifier after ','"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['!a=b', "found '=', expected: ',' or 'end of string'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a (b)', "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (', "unable to parse requirement: found '', expected: ',', ')' or identifier"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a in (b,', "unable to parse requirement: found '', expected: ',', or identifier"],
    ['a==!b', "unable to parse requirement: found '!', expected: identifier"],
    ['a===b', "unable to parse requirement: found '=', expected: identifier"],
    [
      'a>x',
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
  ])('%j is refused with the text of Kubernetes', (text, message) => {
    expect(messageOf(text)).toBe(message);
  });

  test('names the key or value that is invalid', () => {
    expect(messageOf('a/b/c')).toMatch(
      /^unable to parse requirement: <nil>: Invalid value: "a\/b\/c": a valid label key must consist of/,
    );
    expect(messageOf('a=-')).toMatch(/^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-": a valid label must be/);
    expect(messageOf('a in (-,_)')).toMatch(/^unable to parse requirement: \[values\[0\]\[a\].*, values\[1\]\[a\]/);
  });

  // Go's lexer ends the text at a NUL: `a\0` joined with a view's own selector would switch that off on the shard.
  test('with a NUL character is refused, because the shard would not read what follows it', () => {
    expect(messageOf('a\0,b')).toBe('a label selector must not contain a NUL character');
  });
});

describe('matching', () => {
  const labels = { env: 'prod', tier: '', rank: '10' };

  test.each<[string, boolean]>([
    ['', true],
    ['env', true],
    ['!env', false],
    ['nope', false],
    ['!nope', true],
    ['env=prod', true],
    ['env==dev', false],
    ['env!=dev', true],
    ['nope!=dev', true],
    ['nope=', false],
    ['tier=', true],
    ['env in (dev,prod)', true],
    ['nope in ()', false],
    ['env notin (dev)', true],
    ['env notin (prod)', false],
    ['nope notin (prod)', true],
    ['rank>9', true],
    ['rank>10', false],
    ['rank<11', true],
    ['env>1', false],
    ['nope<1', false],
    ['env=prod,rank>100', false],
  ])('%j on {env: prod, tier: "", rank: 10} is %s', (text, expected) => {
    expect(matchesLabels(parseLabelSelector(text), labels)).toBe(expected);
  });

  test('an object without labels meets the requirements of absence only', () => {
    expect(matchesLabels(parseLabelSelector('!a,b!=c'), undefined)).toBe(true);
    expect(matchesLabels(parseLabelSelector('a'), undefined)).toBe(false);
  });

  test('what JavaScript objects inherit is no label', () => {
    expect(matchesLabels(parseLabelSelector('constructor'), {})).toBe(false);
    expect(matchesLabels(parseLabelSelector('!toString'), {})).toBe(true);
    expect(matchesLabels(parseLabelSelector('constructor=x'), { constructor: 'x' } as unknown as Record<string, string>)).toBe(
      true,
    );
  });
});

describe('properties', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?$/);
  const value = fc.oneof(fc.constant(''), name);
  const key = fc.oneof(
    name,
    fc.tuple(fc.stringMatching(/^[a-z0-9]{1,5}(\.[a-z0-9]{1,5})?$/), name).map(([prefix, rest]) => `${prefix}/${rest}`),
  );
  const requirement = fc.record({
    key,
    operator: fc.constantFrom<LabelOperator>('=', '==', '!=', 'in', 'notin', 'exists', '!', 'gt', 'lt'),
    strings: fc.array(value, { minLength: 1, maxLength: 4 }),
    number: fc.nat(),
  });
  const written = requirement.map(({ key, operator, strings, number }) => {
    const values =
      operator === 'in' || operator === 'notin'
        ? [...new Set(strings)].sort()
        : operator === 'gt' || operator === 'lt'
          ? [String(number)]
          : operator === 'exists' || operator === '!'
            ? []
            : strings.slice(0, 1);
    return { key, operator, values };
  });

  test('what is printed is read back as the same selector', () => {
    fc.assert(
      fc.property(fc.uniqueArray(written, { selector: one => one.key, maxLength: 5 }), requirements => {
        const selector = parseLabelSelector(formatLabelSelector(requirements));
        expect(selector).toEqual([...requirements].sort((a, b) => (a.key < b.key ? -1 : 1)));
        expect(parseLabelSelector(formatLabelSelector(selector))).toEqual(selector);
      }),
    );
  });

  test('two selectors joined with a comma match exactly what both match', () => {
    const labels = fc.dictionary(name, value, { maxKeys: 3 });
    fc.assert(
      fc.property(fc.array(written, { maxLength: 3 }), fc.array(written, { maxLength: 3 }), labels, (left, right, object) => {
        const joined = [left, right].map(formatLabelSelector).filter(Boolean).join(',');
        const both = matchesLabels(left, object) && matchesLabels(right, object);
        expect(matchesLabels(parseLabelSelector(joined), object)).toBe(both);
      }),
    );
  });

  test('any text is either a selector or a 400', () => {
    const symbols = fc.array(fc.constantFrom('a', 'in', 'notin', '=', '!', '(', ')', ',', '<', '>', ' ', '1', '/', '-'), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          symbols.map(list => list.join('')),
        ),
        text => {
          expect(typeof messageOf(text)).toBe('string');
        },
      ),
      { numRuns: 2000 },
    );
  });
});
