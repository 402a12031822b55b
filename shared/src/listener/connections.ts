import type { Socket } from 'node:net';
import type { BaseExchange } from './exchange-base.ts';

/** What an HTTP/1.1 connection is doing. */
export interface Http1Connection {
  readonly exchanges: Set<BaseExchange>;
  /** Its last response is under way: whatever else the client sends is not heard. */
  isClosing: boolean;
}

/** What runs over a connection that has left HTTP/1.1, and ends it by itself when it is asked to. */
export interface Session {
  drain(): void;
}

/** The open sockets of a listener, and how many exchanges and tunnels run over them. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  readonly #http1 = new WeakMap<Socket, Http1Connection>();
  readonly #sessions = new Set<Session>();
  #active = 0;
  readonly #idleListeners: (() => void)[] = [];
  readonly #goneListeners: (() => void)[] = [];

  get open(): number {
    return this.#sockets.size;
  }

  get active(): number {
    return this.#active;
  }

  /** A socket as the kernel accepted it, below TLS. */
  accepted(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) for (const listener of this.#goneListeners.splice(0)) listener();
    });
  }

  /** A socket that HTTP/1.1 may be spoken on: the TLS socket when its handshake is done. */
  established(socket: Socket): void {
    const connection: Http1Connection = { exchanges: new Set(), isClosing: false };
    this.#http1.set(socket, connection);
    // Node does not tell a pipelined response, which waits for the one before it, that its connection is gone.
    socket.once('close', () => {
      for (const exchange of connection.exchanges) exchange.settle(false);
    });
  }

  /** Undefined while the TLS handshake is not done. */
  http1(socket: Socket): Http1Connection | undefined {
    return this.#http1.get(socket);
  }

  /** Returns how to take it back. */
  joined(session: Session): () => void {
    this.#sessions.add(session);
    return () => void this.#sessions.delete(session);
  }

  /** Asks all sessions to end when they can. */
  drainSessions(): void {
    for (const session of this.#sessions) session.drain();
  }

  begin(): void {
    this.#active++;
  }

  end(): void {
    this.#active--;
    if (this.#active === 0) for (const listener of this.#idleListeners.splice(0)) listener();
  }

  /** Resolves when nothing is running. */
  async idle(): Promise<void> {
    if (this.#active > 0) await new Promise<void>(resolve => this.#idleListeners.push(resolve));
  }

  /** Resolves when every socket is closed. */
  async gone(): Promise<void> {
    if (this.#sockets.size > 0) await new Promise<void>(resolve => this.#goneListeners.push(resolve));
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
