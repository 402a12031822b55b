import { expect, test } from '@jest/globals';
import { EXPORT } from './export/kind.ts';
import { LIFECYCLE } from './lifecycle/kind.ts';
import { parseOptions, USAGE } from './options.ts';
import { WORKLOADS } from './workloads.ts';

const names = (argv: readonly string[]): string[] | undefined => parseOptions(argv)?.cases.map(({ name }) => name);

test('everything is measured, in several rounds, unless options say less', () => {
  expect(names([])).toEqual(EXPORT.cases.map(({ name }) => name));
  expect(parseOptions([])).toMatchObject({ workload: EXPORT, rounds: 3, write: false });
  expect(parseOptions([])).not.toHaveProperty('target');
});

test('a workload brings its own cases, contenders and pace', () => {
  const options = parseOptions(['--workload=lifecycle']);
  expect(options).toMatchObject({ workload: LIFECYCLE, contenders: LIFECYCLE.contenders, ...LIFECYCLE.full });
  expect(options?.cases).toEqual(LIFECYCLE.cases);
  expect(() => parseOptions(['--workload=lifecycle', '--cases=claimed-get'])).toThrow('there is no case "claimed-get"');
  expect(() => parseOptions(['--contenders=shard-as-owner'])).toThrow('there is no contender "shard-as-owner"');
});

test('contenders that only explain take part when they are named', () => {
  expect(parseOptions([])?.contenders).toEqual(['shard', 'fleet', 'fleet-impersonate', 'single', 'kcp-go']);
  expect(parseOptions(['--contenders=single,nginx'])?.contenders).toEqual(['single', 'nginx']);
});

test.each(WORKLOADS)('the help names every case of $name once', ({ cases }) => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  for (const { name } of cases) expect(USAGE).toContain(name);
});

test.each(WORKLOADS)('a goal of $name is about a case and a contender that there are', ({ cases, contenders, goals }) => {
  for (const goal of goals) {
    expect(cases.map(({ name }) => name)).toContain(goal.case);
    expect(contenders).toContain(goal.contender);
  }
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
  expect(() => parseOptions(['--workload=syncer'])).toThrow('there are export, lifecycle');
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
