import { gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { gzipOf, prepare } from './prepared.ts';

test('equal documents have equal bytes and equal strong ETags', () => {
  const [a, b, c] = [prepare({ a: 1 }), prepare({ a: 1 }), prepare({ a: 2 })];
  expect(a.body.toString()).toBe('{"a":1}\n');
  expect(a.etag).toMatch(/^"[0-9A-F]{64}"$/);
  expect(a.etag).toBe(b.etag);
  expect(a.etag).not.toBe(c.etag);
});

test('a document is gzipped once, with an ETag of its own', () => {
  const document = prepare({ a: 'x'.repeat(2000) });
  const gzipped = gzipOf(document);
  expect(gunzipSync(gzipped?.body ?? '')).toEqual(document.body);
  expect(gzipped?.etag).toBe(document.etag.replace(/"$/, '-gzip"'));
  expect(gzipOf(document)).toBe(gzipped);
});

test('a small document is not gzipped', () => {
  expect(gzipOf(prepare({ a: 1 }))).toBeUndefined();
});
