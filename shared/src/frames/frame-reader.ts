import { FRAME, FRAME_HEADER, MAX_PAYLOAD } from './frame.ts';

export interface FrameHandler {
  /** A frame of any kind but `data`, complete. */
  onFrame(kind: number, stream: number, payload: Buffer): void;
  /** A piece of what a `data` frame holds, as it comes. */
  onData(stream: number, piece: Buffer): void;
}

/** Takes what comes over a connection apart. Holds no more than one frame that is not complete. */
export class FrameReader {
  readonly #handler: FrameHandler;
  /** The beginning of a frame. */
  #rest: Buffer | undefined;
  #dataLeft = 0;
  #dataStream = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Throws for what is no frame: nothing behind it can be understood. */
  read(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk]);
      this.#rest = undefined;
    }
    let at = 0;
    while (at < bytes.length) {
      if (this.#dataLeft > 0) {
        const piece = bytes.subarray(at, at + this.#dataLeft);
        at += piece.length;
        this.#dataLeft -= piece.length;
        this.#handler.onData(this.#dataStream, piece);
        continue;
      }
      if (bytes.length - at < FRAME_HEADER) break;
      const length = bytes.readUInt32BE(at);
      const kind = bytes[at + 4] as number;
      const stream = bytes.readUInt32BE(at + 5);
      if (kind === FRAME.data) {
        at += FRAME_HEADER;
        this.#dataLeft = length;
        this.#dataStream = stream;
        continue;
      }
      if (length > MAX_PAYLOAD) throw new RangeError(`a frame of ${length} bytes`);
      if (bytes.length - at < FRAME_HEADER + length) break;
      at += FRAME_HEADER;
      this.#handler.onFrame(kind, stream, bytes.subarray(at, at + length));
      at += length;
    }
    if (at < bytes.length) this.#rest = at === 0 ? bytes : Buffer.from(bytes.subarray(at));
  }
}
