import { expect, test } from '@jest/globals';
import { CASES } from './cases.ts';
import { parseOptions } from './options.ts';
import { CONTENDERS } from './target.ts';

const names = (argv: readonly string[]): string[] | undefined => parseOptions(argv)?.cases.map(({ name }) => name);

test('everything is measured, in several rounds, unless options say less', () => {
  expect(names([])).toEqual(CASES.map(({ name }) => name));
  expect(parseOptions([])).toMatchObject({ contenders: CONTENDERS, rounds: 3, write: false });
  expect(parseOptions([])).not.toHaveProperty('target');
});

test('a quick run leaves out what takes long, unless that is asked for', () => {
  expect(names(['--quick'])).not.toContain('idle');
  expect(names(['--quick', '--cases=idle,get'])).toEqual(['idle', 'get']);
  expect(parseOptions(['--quick'])).toMatchObject({ rounds: 1 });
});

test('a name that nobody has is refused with those that there are', () => {
  expect(() => parseOptions(['--cases=gett'])).toThrow('there is no case "gett"; there are idle, get,');
  expect(() => parseOptions(['--contenders=fleet,envoy'])).toThrow('there is no contender "envoy"');
  expect(() => parseOptions(['--target=production'])).toThrow('there are kcp, dev');
  expect(() => parseOptions(['--fast'])).toThrow('--fast');
});

test('a profile is taken of one case on one of our processes', () => {
  expect(parseOptions(['--profile=get'])).toMatchObject({ cases: [{ name: 'get' }], contenders: ['single'] });
  expect(parseOptions(['--profile=get', '--contenders=fleet'])).toMatchObject({ contenders: ['fleet'] });
  expect(() => parseOptions(['--profile=get', '--contenders=shard'])).toThrow('a profile is of one contender');
  expect(() => parseOptions(['--profile=get', '--contenders=fleet,single'])).toThrow('a profile is of one contender');
});

test('help is no run', () => {
  expect(parseOptions(['--help'])).toBeUndefined();
});
