import type { Duplex } from 'node:stream';
import { decodeFields, FRAME, WINDOW } from '../frames/frame.ts';
import { type FrameHandler, FrameReader } from '../frames/frame-reader.ts';
import { FrameWriter } from '../frames/frame-writer.ts';
import type { RawHeaders } from '../listener/headers.ts';
import { UpstreamError } from './upstream.ts';

export interface FrameTimeouts {
  /** Milliseconds until an answer's head, and between two pieces of its body; 0: for ever. */
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
}

/** What an answer's reader has a say in. */
export interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/** Receives one answer; `onFailure` comes at most once, and nothing after it or after `onEnd`. */
export interface FramedAnswer {
  onHead(status: number, headers: RawHeaders): void;
  onData(flow: Flow, piece: Buffer): void;
  onEnd(): void;
  onFailure(error: Error): void;
}

/** Of an answer, as undici has it for its HTTP/1.1. */
const MAX_HEAD = 64 * 1024;
const MAX_STREAM = 0xffff_ffff;

interface Owner {
  /** It takes no more requests. */
  retired(): void;
  closed(): void;
}

/** One connection with frames, and the answers that are to come over it. */
export class FrameConnection implements FrameHandler {
  readonly #name: string;
  readonly #socket: Duplex;
  readonly #options: FrameTimeouts;
  readonly #owner: Owner;
  readonly #writer: FrameWriter;
  readonly #answers = new Map<number, Answering>();
  #timer: NodeJS.Timeout | undefined;
  #next = 1;
  #isRetired = false;

  constructor(name: string, socket: Duplex, options: FrameTimeouts, owner: Owner) {
    this.#name = name;
    this.#socket = socket;
    this.#options = options;
    this.#owner = owner;
    this.#writer = new FrameWriter(socket);
  }

  start(head: Buffer): void {
    const reader = new FrameReader(this);
    const read = (chunk: Buffer): void => {
      try {
        reader.read(chunk);
      } catch (error) {
        this.fail(error as Error);
      }
    };
    this.#socket.on('error', error => this.fail(error));
    this.#socket.on('end', () => this.fail(new Error('the other side closed')));
    this.#socket.once('close', () => this.fail(new Error('the connection is closed')));
    const { headersTimeout, bodyTimeout } = this.#options;
    const shortest = Math.min(headersTimeout || Number.POSITIVE_INFINITY, bodyTimeout || Number.POSITIVE_INFINITY);
    // One look at all of them, now and then, instead of a timer for each.
    if (Number.isFinite(shortest)) {
      this.#timer = setInterval(() => this.#look(), Math.min(1_000, Math.max(1, shortest / 4)));
      this.#timer.unref();
    }
    if (head.length > 0) read(head);
    this.#socket.on('data', read);
  }

  send(fields: string, answer: FramedAnswer): Flow {
    const stream = this.#next++;
    const answering = new Answering(this, stream, answer);
    this.#answers.set(stream, answering);
    this.#writer.text(FRAME.request, stream, fields);
    // Numbers are not used twice: what comes late would belong to another request.
    if (this.#next > MAX_STREAM) this.#retire();
    return answering;
  }

  onFrame(kind: number, stream: number, payload: Buffer): void {
    if (kind === FRAME.goAway) {
      this.#retire();
      return;
    }
    if (kind !== FRAME.head && kind !== FRAME.end && kind !== FRAME.reset) throw new RangeError(`a frame of kind ${kind}`);
    // Of a request that was given up, the answer may still be on the way.
    const answering = this.#answers.get(stream);
    if (answering === undefined) return;
    if (kind === FRAME.head) {
      answering.head(payload);
      return;
    }
    this.#forget(stream);
    if (kind === FRAME.end) answering.end();
    else answering.fail(this.#reset('the other side gave it up'));
  }

  onData(stream: number, piece: Buffer): void {
    this.#answers.get(stream)?.data(piece);
  }

  widen(stream: number, bytes: number): void {
    this.#writer.window(stream, bytes);
  }

  /** Tells the other side that nobody waits for it any more. */
  giveUp(stream: number): void {
    if (!this.#answers.has(stream)) return;
    this.#writer.sign(FRAME.reset, stream);
    this.#forget(stream);
  }

  /** Ends the connection with all that runs over it. */
  fail(cause: Error): void {
    clearInterval(this.#timer);
    this.#isRetired = true;
    this.#owner.retired();
    this.#owner.closed();
    const answers = [...this.#answers.values()];
    this.#answers.clear();
    this.#socket.destroy();
    for (const answering of answers) answering.fail(cause instanceof UpstreamError ? cause : this.#reset(cause.message));
  }

  #reset(why: string): UpstreamError {
    return new UpstreamError('reset', `${this.#name} broke the connection: ${why}`);
  }

  #forget(stream: number): void {
    this.#answers.delete(stream);
    if (this.#isRetired && this.#answers.size === 0) this.#hangUp();
  }

  #retire(): void {
    this.#isRetired = true;
    this.#owner.retired();
    if (this.#answers.size === 0) this.#hangUp();
  }

  #hangUp(): void {
    this.#writer.flush();
    this.#socket.end();
  }

  #look(): void {
    const now = performance.now();
    const { headersTimeout, bodyTimeout } = this.#options;
    for (const [stream, answering] of this.#answers) {
      const limit = answering.hasHead ? bodyTimeout : headersTimeout;
      if (limit === 0 || !answering.standsStill(now, limit)) continue;
      this.giveUp(stream);
      answering.fail(new UpstreamError('timeout', `${this.#name} did not answer in time`));
    }
  }
}

/** One request that waits for its answer. */
class Answering implements Flow {
  readonly #connection: FrameConnection;
  readonly #stream: number;
  readonly #answer: FramedAnswer;
  hasHead = false;
  #isPaused = false;
  /** Bytes taken of which the other side has not been told. */
  #taken = 0;
  /** Something has come since the last look. */
  #moved = true;
  #stillSince = 0;

  constructor(connection: FrameConnection, stream: number, answer: FramedAnswer) {
    this.#connection = connection;
    this.#stream = stream;
    this.#answer = answer;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#moved = true;
    this.#tell();
  }

  abort(reason: Error): void {
    this.#connection.giveUp(this.#stream);
    this.#answer.onFailure(reason);
  }

  head(payload: Buffer): void {
    const [text = '', ...headers] = decodeFields(payload.toString('latin1'));
    const status = Number(text);
    const isHead = Number.isInteger(status) && status >= 200 && status <= 999 && headers.length % 2 === 0;
    if (this.hasHead || !isHead || payload.length > MAX_HEAD) throw new RangeError('a malformed head');
    this.hasHead = true;
    this.#moved = true;
    try {
      this.#answer.onHead(status, headers);
    } catch (error) {
      this.#lose(error as Error);
    }
  }

  data(piece: Buffer): void {
    if (!this.hasHead) throw new RangeError('a body without a head');
    this.#moved = true;
    this.#taken += piece.length;
    // Of a client that does not read, no more is kept here than that.
    if (this.#taken > WINDOW) throw new RangeError('more than there is room for');
    try {
      this.#answer.onData(this, piece);
    } catch (error) {
      this.#lose(error as Error);
      return;
    }
    this.#tell();
  }

  end(): void {
    if (this.hasHead) this.#answer.onEnd();
    else this.#answer.onFailure(new UpstreamError('reset', 'an answer without a head'));
  }

  fail(error: Error): void {
    this.#answer.onFailure(error);
  }

  /** A reader that throws loses its answer, not the connection of all others. */
  #lose(error: Error): void {
    this.#connection.giveUp(this.#stream);
    this.#answer.onFailure(error);
  }

  /** A reader who has paused is who is waited for. */
  standsStill(now: number, limit: number): boolean {
    if (this.#moved || this.#isPaused) {
      this.#moved = false;
      this.#stillSince = now;
      return false;
    }
    return now - this.#stillSince >= limit;
  }

  /** Small answers end before there is anything to tell. */
  #tell(): void {
    if (this.#isPaused || this.#taken < WINDOW / 2) return;
    this.#connection.widen(this.#stream, this.#taken);
    this.#taken = 0;
  }
}
