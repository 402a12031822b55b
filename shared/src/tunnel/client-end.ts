import { Duplex } from 'node:stream';

/** Bytes that a client may send ahead of the answer; more wait in its own socket. */
const AHEAD = 64 * 1024;

const END_OF_HEAD = '\r\n\r\n';

/**
 * The client's connection as http-proxy gets to see it. The library would write the backend's answer to it as it came; what it writes before
 * the end of a head is thrown away here, since the head that the client gets has been sent by us.
 *
 * It reads from the beginning, which is how a client is noticed that leaves before it has an answer, and it never closes the connection
 * below: that is its owner's.
 */
export class ClientEnd extends Duplex {
  readonly #below: Duplex;
  #headIsOver = false;

  /** `head`: what the client has sent behind its request. */
  constructor(below: Duplex, head: Uint8Array) {
    super({ readableHighWaterMark: AHEAD });
    this.#below = below;
    if (head.length > 0) this.push(head);
    below.on('data', this.#take).once('end', this.#end).once('close', this.#lost);
    // The library has a listener only from its own start on.
    this.on('error', () => this.destroy());
  }

  override _read(): void {
    if (!this.#below.destroyed) this.#below.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const piece = this.#headIsOver ? chunk : this.#withoutHead(chunk);
    // A client that does not keep up holds back its backend.
    if (piece.length === 0 || this.#below.write(piece)) callback();
    else this.#below.once('drain', callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    // Not before the client's own socket has taken all of it; that it may fail there is its owner's to see.
    this.#below.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#below.off('data', this.#take).off('end', this.#end).off('close', this.#lost);
    callback(error);
  }

  /** What the library calls a socket's: the connection's options are set where it was accepted. */
  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  destroySoon(): void {
    this.destroy();
  }

  /** The library writes its head at once; names and values of it hold no line break, since a parser has read them. */
  #withoutHead(chunk: Buffer): Buffer {
    const end = chunk.indexOf(END_OF_HEAD);
    if (end < 0) return chunk.subarray(chunk.length);
    this.#headIsOver = true;
    return chunk.subarray(end + END_OF_HEAD.length);
  }

  readonly #take = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#below.pause();
  };

  readonly #end = (): void => {
    this.push(null);
  };

  readonly #lost = (): void => {
    this.destroy();
  };
}
