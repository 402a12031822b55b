import { expect, test } from '@jest/globals';
import { figure, table } from './table.ts';

test('figures have three digits, however large or small they are', () => {
  expect([3561.7, 802.4, 74.66, 4.847, 0.3055, 0.0387].map(figure)).toEqual(['3,560', '802', '74.7', '4.85', '0.31', '0.039']);
});

test('what was not measured is a dash', () => {
  expect([undefined, Number.NaN, 1 / 0].map(figure)).toEqual(['–', '–', '–']);
});

test('a table is as wide as its widest cells, names to the left and figures to the right', () => {
  expect(table([['contender', 'ms'], ['fleet', '12.3'], ['x']])).toBe(
    ['| contender |   ms |', '| --------- | ---: |', '| fleet     | 12.3 |', '| x         |      |'].join('\n'),
  );
});
