import { expect, test } from '@jest/globals';
import { parseInt64 } from './int64.ts';

test.each([
  ['0', 0n],
  ['-1', -1n],
  ['+7', 7n],
  ['9223372036854775807', 9223372036854775807n],
  ['-9223372036854775808', -9223372036854775808n],
])('%s is read as Go reads it', (text, value) => {
  expect(parseInt64(text)).toBe(value);
});

test.each(['', '+', '1.0', '1e3', '0x10', '1_000', ' 1', '9223372036854775808', '-9223372036854775809'])(
  '%j is no 64-bit integer',
  text => {
    expect(parseInt64(text)).toBeUndefined();
  },
);
