import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StatusError } from './errors.ts';
import { fieldsOf } from './protobuf-wire.ts';

const numbers = (...bytes: number[]): number[] => [...fieldsOf(Uint8Array.from(bytes))].map(field => field.number);

test('fields of every wire type are passed over', () => {
  const message = [
    0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 1, 0x41, 0x25, 1, 2, 3,
    4,
  ];
  expect(numbers(...message)).toEqual([1, 2, 3, 4]);
});

test('groups are passed over, nested ones too', () => {
  expect(numbers(0x0b, 0x13, 0x18, 0x05, 0x14, 0x0c, 0x2a, 0x00)).toEqual([1, 5]);
});

describe('a message is malformed', () => {
  test.each<[string, number[]]>([
    ['when it ends within a tag', [0x80]],
    ['when it ends within a number', [0x08, 0x80]],
    ['when it ends within fixed bytes', [0x0d, 1, 2, 3]],
    ['when a length reaches beyond it', [0x0a, 2, 1]],
    ['when a length is larger than any memory', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['when a length is negative in Go', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['when a number has more than ten bytes', [0x08, ...Array(10).fill(0x80), 0x01]],
    ['when a field has the number 0', [0x02, 0]],
    ['when a wire type does not exist', [0x0f]],
    ['when a group ends that never began', [0x0c]],
    ['when a group ends as another', [0x0b, 0x14]],
    ['when a group never ends', [0x0b]],
    ['when groups are nested without end', Array(200).fill(0x0b)],
    // In Go this is field 1: it keeps the lower 32 bits of the number, which would be skipped here as a field we do not know.
    ['when a tag is longer than a field number can be', [0x8a, 0x80, 0x80, 0x80, 0x80, 0x01, 1, 0x41]],
  ])('%s', (_, bytes) => {
    expect(() => numbers(...bytes)).toThrow(StatusError);
  });

  test('when a text is a number, or not UTF-8', () => {
    const read = (...bytes: number[]) => [...fieldsOf(Uint8Array.from(bytes))].map(field => field.text());
    expect(read(0x0a, 3, 0xef, 0xbb, 0xbf)).toEqual(['\ufeff']);
    expect(() => read(0x08, 1)).toThrow('the protobuf message is malformed: field 1 has wire type 0, not 2');
    expect(() => read(0x0a, 1, 0xff)).toThrow('the protobuf message is malformed: field 1 is not UTF-8');
  });
});

test('any bytes are fields or a 400', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
      try {
        for (const field of fieldsOf(bytes)) expect(field.number).toBeGreaterThan(0);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        expect(error.code).toBe(400);
      }
    }),
    { numRuns: 5000 },
  );
});
