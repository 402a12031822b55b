import { expect, test } from '@jest/globals';
import { treeOf } from './tree.ts';

const processes = [
  { pid: 30, parent: 20 },
  { pid: 10, parent: 1 },
  { pid: 20, parent: 10 },
  { pid: 11, parent: 1 },
];
const pids = (roots: readonly number[]): number[] => treeOf(roots, processes).map(({ pid }) => pid);

test('a tree holds the children of children, in whatever order processes are listed', () => {
  expect(pids([10])).toEqual([10, 20, 30]);
});

test('a process that is a root and the child of another one counts once', () => {
  expect(pids([10, 20])).toHaveLength(3);
});

test('a root that has gone has no tree', () => {
  expect(pids([99])).toEqual([]);
});
