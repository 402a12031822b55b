import { describe, expect, test } from '@jest/globals';
import { parseTarget } from '../target/target.ts';
import { compilePath } from './path-pattern.ts';

const matchOf = (paths: string | readonly string[], path: string) => compilePath('books', paths).match(parseTarget(path));

describe('one path', () => {
  const SHELF = '/:shelf/clusters/:cluster';

  test('gives its parameters and how many segments it took', () => {
    const matched = matchOf(SHELF, '/services/books/red/clusters/%2A/api/v1');
    expect(matched).toEqual({ scope: { shelf: 'red', cluster: '*' }, length: 5 });
    expect(Object.isFrozen(typeof matched === 'object' && matched.scope)).toBe(true);
  });

  test.each([
    '/services/films/red/clusters/c1',
    '/other/books/red/clusters/c1',
    '/services/books/red/Clusters/c1',
    '/services/books/red/clusters',
    '/services/books/red/',
    '/services/books/a%2Fb/clusters/c1',
  ])('does not take %s', path => {
    expect(matchOf(SHELF, path)).toBeUndefined();
  });

  test('is incomplete when only its last parameter is missing', () => {
    expect(matchOf(SHELF, '/services/books/red/clusters/')).toBe('incomplete');
  });

  test('is not begun by the name of the view alone', () => {
    expect(matchOf('/:shelf', '/services/books/')).toBeUndefined();
  });

  test.each(['red', '/:', '/a//b', '/*', '/a/'])('must be literals and parameters: %s is refused', path => {
    expect(() => compilePath('books', path)).toThrow(`view books: invalid path "${path}"`);
  });
});

describe('several paths', () => {
  const PATHS = ['/:shelf', '/:shelf/clusters/:cluster'];

  test.each([PATHS, PATHS.toReversed()])('are tried from the longest on, however they are given', (...paths) => {
    expect(matchOf(paths, '/services/books/red/clusters/c1/api')).toEqual({ scope: { shelf: 'red', cluster: 'c1' }, length: 5 });
    expect(matchOf(paths, '/services/books/red/api')).toEqual({ scope: { shelf: 'red' }, length: 3 });
    expect(matchOf(paths, '/services/books/red/')).toEqual({ scope: { shelf: 'red' }, length: 3 });
    expect(matchOf(paths, '/services/books')).toBeUndefined();
  });

  test('do not let a shorter one take what is the beginning of a longer one', () => {
    expect(matchOf(PATHS, '/services/books/red/clusters/')).toBe('incomplete');
  });
});
