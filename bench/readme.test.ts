import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { withResults } from './readme.ts';
import { WORKLOAD_NAMES } from './workload.ts';

const README = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');

test('the results of a workload replace its own and leave those of the others', () => {
  const first = withResults(README, 'export', 'first table');
  const both = withResults(withResults(first, 'lifecycle', 'other table'), 'export', 'second table');
  expect(both).toContain('other table');
  expect(both).toContain('second table');
  expect(both).not.toContain('first table');
});

test.each([...WORKLOAD_NAMES, 'syncer', 'workspaces'] as const)('the README has a place for the results of %s', section => {
  expect(withResults(README, section, 'a table of this test')).toContain('a table of this test');
});

test('a README without the marks is not written over', () => {
  expect(() => withResults('# Bench', 'export', 'a table')).toThrow('lacks the lines <!-- results of export: begin');
});
