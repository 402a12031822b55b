import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StatusError } from '../kube/errors.ts';
import { matchesLabels, parseLabelSelector } from '../kube/selectors.ts';
import { andLabelSelector, decodedPath, hasEncodedSlash, parseTarget, restOf, urlOf, withParameter } from './target.ts';

const refusalOf = (url: string): string => {
  try {
    parseTarget(url);
  } catch (error) {
    if (error instanceof StatusError && error.code === 400) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('a request target', () => {
  test('is split into raw and decoded segments and the query', () => {
    const target = parseTarget('/services/x/clusters/%2A/api/v1/pods?watch=1&labelSelector=a%3Db+');
    expect(target.rawPath).toBe('/services/x/clusters/%2A/api/v1/pods');
    expect(target.rawSegments[3]).toBe('%2A');
    expect(target.segments).toEqual(['services', 'x', 'clusters', '*', 'api', 'v1', 'pods']);
    expect(target.rawQuery).toBe('watch=1&labelSelector=a%3Db+');
    expect([...target.query]).toEqual([
      ['watch', '1'],
      ['labelSelector', 'a=b '],
    ]);
  });

  test('keeps a trailing slash in the raw path only', () => {
    const target = parseTarget('/apis/');
    expect([target.rawPath, target.rawSegments, target.segments]).toEqual(['/apis/', ['apis'], ['apis']]);
    expect(decodedPath(target)).toBe('/apis/');
    expect(parseTarget('/').segments).toEqual([]);
  });

  test('tells case apart: /CLUSTERS is not /clusters', () => {
    expect(parseTarget('/CLUSTERS/a').segments[0]).toBe('CLUSTERS');
  });

  test('passes an encoded slash, which is marked for those who must not take it', () => {
    const target = parseTarget('/api/v1/namespaces/a%2Fb');
    expect(target.rawPath).toBe('/api/v1/namespaces/a%2Fb');
    expect(target.segments.map(hasEncodedSlash)).toEqual([false, false, false, true]);
  });

  test('passes names that only look unusual', () => {
    for (const path of [
      '/a/...',
      '/a/.b',
      '/a/b.',
      '/a/b..c',
      '/a/%E2%82%AC',
      '/a/system:x',
      '/a/%25x',
      '/a/b;c',
      '/a/%3F',
      '/a/%23',
    ]) {
      expect([path, refusalOf(path)]).toEqual([path, 'accepted']);
    }
  });

  test('is immutable', () => {
    const target = parseTarget('/a?b=c');
    expect(Object.isFrozen(target)).toBe(true);
    expect(() => target.query.set('b', 'd')).toThrow(TypeError);
    expect(() => target.query.append('b', 'd')).toThrow(TypeError);
    expect(() => target.query.delete('b')).toThrow(TypeError);
  });
});

// Path confusion: two servers on the way of one request must never read it differently.
describe('is refused with 400', () => {
  test.each([
    ['', 'does not start with /'],
    ['*', 'does not start with /'],
    ['http://evil/api', 'does not start with /'],
    ['example.com:443', 'does not start with /'],
    ['//evil/api', 'an empty segment'],
    ['/a//b', 'an empty segment'],
    ['/a//', 'an empty segment'],
    ['/a%2f%2Fb', 'an empty segment'],
    ['/a%2F/b', 'an empty segment'],
    ['/%2fa', 'an empty segment'],
    ['/./a', "'.' or '..'"],
    ['/a/..', "'.' or '..'"],
    ['/a/../b', "'.' or '..'"],
    ['/%2e%2e/b', "'.' or '..'"],
    ['/%2E/b', "'.' or '..'"],
    ['/.%2e/b', "'.' or '..'"],
    ['/a%2f..%2Fb', "'.' or '..'"],
    ['/a%2f.', "'.' or '..'"],
    ['/a\\b', 'a backslash'],
    ['/a%5cb', 'a backslash'],
    ['/a%5Cb', 'a backslash'],
    ['/a%00', 'a control character'],
    ['/a%0d%0ab', 'a control character'],
    ['/a%7f', 'a control character'],
    ['/a%C2%85', 'a control character'],
    ['/a\nb', 'must be percent-encoded'],
    ['/a b', 'must be percent-encoded'],
    ['/é', 'must be percent-encoded'],
    ['/a?b=\u0080', 'must be percent-encoded'],
    ['/a#b', 'a fragment'],
    ['/a?b#c', 'a fragment'],
    ['/a%', 'malformed'],
    ['/a%2', 'malformed'],
    ['/a%zz', 'malformed'],
    ['/a%ff', 'malformed'],
    ['/a%c0%af', 'malformed'],
    ['/a%ed%a0%80', 'malformed'],
    ['/a?b=%', 'malformed'],
    ['/a?%ff=b', 'malformed'],
    ['/a%252fb', 'encoded twice'],
    ['/%252e%252e/b', 'encoded twice'],
    ['/a%255c', 'encoded twice'],
    ['/a%25252f', 'encoded twice'],
    ['/a?b=1;watch=1', 'a semicolon'],
    ['/a?b=%00', 'a NUL'],
  ])('%j: %s', (url, why) => {
    expect(refusalOf(url)).toContain(why);
  });
});

test('a query is read as Go reads it: a second question mark belongs to the first name', () => {
  // `new URLSearchParams('?watch=1')` would drop it, and we would see a watch where the shard sees a list.
  expect([...parseTarget('/a??watch=1').query]).toEqual([['?watch', '1']]);
  expect([...parseTarget('/a?&x&&=y&').query]).toEqual([
    ['x', ''],
    ['', 'y'],
  ]);
});

describe('the rest below a prefix', () => {
  test('keeps raw bytes, trailing slash and query', () => {
    const target = parseTarget('/services/x/api/v1/a%3Ab/?limit=%31');
    const rest = restOf(target, 2);
    expect(urlOf(rest)).toBe('/api/v1/a%3Ab/?limit=%31');
    expect(rest).toEqual(parseTarget('/api/v1/a%3Ab/?limit=%31'));
    expect(restOf(target, 0)).toEqual(target);
  });

  test('is / when nothing is left', () => {
    expect(restOf(parseTarget('/a/b'), 2).rawPath).toBe('/');
    expect(restOf(parseTarget('/a/b/'), 2).rawPath).toBe('/');
  });

  test('does not exist beyond the last segment', () => {
    expect(() => restOf(parseTarget('/a'), 2)).toThrow(RangeError);
    expect(() => restOf(parseTarget('/a'), -1)).toThrow(RangeError);
  });
});

describe('a query with one parameter changed', () => {
  test.each<[string, string | undefined, string]>([
    ['', 'v', 'p=v'],
    ['a=%31&b', 'v', 'a=%31&b&p=v'],
    ['a=1&p=x&b=%7E&p=y', 'a,b', 'a=1&p=a%2Cb&b=%7E'],
    ['%70=x&&b', 'v', 'p=v&&b'],
    ['a&p&b', undefined, 'a&b'],
    ['a', undefined, 'a'],
    ['=p&pp=1', 'v', '=p&pp=1&p=v'],
  ])('%j, p=%j → %j', (rawQuery, value, expected) => {
    expect(withParameter(rawQuery, 'p', value)).toBe(expected);
  });
});

describe("a view's label selector", () => {
  const selectorOf = (rawQuery: string): string | null => new URLSearchParams(rawQuery).get('labelSelector');

  test('is added to what the caller selects', () => {
    expect(selectorOf(andLabelSelector('limit=5', 'a=b,!c'))).toBe('a=b,!c');
    expect(andLabelSelector('limit=%35&labelSelector=x%3Dy&watch=1', 'a=b')).toBe(
      'limit=%35&labelSelector=a%3Db%2Cx%3Dy&watch=1',
    );
    expect(selectorOf(andLabelSelector('labelSelector=', 'a=b'))).toBe('a=b');
    expect(andLabelSelector('labelSelector=x', '')).toBe('labelSelector=x');
  });

  test('leaves of several selectors the first, which alone counts for an API server', () => {
    expect(selectorOf(andLabelSelector('labelSelector=x&labelSelector=y', 'a=b'))).toBe('a=b,x');
  });

  test.each(['labelSelector=x+in+(', 'labelSelector=%00', 'labelSelector=x%00', 'labelSelector=x,', 'labelSelector=a;b'])(
    'cannot be swallowed by text that does not parse: %s is a 400',
    rawQuery => {
      expect(() => andLabelSelector(rawQuery, 'team=a')).toThrow(StatusError);
    },
  );

  test('holds whatever the caller sends', () => {
    const pieces = fc.array(
      fc.constantFrom('labelSelector=', '%6CabelSelector=', 'x', '!', '+in+(', ')', ',', '%2C', '&', 'team', '%3D', 'b', '%00'),
    );
    fc.assert(
      fc.property(pieces, list => {
        let joined: string;
        try {
          joined = andLabelSelector(list.join(''), 'team=a');
        } catch (error) {
          expect(error).toBeInstanceOf(StatusError);
          return;
        }
        const values = new URLSearchParams(joined).getAll('labelSelector');
        expect(values).toHaveLength(1);
        expect(matchesLabels(parseLabelSelector(values[0] ?? ''), { team: 'b', x: '', b: '' })).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('properties', () => {
  const characters = fc.constantFrom(
    '/',
    '.',
    '%2e',
    '%2F',
    '%',
    '%25',
    '2f',
    'a',
    '*',
    ':',
    '?',
    '&',
    '=',
    '\\',
    '%5c',
    '%00',
    'é',
    ';',
    '+',
  );

  test('any text is either a target, sent on byte for byte, or a 400', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(characters).map(list => `/${list.join('')}`),
        ),
        url => {
          if (refusalOf(url) !== 'accepted') return;
          const target = parseTarget(url);
          expect(urlOf(target)).toBe(url.replace(/^([^?]*)\?$/, '$1'));
          expect(target.rawSegments).toHaveLength(target.segments.length);
          const decoded = target.segments.flatMap(segment => segment.split('/'));
          expect(decoded.filter(part => ['', '.', '..'].includes(part))).toEqual([]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('prefix and rest are the target again', () => {
    const segment = fc.string({ unit: fc.constantFrom('a', 'é', ' ', ':', '?', '+'), minLength: 1 }).map(encodeURIComponent);
    fc.assert(
      fc.property(fc.array(segment), fc.nat(10), fc.boolean(), (segments, skip, slash) => {
        fc.pre(skip <= segments.length);
        const target = parseTarget(`/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`);
        const rest = restOf(target, skip);
        expect(rest).toEqual(parseTarget(urlOf(rest)));
        expect([...target.rawSegments.slice(0, skip), ...rest.rawSegments]).toEqual(target.rawSegments);
      }),
    );
  });
});
