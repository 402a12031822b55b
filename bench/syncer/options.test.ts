import { expect, test } from '@jest/globals';
import { CASE_NAMES } from './cases.ts';
import { parseOptions } from './options.ts';

test('without options, all is asked of 5,000 objects on the dev shard in three rounds', () => {
  expect(parseOptions([])).toMatchObject({ target: 'dev', objects: 5_000, rounds: 3, cases: CASE_NAMES, write: false });
});

test('a quick run is one round of fewer objects, unless something else is said', () => {
  expect(parseOptions(['--quick', '--cases=get,list'])).toMatchObject({ objects: 500, rounds: 1, cases: ['get', 'list'] });
  expect(parseOptions(['--quick', '--objects=20', '--rounds=2'])).toMatchObject({ objects: 20, rounds: 2 });
});

test('help is no run', () => {
  expect(parseOptions(['--help'])).toBeUndefined();
});

test.each([
  ['--cases=none', 'there is no none'],
  ['--target=moon', 'there are kcp, dev'],
  ['--objects=0', '"0" is no number from 1 on'],
  ['--rounds=some', '"some" is no number'],
])('%s is refused: %s', (option, message) => {
  expect(() => parseOptions([option])).toThrow(message);
});
