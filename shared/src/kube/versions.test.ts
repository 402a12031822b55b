import { expect, test } from '@jest/globals';
import { compareVersions } from './versions.ts';

test('versions sort by stage, then by number, and what is no version comes last', () => {
  // The example of the CRD documentation of Kubernetes.
  const sorted = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'foo1', 'foo10'];
  expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted);
  expect(compareVersions('v1', 'v1')).toBe(0);
  expect(compareVersions('x', 'x')).toBe(0);
});
