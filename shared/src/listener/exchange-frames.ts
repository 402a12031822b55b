import { encodeFields, FRAME, WINDOW } from '../frames/frame.ts';
import type { FrameWriter } from '../frames/frame-writer.ts';
import { BaseExchange, type ExchangeRequest } from './exchange-base.ts';
import type { RawHeaders } from './headers.ts';

export interface FramedExchangeRequest extends ExchangeRequest {
  readonly stream: number;
  readonly writer: FrameWriter;
}

/** A request that came in a frame. What the reader has not made room for waits here; whoever writes is told to stop then. */
export class FramedExchange extends BaseExchange {
  override readonly httpVersion = '1.1';
  readonly #stream: number;
  readonly #writer: FrameWriter;
  #room = WINDOW;
  #waiting: Uint8Array[] = [];

  constructor({ stream, writer, ...request }: FramedExchangeRequest) {
    super(request);
    this.#stream = stream;
    this.#writer = writer;
  }

  protected override sendHead(status: number, headers: RawHeaders): void {
    this.#writer.text(FRAME.head, this.#stream, encodeFields([String(status), ...headers]));
  }

  protected override sendChunk(chunk: Uint8Array | string): boolean {
    this.#waiting.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    return this.#send();
  }

  protected override sendEnd(chunk: Uint8Array | string | undefined): void {
    if (chunk !== undefined) this.sendChunk(chunk);
    if (this.#waiting.length === 0) this.#finish();
  }

  /** The reader has taken so many bytes. */
  widen(bytes: number): void {
    if (this.closed) return;
    this.#room += bytes;
    const hasRoom = this.#send();
    if (this.#waiting.length > 0) return;
    if (this.ended) this.#finish();
    else if (hasRoom) this.drained();
  }

  /** As much of what waits as there is room for. True: all of it, and there is room for more. */
  #send(): boolean {
    for (let next = this.#waiting[0]; next !== undefined && this.#room > 0; next = this.#waiting[0]) {
      const piece = next.length <= this.#room ? next : next.subarray(0, this.#room);
      this.#room -= piece.length;
      this.#writer.data(this.#stream, piece);
      if (piece === next) this.#waiting.shift();
      else this.#waiting[0] = next.subarray(piece.length);
    }
    return this.#waiting.length === 0 && this.#room > 0;
  }

  protected override cut(): void {
    this.#waiting = [];
    this.#writer.sign(FRAME.reset, this.#stream);
  }

  #finish(): void {
    this.#writer.sign(FRAME.end, this.#stream);
    this.settle(true);
  }
}
