import { expect, test } from '@jest/globals';
import { placementFrom } from './placement-annotations.ts';

const annotated = (selector?: string, spread?: string) =>
  placementFrom({
    metadata: {
      annotations: {
        ...(selector !== undefined && { 'placement.workload.kcp.io/selector': selector }),
        ...(spread !== undefined && { 'placement.workload.kcp.io/spread': spread }),
      },
    },
  });

test('a namespace that asks for nothing goes to one target, whichever', () => {
  expect(placementFrom({})).toEqual({ selector: [], spread: 1 });
  expect(annotated('', '1')).toEqual({ selector: [], spread: 1 });
});

test('it may ask for targets by their labels, and for several, or none', () => {
  expect(annotated('region in (eu,us)', '2')).toMatchObject({ selector: [{ key: 'region', operator: 'in' }], spread: 2 });
  expect(annotated(undefined, '0')).toMatchObject({ spread: 0 });
});

test.each([
  ['a in (', undefined],
  ['=', undefined],
  [`a in (${'x,'.repeat(1_000)}x)`, undefined],
  [undefined, ''],
  [undefined, '-1'],
  [undefined, 'many'],
  [undefined, '1.5'],
  [undefined, '99999'],
])('selector %p and spread %p are none', (selector, spread) => {
  expect(annotated(selector, spread)).toEqual({ problem: expect.stringContaining('placement.workload.kcp.io/') });
});
