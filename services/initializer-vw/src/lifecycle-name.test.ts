import { describe, expect, test } from '@jest/globals';
import { lifecycleLabel, parseLifecycleName } from './lifecycle-name.ts';

describe('a lifecycle name', () => {
  test('is split at its last colon', () => {
    expect(parseLifecycleName('root:universal')).toEqual({ cluster: 'root', type: 'universal' });
    expect(parseLifecycleName('a:b:c')).toEqual({ cluster: 'a:b', type: 'c' });
    expect(parseLifecycleName('system:apibindings')).toEqual({ cluster: 'system', type: 'apibindings' });
  });

  test.each(['', 'nope', ':x', 'x:', ':'])('%j is malformed', name => {
    expect(parseLifecycleName(name)).toBeUndefined();
  });
});

// Computed with the code of kcp v0.32.3.
const VECTORS = [
  [
    'initializer.internal.kcp.io/',
    'system:apibindings',
    'dd58c810629ccc3e49c7d8225b9bcfaa42a',
    'dd58c810629ccc3e49c7d8225b9bcfaa42a4a2ecbb7e4a9be76614e3',
  ],
  [
    'terminator.internal.kcp.io/',
    'system:apibindings',
    'dd58c810629ccc3e49c7d8225b9bcfaa42a4',
    'dd58c810629ccc3e49c7d8225b9bcfaa42a4a2ecbb7e4a9be76614e3',
  ],
  [
    'initializer.internal.kcp.io/',
    'root:universal',
    'd1d6459a03641b6fd7560fc2849f6c66fa9',
    'd1d6459a03641b6fd7560fc2849f6c66fa971a0afeded6ba2d2743f2',
  ],
] as const;

test.each(VECTORS)('the label of %s%s is the one that kcp sets', (prefix, name, suffix, value) => {
  expect(lifecycleLabel(prefix, name)).toEqual({ key: prefix + suffix, value });
});
