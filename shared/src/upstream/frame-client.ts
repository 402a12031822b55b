import { type ClientRequest, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { encodeFields, FRAMES_PROTOCOL } from '../frames/frame.ts';
import type { RawHeaders } from '../listener/headers.ts';
import { type Flow, FrameConnection, type FramedAnswer, type FrameTimeouts } from './frame-connection.ts';

export interface FrameClientOptions extends FrameTimeouts {
  readonly socketPath: string;
  readonly connectTimeout: number;
}

/** Milliseconds until a connection that was not made is tried again. */
const RETRY_AFTER = 1_000;

/**
 * The front proxy's end of connections with frames to one service. There is one at most that takes requests, and it may be gone at any
 * moment: whoever has a request asks `isOpen`, and has another way to send it.
 */
export class FrameClient {
  readonly #name: string;
  readonly #options: FrameClientOptions;
  readonly #connections = new Set<FrameConnection>();
  #current: FrameConnection | undefined;
  #connecting: ClientRequest | undefined;
  #notBefore = 0;
  #closed = false;

  constructor(name: string, options: FrameClientOptions) {
    this.#name = name;
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#current !== undefined;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** The service has said that it can do this. */
  offered(): void {
    if (this.#current !== undefined || this.#connecting !== undefined || this.#closed || performance.now() < this.#notBefore)
      return;
    this.#connecting = this.#connect();
  }

  /** Only while it is open. Calls nothing of `answer` before it has returned. Throws a TypeError for what cannot be sent. */
  dispatch(method: string, path: string, headers: RawHeaders, answer: FramedAnswer): Flow {
    if (this.#current === undefined) throw new Error('there is no connection');
    return this.#current.send(encodeFields([method, path, 'host', 'localhost', ...headers]), answer);
  }

  /** Fails what is in flight. */
  close(error: Error): void {
    this.#closed = true;
    this.#connecting?.destroy();
    for (const connection of this.#connections) connection.fail(error);
  }

  #connect(): ClientRequest {
    const { connectTimeout, socketPath } = this.#options;
    const asked = httpRequest({ socketPath, headers: { connection: 'Upgrade', upgrade: FRAMES_PROTOCOL }, agent: false });
    const limit = setTimeout(() => asked.destroy(new Error('no answer in time')), connectTimeout).unref();
    const failed = (): void => {
      clearTimeout(limit);
      this.#connecting = undefined;
      this.#notBefore = performance.now() + RETRY_AFTER;
    };
    asked.on('upgrade', ({ headers }, socket, head) => {
      clearTimeout(limit);
      this.#connecting = undefined;
      if (this.#closed || headers.upgrade !== FRAMES_PROTOCOL) socket.destroy();
      else this.#open(socket, head);
    });
    // Requests have another way, on which it is told what is wrong.
    asked.on('error', failed);
    asked.on('response', response => {
      failed();
      response.destroy();
    });
    asked.end();
    return asked;
  }

  #open(socket: Duplex, head: Buffer): void {
    const connection: FrameConnection = new FrameConnection(this.#name, socket, this.#options, {
      retired: () => {
        if (this.#current === connection) this.#current = undefined;
      },
      closed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    this.#current = connection;
    connection.start(head);
  }
}
