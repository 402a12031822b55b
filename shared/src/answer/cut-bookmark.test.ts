import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { cutInitialEventsEnd } from './cut-bookmark.ts';

const annotations = { 'k8s.io/initial-events-end': 'true' };
const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
const END = line('BOOKMARK', { metadata: { resourceVersion: '7', annotations } });
const before = [
  line('ADDED', { metadata: { name: 'ä', annotations } }),
  line('BOOKMARK', { metadata: { resourceVersion: '6' } }),
].join('');
const after = line('MODIFIED', { metadata: { name: 'b' } }) + END;

test('the first bookmark that ends initial events is cut, and nothing else, wherever the bytes are', () => {
  const stream = Buffer.from(before + END + after);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), cuts => {
      const map = cutInitialEventsEnd();
      const edges = [0, ...cuts.sort((a, b) => a - b), stream.length];
      const pieces = edges.slice(1).map((end, i) => Buffer.from(map(stream.subarray(edges[i], end))));
      expect(Buffer.concat(pieces).toString()).toBe(before + after);
    }),
  );
});

test('it is found in a Table and in metadata, too', () => {
  const row = { object: { kind: 'PartialObjectMetadata', metadata: { annotations } } };
  const table = line('BOOKMARK', { kind: 'Table', rows: [row] });
  expect(Buffer.from(cutInitialEventsEnd()(Buffer.from(table + after))).toString()).toBe(after);
});

test('an event that does not end is an error', () => {
  const map = cutInitialEventsEnd();
  expect(() => map(Buffer.alloc(17 * 1024 * 1024, 'a'))).toThrow('longer than');
});
