import type { ClientHttp2Session } from 'node:http2';
import type { Access } from '../target.ts';
import { openSession, openStream } from './sender.ts';

const NEWLINE = 0x0a;

/** One that neither answers nor ends would hold up the whole run. */
const ANSWER_LIMIT = 30_000;

/** Watches of one path, over as few sessions as the limit per session allows. */
export class Watches {
  readonly #access: Access;
  readonly #path: string;
  readonly #sessions: ClientHttp2Session[] = [];
  /** How many events each watch has seen since the last `forget`. */
  readonly #seen: number[] = [];
  /** Milliseconds that each took to be answered. */
  readonly opening: number[] = [];
  /** Why one has ended, which none should. */
  failed: Error | undefined;
  #closing = false;

  constructor(access: Access, path: string) {
    this.#access = access;
    this.#path = path;
  }

  /** Opens `count` watches; `onEvent` is called for each event with the number it has in its watch. */
  async open(count: number, perSession: number, onEvent: (index: number) => void): Promise<void> {
    for (let opened = 0; opened < count; opened += perSession) {
      const session = await openSession(this.#access);
      session.on('error', error => this.#fail(error));
      this.#sessions.push(session);
      const width = Math.min(perSession, count - opened);
      await Promise.all(Array.from({ length: width }, () => this.#watch(session, onEvent)));
    }
  }

  #watch(session: ClientHttp2Session, onEvent: (index: number) => void): Promise<void> {
    const started = performance.now();
    const after = (): string => `after ${((performance.now() - started) / 1000).toFixed(1)} s`;
    const stream = openStream(session, this.#access, { method: 'GET', path: this.#path, status: 200 });
    const watch = this.#seen.push(0) - 1;
    stream.on('data', (chunk: Buffer) => {
      // One event is one line; what it says is not looked at, for the parser would be measured with it.
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) {
        const index = this.#seen[watch] ?? 0;
        this.#seen[watch] = index + 1;
        onEvent(index);
      }
    });
    return new Promise((resolve, reject) => {
      const limit = setTimeout(
        () => stream.destroy(new Error(`a watch was not answered within ${ANSWER_LIMIT} ms`)),
        ANSWER_LIMIT,
      );
      const settle = (outcome: () => void): void => {
        clearTimeout(limit);
        outcome();
      };
      stream.on('error', error => {
        this.#fail(error);
        settle(() => reject(error));
      });
      // Closed covers all ways to end: the server's end, its reset, and that of the session.
      stream.on('close', () => {
        const error = new Error(`watch ${watch + 1} was closed by the server ${after()}`);
        this.#fail(error);
        settle(() => reject(error));
      });
      stream.once('response', headers => {
        if (headers[':status'] === 200) {
          this.opening.push(performance.now() - started);
          settle(resolve);
          return;
        }
        stream.once('data', body => {
          settle(() => reject(new Error(`watch ${watch + 1} was answered with ${headers[':status']}: ${String(body).trim()}`)));
        });
      });
    });
  }

  /** Counts from here: what has come so far was there before. */
  forget(): void {
    this.#seen.fill(0);
  }

  #fail(error: Error): void {
    if (!this.#closing) this.failed ??= error;
  }

  close(): void {
    this.#closing = true;
    for (const session of this.#sessions) session.destroy();
  }
}
