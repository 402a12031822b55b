import { isUtf8 } from 'node:buffer';
import { badRequest } from './errors.ts';

/** One field of a protobuf message (the wire format, protobuf.dev/programming-guides/encoding). */
export interface ProtobufField {
  readonly number: number;
  /** The content of a length-delimited field, a view. Throws a StatusError 400 for other wire types. */
  bytes(): Uint8Array;
  /** The same as UTF-8 text. Throws a StatusError 400 for what is none. */
  text(): string;
}

const malformed = (why: string): Error => badRequest(`the protobuf message is malformed: ${why}`);

/** A leading U+FEFF is part of the text. */
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const FIXED32 = 5;

/** Groups are deprecated and no Kubernetes message has any; so many levels of unknown ones are skipped. */
const MAX_GROUP_DEPTH = 100;

/** The fields of a message in their order. Throws a StatusError 400 as soon as one reaches beyond the message or is no field. */
export function* fieldsOf(message: Uint8Array): Generator<ProtobufField> {
  const reader = new Reader(message);
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    const content = reader.content(number, wireType, 0);
    yield {
      number,
      bytes() {
        if (wireType !== LENGTH_DELIMITED) throw malformed(`field ${number} has wire type ${wireType}, not ${LENGTH_DELIMITED}`);
        return content;
      },
      text() {
        const bytes = this.bytes();
        if (!isUtf8(bytes)) throw malformed(`field ${number} is not UTF-8`);
        return UTF8.decode(bytes);
      },
    };
  }
}

class Reader {
  readonly #message: Uint8Array;
  #position = 0;

  constructor(message: Uint8Array) {
    this.#message = message;
  }

  get done(): boolean {
    return this.#position >= this.#message.length;
  }

  /**
   * A varint that fits 53 bits; numbers that are skipped may have 64. Longer ones are refused: Go drops the upper bits, so that a huge
   * tag is a small field there, and would be hidden from us.
   */
  #varint(skipped = false): number {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.#message[this.#position++];
      if (byte === undefined) throw malformed('it ends within a number');
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte >= 0x80) continue;
      if (!skipped && !Number.isSafeInteger(value)) break;
      return value;
    }
    throw malformed('a number is too large');
  }

  tag(): { number: number; wireType: number } {
    const tag = this.#varint();
    const number = Math.floor(tag / 8);
    // 29 bits are what the wire format allows.
    if (number < 1 || number >= 2 ** 29) throw malformed(`${number} is no field number`);
    return { number, wireType: tag % 8 };
  }

  /** The bytes of a field's value; empty for those that only have to be skipped. */
  content(number: number, wireType: number, depth: number): Uint8Array {
    switch (wireType) {
      case VARINT:
        this.#varint(true);
        return new Uint8Array(0);
      case FIXED64:
        return this.#take(8);
      case LENGTH_DELIMITED:
        return this.#take(this.#varint());
      case START_GROUP:
        this.#skipGroup(number, depth + 1);
        return new Uint8Array(0);
      case FIXED32:
        return this.#take(4);
      default:
        throw malformed(`field ${number} has the wire type ${wireType}`);
    }
  }

  #take(length: number): Uint8Array {
    const start = this.#position;
    if (length > this.#message.length - start) throw malformed('a field reaches beyond its end');
    this.#position = start + length;
    return this.#message.subarray(start, this.#position);
  }

  #skipGroup(number: number, depth: number): void {
    if (depth > MAX_GROUP_DEPTH) throw malformed('groups are nested too deep');
    for (;;) {
      const inner = this.tag();
      if (inner.wireType === END_GROUP && inner.number === number) return;
      this.content(inner.number, inner.wireType, depth);
    }
  }
}
