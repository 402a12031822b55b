/** Parts of protobuf messages, written in the wire format (protobuf.dev/programming-guides/encoding). */

/** Base 128, the lowest seven bits first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** A field of a whole number of at most 53 bits, or of a flag: 0 or 1. */
export const fieldVarint = (number: number, value: number): Buffer =>
  Buffer.from([...varint(number * 8 + VARINT), ...varint(value)]);

/** A field of bytes: a message, or one entry of a map. */
export const fieldBytes = (number: number, content: Uint8Array): Buffer =>
  Buffer.concat([Uint8Array.from([...varint(number * 8 + LENGTH_DELIMITED), ...varint(content.length)]), content]);

export const fieldText = (number: number, text: string): Buffer => fieldBytes(number, Buffer.from(text));
