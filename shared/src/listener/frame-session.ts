import type { Duplex } from 'node:stream';
import { decodeFields, FRAME, FRAMES_PROTOCOL } from '../frames/frame.ts';
import { type FrameHandler, FrameReader } from '../frames/frame-reader.ts';
import { FrameWriter } from '../frames/frame-writer.ts';
import { badRequest, headersTooLarge, type StatusError } from '../kube/errors.ts';
import type { Peer } from './exchange.ts';
import { FramedExchange } from './exchange-frames.ts';
import { type Front, handle } from './front.ts';
import { refuse } from './refuse.ts';
import { announcesBody, faultOf } from './request-head.ts';

/** Requests at a time on one connection; the front proxy sends fewer. */
const MAX_STREAMS = 4_096;

const SWITCHING = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${FRAMES_PROTOCOL}\r\n\r\n`;

/** Answers a request to change to frames, and serves what comes in them. `head`: what came behind the request. */
export function startFrames(front: Front, socket: Duplex, peer: Peer, head: Buffer): void {
  new FrameSession(front, socket, peer).start(head);
}

/** The service's end of a connection with frames. Whoever is at the other end may send any request, as over HTTP/1.1. */
class FrameSession implements FrameHandler {
  readonly #front: Front;
  readonly #socket: Duplex;
  readonly #peer: Peer;
  readonly #writer: FrameWriter;
  readonly #exchanges = new Map<number, FramedExchange>();

  constructor(front: Front, socket: Duplex, peer: Peer) {
    this.#front = front;
    this.#socket = socket;
    this.#peer = peer;
    this.#writer = new FrameWriter(socket);
  }

  start(head: Buffer): void {
    const front = this.#front;
    const socket = this.#socket;
    const reader = new FrameReader(this);
    const read = (chunk: Buffer): void => {
      try {
        reader.read(chunk);
      } catch (error) {
        front.onClientError(error as Error, this.#peer.address);
        socket.destroy();
      }
    };
    socket.write(SWITCHING);
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    const leave = front.connections.joined(this);
    socket.once('close', () => {
      leave();
      for (const exchange of this.#exchanges.values()) exchange.settle(false);
    });
    if (head.length > 0) read(head);
    socket.on('data', read);
  }

  /** Asks for no further requests. The other end hangs up when it has all answers. */
  drain(): void {
    this.#writer.sign(FRAME.goAway, 0);
  }

  onFrame(kind: number, stream: number, payload: Buffer): void {
    // Of a request that has its answer, something may still be on the way.
    if (kind === FRAME.request) this.#request(stream, payload);
    else if (kind === FRAME.window && payload.length === 4) this.#exchanges.get(stream)?.widen(payload.readUInt32BE(0));
    else if (kind === FRAME.reset) this.#exchanges.get(stream)?.settle(false);
    else throw new RangeError(`a frame of kind ${kind}`);
  }

  onData(): void {
    throw new RangeError('a request with a body');
  }

  #request(stream: number, payload: Buffer): void {
    if (this.#exchanges.has(stream) || this.#exchanges.size >= MAX_STREAMS) throw new RangeError('a request too many');
    const { onError } = this.#front;
    const fields = decodeFields(payload.toString('latin1'));
    const [method = '', url = ''] = fields.splice(0, 2);
    if (fields.length % 2 !== 0) throw new RangeError('a header without a value');
    const exchange = new FramedExchange({
      method,
      url,
      headers: fields,
      peer: this.#peer,
      body: null,
      onError,
      stream,
      writer: this.#writer,
    });
    this.#exchanges.set(stream, exchange);
    exchange.onClose(() => this.#exchanges.delete(stream));
    const fault = this.#faultOf(exchange, payload.length);
    if (fault) refuse(exchange, fault);
    else void handle(this.#front, exchange);
  }

  /** As over HTTP/1.1, where Node refuses what is too large. */
  #faultOf({ method, url, headers }: FramedExchange, size: number): StatusError | undefined {
    const { limits } = this.#front;
    if (size > limits.requestHeaders) return headersTooLarge(limits.requestHeaders);
    if (announcesBody(headers)) return badRequest('a request in a frame must not have a body');
    return faultOf({ httpVersion: '1.1', method, url, headers, hasBody: false }, limits);
  }
}
