import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { Readable } from 'node:stream';
import type { Delivery } from './delivery.ts';
import { upstreamError } from './failure.ts';
import { endToEndResponseHeaders } from './hop-by-hop.ts';
import { sendableBody } from './request-body.ts';
import { type UpstreamCall, UpstreamError, type UpstreamRequest } from './upstream.ts';

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;

/** One request on an HTTP/2 session. `closed` is called once, when the stream counts no more. */
export class Http2Call implements UpstreamCall {
  readonly #name: string;
  readonly #delivery: Delivery;
  readonly #body: ReturnType<typeof sendableBody>;
  readonly #closed: () => void;
  #stream: ClientHttp2Stream | undefined;
  #cause: unknown;
  /** The head of the answer has arrived. */
  #answered = false;
  /** END_STREAM has arrived. */
  #complete = false;

  constructor(
    name: string,
    session: ClientHttp2Session,
    request: UpstreamRequest,
    delivery: Delivery,
    authority: string,
    closed: () => void,
  ) {
    this.#name = name;
    this.#delivery = delivery;
    this.#closed = closed;
    this.#body = sendableBody(request.body, request.contentLength);
    try {
      this.#stream = session.request(this.#head(request, authority), { endStream: this.#body === null });
    } catch (error) {
      this.#discardBody();
      delivery.fail(upstreamError(name, error, false));
      closed();
      return;
    }
    this.#listen(this.#stream);
    this.#send(this.#stream);
  }

  resume(): void {
    this.#stream?.resume();
  }

  abort(): void {
    const over = this.#delivery.over;
    this.#delivery.drop();
    if (!over) this.#cancel();
  }

  #head({ method, path, headers, contentLength }: UpstreamRequest, authority: string): string[] {
    const head = [':method', method, ':path', path, ':authority', authority, ':scheme', 'https', ...headers];
    if (this.#body instanceof Uint8Array) head.push('content-length', String(this.#body.length));
    else if (this.#body !== null && contentLength !== undefined) head.push('content-length', String(contentLength));
    return head;
  }

  #listen(stream: ClientHttp2Stream): void {
    this.#noteEndOfStream(stream);
    stream.on('response', (headers, _flags, rawHeaders: string[]) => {
      this.#answered = true;
      this.#guarded(() => this.#delivery.head(headers[':status'] ?? 0, endToEndResponseHeaders(rawHeaders)));
    });
    stream.on('data', (chunk: Buffer) => {
      this.#guarded(() => {
        if (!this.#delivery.data(chunk)) stream.pause();
      });
    });
    stream.on('end', () => {
      if (!this.#complete) return;
      this.#delivery.end();
      // An answer before the upload's end: the rest is not wanted.
      if (!stream.writableEnded) stream.close(NGHTTP2_NO_ERROR);
      this.#discardBody();
    });
    stream.on('error', error => {
      this.#cause ??= error;
    });
    stream.once('close', () => {
      this.#discardBody();
      this.#delivery.fail(this.#failure(stream));
      this.#closed();
    });
  }

  /**
   * `node:http2` emits 'end' for END_STREAM and also when the connection dies or the stream is reset with NO_ERROR, so that a body
   * cut short would look complete. What tells them apart is that END_STREAM arrives while the stream is open.
   */
  #noteEndOfStream(stream: ClientHttp2Stream): void {
    const push = stream.push;
    stream.push = (chunk, encoding) => {
      if (chunk === null && !stream.closed && !stream.destroyed) this.#complete = true;
      return push.call(stream, chunk, encoding);
    };
  }

  #send(stream: ClientHttp2Stream): void {
    const body = this.#body;
    if (body === null) return;
    if (!(body instanceof Readable)) {
      stream.end(body);
      return;
    }
    body.on('error', error => {
      this.#delivery.fail(upstreamError(this.#name, error, true));
      this.#cancel();
    });
    body.pipe(stream);
  }

  #failure(stream: ClientHttp2Stream): UpstreamError {
    if (stream.rstCode === NGHTTP2_REFUSED_STREAM) {
      // RFC 9113 §8.7: a refused stream was not processed at all.
      return new UpstreamError('reset', `${this.#name} refused a stream`, { cause: this.#cause, nothingSent: true });
    }
    if (stream.rstCode === NGHTTP2_ENHANCE_YOUR_CALM && !this.#answered) {
      // Node's server says this where it has no room for a stream: it still counts some that have been reset.
      return new UpstreamError('busy', `${this.#name} has no room for another stream`, {
        cause: this.#cause,
        nothingSent: false,
      });
    }
    return upstreamError(this.#name, this.#cause ?? new Error(`stream closed with code ${stream.rstCode}`), true);
  }

  /** A handler that throws loses its call, not the process. */
  #guarded(deliver: () => void): void {
    try {
      deliver();
    } catch (error) {
      this.#delivery.fail(upstreamError(this.#name, error, true));
      this.#cancel();
    }
  }

  #cancel(): void {
    this.#discardBody();
    this.#stream?.close(NGHTTP2_CANCEL);
  }

  #discardBody(): void {
    if (!(this.#body instanceof Readable)) return;
    if (this.#stream) this.#body.unpipe(this.#stream);
    this.#body.destroy();
  }
}
