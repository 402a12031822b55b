import type { Duplex } from 'node:stream';
import { FRAME, FRAME_HEADER, type FrameKind } from './frame.ts';

/** Bytes that are put together for one write; more is written as it is. */
const SMALL = 64 * 1024;

/** Writes the frames of one turn of the event loop at once: each write costs as much as a good part of a request. */
export class FrameWriter {
  readonly #socket: Duplex;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #flushing = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** `text`: one character a byte. */
  text(kind: FrameKind, stream: number, text: string): void {
    const frame = framed(kind, stream, text.length, text.length);
    frame.write(text, FRAME_HEADER, 'latin1');
    this.#add(frame);
  }

  data(stream: number, chunk: Uint8Array): void {
    if (chunk.length > SMALL) {
      this.#add(framed(FRAME.data, stream, chunk.length, 0));
      this.#add(chunk);
      return;
    }
    const frame = framed(FRAME.data, stream, chunk.length, chunk.length);
    frame.set(chunk, FRAME_HEADER);
    this.#add(frame);
  }

  /** A frame without a payload. */
  sign(kind: FrameKind, stream: number): void {
    this.#add(framed(kind, stream, 0, 0));
  }

  window(stream: number, bytes: number): void {
    const frame = framed(FRAME.window, stream, 4, 4);
    frame.writeUInt32BE(bytes, FRAME_HEADER);
    this.#add(frame);
  }

  /** Writes what waits, now. */
  flush(): void {
    this.#flushing = false;
    const waiting = this.#waiting;
    const bytes = this.#bytes;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.#bytes = 0;
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    if (waiting.length === 1) this.#socket.write(waiting[0]);
    else if (bytes <= SMALL) this.#socket.write(Buffer.concat(waiting, bytes));
    else {
      this.#socket.cork();
      for (const piece of waiting) this.#socket.write(piece);
      this.#socket.uncork();
    }
  }

  #add(piece: Uint8Array): void {
    this.#waiting.push(piece);
    this.#bytes += piece.length;
    if (this.#flushing) return;
    this.#flushing = true;
    // After all that has come in this turn: what it leads to is written together.
    setImmediate(this.#flushSoon);
  }

  readonly #flushSoon = (): void => this.flush();
}

/** The frame's beginning, in a buffer with place for so much of its payload. */
function framed(kind: FrameKind, stream: number, length: number, place: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER + place);
  frame.writeUInt32BE(length, 0);
  frame[4] = kind;
  frame.writeUInt32BE(stream, 5);
  return frame;
}
