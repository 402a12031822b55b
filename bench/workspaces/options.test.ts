import { expect, test } from '@jest/globals';
import { parseOptions, USAGE } from './options.ts';
import { FULL, QUICK } from './pace.ts';

test('three sizes are measured unless options say otherwise', () => {
  const options = parseOptions([]);
  expect(options?.worlds.map(({ workspaces }) => workspaces)).toEqual([1_000, 10_000, 50_000]);
  expect(options).toMatchObject({ watchers: 1_000, pace: FULL, write: false });
});

test('a quick run is of two small sizes, and of those that are named', () => {
  expect(parseOptions(['--quick'])).toMatchObject({ worlds: [{ workspaces: 1_000 }, { workspaces: 4_000 }], pace: QUICK });
  expect(parseOptions(['--quick', '--sizes=2000'])?.worlds).toMatchObject([{ workspaces: 2_000 }]);
});

test('larger worlds have more bindings', () => {
  const bindings = (argv: readonly string[]) => parseOptions(argv)?.worlds.map(world => world.bindings);
  expect(bindings([])).toEqual([200, 2_000, 10_000]);
  expect(bindings(['--bindings=0', '--sizes=3000'])).toEqual([0]);
});

test('what makes no sense is refused with the reason', () => {
  expect(() => parseOptions(['--sizes=10'])).toThrow('--sizes: "10" is no number from 1000 on');
  expect(() => parseOptions(['--sizes=many'])).toThrow('--sizes: "many"');
  expect(() => parseOptions(['--watchers=200', '--users=100'])).toThrow('there are only 100');
  expect(() => parseOptions(['--profile=get'])).toThrow('there are fill, lists, changes, watchers');
  expect(() => parseOptions(['--fast'])).toThrow('--fast');
});

test('a profile is of a part', () => {
  expect(parseOptions(['--profile=lists'])).toMatchObject({ profile: 'lists' });
  expect(parseOptions([])).not.toHaveProperty('profile');
});

test('help is no run', () => {
  expect(parseOptions(['--help'])).toBeUndefined();
  expect(USAGE).toContain('--watchers');
});
