import { expect, test } from '@jest/globals';
import { kubernetesTime } from './deletion-time.ts';

test.each([
  ['2023-05-01T10:00:00Z', '2023-05-01T10:00:00Z'],
  ['2023-05-01T10:00:00.987654321Z', '2023-05-01T10:00:00Z'],
  ['2023-05-01T01:30:00+02:00', '2023-04-30T23:30:00Z'],
  ['2023-12-31T23:30:00-00:45', '2024-01-01T00:15:00Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
])('%s is %s in UTC', (text, told) => {
  expect(kubernetesTime(text)).toBe(told);
});

test.each([
  '',
  'now',
  '2023-05-01',
  '2023-05-01T10:00:00',
  '2023-05-01 10:00:00Z',
  '2023-05-01t10:00:00z',
  '2023-02-30T00:00:00Z',
  '2023-05-01T24:00:00Z',
  '2023-05-01T10:00:60Z',
  '2023-05-01T10:00:00+24:00',
  '2023-05-01T10:00:00,5Z',
])('%j is no timestamp', text => {
  expect(kubernetesTime(text)).toBeUndefined();
});
