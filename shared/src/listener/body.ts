import { Readable } from 'node:stream';
import { tooLarge } from '../kube/errors.ts';

export interface RequestBodyOptions {
  /** Bytes; one more and the body ends with a `StatusError` 413. */
  readonly limit: number;
  /** Called when somebody starts to read: the moment to answer `Expect: 100-continue`. */
  readonly onFirstRead?: () => void;
}

/**
 * A request's body, counted while it streams and never held: what the reader does not take stays with the client.
 *
 * The source is not destroyed with it, because it is also the way the response takes (an HTTP/2 stream) or the connection's next
 * request (HTTP/1.1); the exchange discards the rest.
 */
export class RequestBody extends Readable {
  readonly #source: Readable;
  readonly #limit: number;
  #onFirstRead: (() => void) | undefined;
  #bytes = 0;
  #reading = false;

  constructor(source: Readable, { limit, onFirstRead }: RequestBodyOptions) {
    super();
    this.#source = source;
    this.#limit = limit;
    this.#onFirstRead = onFirstRead;
    // `aborted` matters in HTTP/2: a stream that is reset with NO_ERROR ends like one that is complete.
    source.once('aborted', this.#cut).once('close', this.#cut).on('error', this.#cut);
    // A client may break its body off before anybody reads it; that must not end the process. Who reads later gets the error then.
    this.on('error', () => {});
  }

  /** Bytes that have come so far. */
  get received(): number {
    return this.#bytes;
  }

  override _read(): void {
    if (this.#reading) {
      this.#source.resume();
      return;
    }
    this.#reading = true;
    this.#onFirstRead?.();
    this.#onFirstRead = undefined;
    this.#source.on('data', this.#take).once('end', this.#end);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source.off('data', this.#take).off('end', this.#end);
    this.#source.off('aborted', this.#cut).off('close', this.#cut);
    if (!this.#source.readableEnded) this.#source.pause();
    callback(error);
  }

  readonly #take = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limit) this.destroy(tooLarge(this.#limit));
    else if (!this.push(chunk)) this.#source.pause();
  };

  readonly #end = (): void => {
    this.push(null);
  };

  readonly #cut = (): void => {
    if (this.#source.readableEnded) return;
    this.destroy(new Error('the client went away before its request body was complete'));
  };
}
