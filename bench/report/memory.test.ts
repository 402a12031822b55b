import { expect, test } from '@jest/globals';
import { renderMemory } from './memory.ts';

test('memory is told before and after all cases', () => {
  const text = renderMemory([{ contender: 'single', before: 100 * 2 ** 20, after: 150 * 2 ** 20 }]);
  expect(text).toMatch(/\| single +\| +100 \| +150 \| +50\.0 \|/);
});

test('where nobody has memory there is no table of it', () => {
  expect(renderMemory([])).toBeUndefined();
});
