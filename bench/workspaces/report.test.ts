import { expect, test } from '@jest/globals';
import { renderChanges, renderFilled, renderLists, renderReport } from './report.ts';
import type { WorldResult } from './results.ts';

/** A world in which everything grows with the number of workspaces. */
function result(workspaces: number): WorldResult {
  const times = { median: workspaces / 100, p99: workspaces / 10 };
  return {
    size: { workspaces, parents: 8, users: 10, bindings: 0 },
    filled: {
      milliseconds: { clusterroles: 0, clusterrolebindings: workspaces / 2, logicalclusters: 0, workspaces: workspaces / 2 },
      text: 2_048 * workspaces,
      workspaces,
      edges: 2 * workspaces,
      index: { heap: 6_144 * workspaces, resident: 8_192 * workspaces },
      withFeed: { heap: 7_168 * workspaces, resident: 8_192 * workspaces },
      further: { edges: 5 * workspaces, heap: 500 * workspaces, milliseconds: workspaces / 10 },
      left: 0,
    },
    lists: [
      { name: 'ten', seen: 10, bytes: 20_480, first: 1, later: times, cpu: workspaces / 1_000 },
      { name: 'all', seen: workspaces, bytes: 2_048 * workspaces, later: times, cpu: 1 },
    ],
    changes: [{ name: 'a binding', lines: 1, write: times, arrival: times }],
    watchers: {
      ...{ watchers: 100, heap: 20_480, left: 0 },
      events: [{ name: 'one', lines: 1, write: times, arrival: times, perSecond: 500, cpuPerLine: 0.02 }],
    },
  };
}

const cellsOf = (text: string, name: string): string[][] =>
  text
    .split('\n')
    .map(line => line.split('|').slice(1, -1))
    .map(cells => cells.map(cell => cell.trim()))
    .filter(([first]) => first === name);

test('filling has a column for each size, and one for each growth', () => {
  const text = renderFilled([result(1_000), result(10_000), result(50_000)]);
  expect(cellsOf(text, 'workspaces')).toEqual([['workspaces', '1,000', '10,000', '50,000', '10,000 ÷ 1,000', '50,000 ÷ 10,000']]);
  expect(cellsOf(text, 'ms in all')).toEqual([['ms in all', '1,000', '10,000', '50,000', '10.0×', '5.00×']]);
  expect(cellsOf(text, 'heap KB for each')).toEqual([['heap KB for each', '6.00', '6.00', '6.00', '1.00×', '1.00×']]);
});

test('a list is compared with that of the smallest world where as much is seen', () => {
  const text = renderLists([result(1_000), result(10_000)]);
  expect(cellsOf(text, 'ten').map(cells => cells.at(-1))).toEqual(['', '10.0×']);
  expect(cellsOf(text, 'all').map(cells => cells.at(-1))).toEqual(['', '']);
});

test('a list of what has been asked for before has no first time', () => {
  expect(cellsOf(renderLists([result(1_000)]), 'all')[0]?.slice(1, 4)).toEqual(['1,000', '1,000', '–']);
});

test('what a size does not have is left out', () => {
  const small = { ...result(1_000), lists: [], changes: [] };
  expect(cellsOf(renderLists([small, result(10_000)]), 'ten')).toHaveLength(1);
  expect(cellsOf(renderChanges([small, result(10_000)]), 'a binding')).toHaveLength(1);
});

test('the report begins with what made it, and has all tables', () => {
  const text = renderReport([result(1_000)], 'the command');
  expect(text.startsWith('the command\n\nFilling the index:')).toBe(true);
  expect(text.match(/^\| -+ \|/gm)).toHaveLength(5);
  expect(cellsOf(text, 'one')[0]?.slice(-4)).toEqual(['500', '500', '20.0', '']);
});
