import { describe, expect, test } from '@jest/globals';
import { Histogram, Registry } from 'prom-client';
import { Durations } from './durations.ts';

const OPTIONS = { name: 'seconds', help: 'Of what.', buckets: [0.1, 1, 5] };
const GET = { method: 'GET', code: '200', view: 'one' };
const POST = { method: 'POST', code: '201', view: 'none' };
const OBSERVED = [
  [GET, 0.1],
  [GET, 0.1000001],
  [GET, 4],
  [POST, 60],
  [GET, 0],
] as const;

describe('durations', () => {
  test('are shown as prom-client shows a histogram of its own', async () => {
    const [ours, theirs] = [new Registry(), new Registry()];
    const durations = new Durations({ ...OPTIONS, registers: [ours] });
    const histogram = new Histogram({ ...OPTIONS, labelNames: ['method', 'code', 'view'], registers: [theirs] });
    for (const [labels, seconds] of OBSERVED) {
      durations.add(labels, seconds);
      histogram.observe(labels, seconds);
    }
    expect(await ours.metrics()).toBe(await theirs.metrics());
  });

  test('are none before the first, and after a reset', async () => {
    const registry = new Registry();
    const durations = new Durations({ ...OPTIONS, registers: [registry] });
    const empty = await registry.metrics();
    expect(empty).toContain('# TYPE seconds histogram');
    durations.add(GET, 1);
    expect(await registry.metrics()).not.toBe(empty);
    registry.resetMetrics();
    expect(await registry.metrics()).toBe(empty);
  });
});
