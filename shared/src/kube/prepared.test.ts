import { expect, test } from '@jest/globals';
import { prepare } from './prepared.ts';

test('equal documents have equal bytes and equal strong ETags', () => {
  const [a, b, c] = [prepare({ a: 1 }), prepare({ a: 1 }), prepare({ a: 2 })];
  expect(a.body.toString()).toBe('{"a":1}\n');
  expect(a.etag).toMatch(/^"[0-9A-F]{64}"$/);
  expect(a.etag).toBe(b.etag);
  expect(a.etag).not.toBe(c.etag);
});
