import { expect, test } from '@jest/globals';
import type { Measurement } from '../load/job.ts';
import { renderTable } from './report.ts';

const MEGABYTE = 1024 ** 2;

const measured = (operations: number, fleet: number, shard: number): Measurement => ({
  ...{ operations, seconds: 2, p50: 5, p99: 9, bytesPerOperation: 2_048, generator: 0.1, elsewhere: 0 },
  cpu: { fleet, shard, 'front-proxy': fleet / 4, 'apiexport-vw': fleet / 4, 'syncer-vw': fleet / 2 },
  resident: { fleet: 300 * MEGABYTE, shard: 0, 'syncer-vw': 100 * MEGABYTE },
  grown: {},
});

const row = {
  ...{ title: 'GET of one', unit: 'request' },
  measured: new Map([
    ['syncer', [measured(100, 4, 1), measured(300, 8, 1), measured(200, 6, 1)]],
    ['pass-through', [measured(800, 2, 1)]],
    ['shard', [measured(4_000, 0, 0.5)]],
  ] as const),
};

const cellsOf = (contender: string): string[] =>
  renderTable([row])
    .split('\n')
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    )
    .find(cells => cells[1] === contender) ?? [];

test('cells are medians over the rounds, of one operation', () => {
  expect(cellsOf('syncer').slice(2, 8)).toEqual(['100', '5.00', '1.50', '1.50', '3.00', '6.00']);
});

test('CPU is compared with that of the pass-through, and with all that the bare shard takes', () => {
  expect(cellsOf('syncer').slice(8)).toEqual(['3.00', '1.00', '14.0', '2.00', '300', '100']);
  expect(cellsOf('pass-through').slice(8)).toEqual(['–', '1.00', '6.00', '2.00', '300', '100']);
});

test('the shard has nothing of the fleet', () => {
  expect(cellsOf('shard').slice(4)).toEqual(['–', '–', '–', '–', '–', '0.50', '–', '2.00', '–', '–']);
});
