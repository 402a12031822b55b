import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLineSplitter, LineTooLongError } from './watch-lines.ts';

const linesOf = (chunks: readonly Uint8Array[], maxBytes = 1_000_000): string[] => {
  const lines: string[] = [];
  const splitter = createLineSplitter(maxBytes, line => lines.push(line));
  for (const chunk of chunks) splitter.push(chunk);
  return lines;
};

describe('line splitter', () => {
  test('gives the same lines however the bytes are cut, inside characters too', () => {
    const line = fc.string({ unit: 'grapheme' }).filter(text => !text.includes('\n') && text.trim() !== '');
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(7)), (lines, sizes) => {
        const bytes = Buffer.from(lines.map(text => `${text}\n`).join(''));
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; i += 1) {
          const size = (sizes[i % Math.max(1, sizes.length)] ?? 0) + 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(linesOf(chunks)).toEqual(lines);
      }),
    );
  });

  test('keeps back what is not complete', () => {
    expect(linesOf([Buffer.from('{"a":1}\n{"b":')])).toEqual(['{"a":1}']);
  });

  test('skips blank lines', () => {
    expect(linesOf([Buffer.from('a\n\n \r\nb\n')])).toEqual(['a', 'b']);
  });

  test('refuses a line over the limit before it is complete', () => {
    expect(() => linesOf([Buffer.from('12345'), Buffer.from('678')], 7)).toThrow(LineTooLongError);
  });

  test('counts the limit per line', () => {
    expect(linesOf([Buffer.from('1234567\n1234567\n')], 7)).toEqual(['1234567', '1234567']);
  });
});
