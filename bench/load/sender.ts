/** The two ways to send a request, with as little of the client's own as possible: it shares the cores with what it measures. */
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { Pool } from 'undici';
import type { Access } from '../target.ts';
import type { Protocol, Step } from './job.ts';

export interface Sender {
  /** Resolves with the number of bytes of the answer's body. Rejects, with the body, when its status is not the step's. */
  send(step: Step): Promise<number>;
  close(): Promise<void>;
}

/** As client-go has them: 4 MiB for a stream, as good as unlimited for the connection. */
const STREAM_WINDOW = 4 * 1024 * 1024;
const SESSION_WINDOW = 1024 * 1024 * 1024;

/** Named, since kcp indents its JSON for programs that it takes for a person's. */
const USER_AGENT = 'kcp-vw-bench';

export async function openSender(access: Access, protocol: Protocol, connections: number): Promise<Sender> {
  return protocol === 'HTTP/2' ? openHttp2(access, connections) : openHttp1(access, connections);
}

const headersOf = (access: Access, step: Step): Record<string, string | string[]> => ({
  accept: 'application/json',
  'user-agent': USER_AGENT,
  ...(step.body === undefined ? {} : { 'content-type': 'application/json' }),
  ...access.headers,
  ...step.headers,
});

function wrongStatus(step: Step, status: number, body: string): Error {
  return new Error(`${step.method} ${step.path} answered ${status}, not ${step.status}: ${body.slice(0, 500)}`);
}

/** Counts the bytes of an answer, and keeps them when they explain why it is not the one that was wanted. */
class Answer {
  bytes = 0;
  status = 0;
  readonly #step: Step;
  readonly #kept: Uint8Array[] = [];

  constructor(step: Step) {
    this.#step = step;
  }

  add(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    if (this.status !== this.#step.status) this.#kept.push(chunk);
  }

  settle(resolve: (bytes: number) => void, reject: (error: Error) => void): void {
    if (this.status === this.#step.status) resolve(this.bytes);
    else reject(wrongStatus(this.#step, this.status, Buffer.concat(this.#kept).toString()));
  }
}

function openHttp1(access: Access, connections: number): Sender {
  const { authority, keyPair, url } = access;
  const pool = new Pool(url, {
    connections,
    pipelining: 1,
    allowH2: false,
    connect: { ca: authority, cert: keyPair.certificate, key: keyPair.key },
  });
  return {
    send: step =>
      new Promise((resolve, reject) => {
        const answer = new Answer(step);
        pool.dispatch(
          { method: step.method, path: step.path, headers: headersOf(access, step), body: step.body ?? null },
          {
            onRequestStart: () => undefined,
            onResponseStart: (_, status) => {
              answer.status = status;
            },
            onResponseData: (_, chunk) => answer.add(chunk),
            onResponseEnd: () => answer.settle(resolve, reject),
            onResponseError: (_, error) => reject(error),
          },
        );
      }),
    close: () => pool.close(),
  };
}

/** A session that behaves like client-go's; whoever opened it destroys it. */
export async function openSession({ authority, keyPair, url }: Access): Promise<ClientHttp2Session> {
  const session = connect(url, {
    ca: authority,
    cert: keyPair.certificate,
    key: keyPair.key,
    settings: { initialWindowSize: STREAM_WINDOW, enablePush: false },
    // Megabytes; above Node's default of 10 streams are refused, and a few lists fill it.
    maxSessionMemory: 512,
  });
  await once(session, 'connect');
  // Every stream of the session gets the error too, and reports it.
  session.on('error', () => undefined);
  session.setLocalWindowSize(SESSION_WINDOW);
  return session;
}

/** Sends a request on a session. */
export function openStream(session: ClientHttp2Session, access: Access, step: Step): ClientHttp2Stream {
  const headers = { ...headersOf(access, step), ':method': step.method, ':path': step.path };
  const stream = session.request(headers, { endStream: step.body === undefined });
  if (step.body !== undefined) stream.end(step.body);
  return stream;
}

async function openHttp2(access: Access, sessions: number): Promise<Sender> {
  const open = await Promise.all(Array.from({ length: sessions }, () => openSession(access)));
  let next = 0;
  return {
    send(step) {
      const session = open[next++ % open.length];
      if (session === undefined) throw new Error('a sender over HTTP/2 needs at least one session');
      return new Promise((resolve, reject) => {
        const answer = new Answer(step);
        const stream = openStream(session, access, step);
        stream.on('response', headers => {
          answer.status = headers[':status'] ?? 0;
        });
        stream.on('data', (chunk: Uint8Array) => answer.add(chunk));
        stream.on('end', () => answer.settle(resolve, reject));
        stream.on('error', reject);
        stream.on('close', () => {
          // A reset may come without an error.
          if (!stream.readableEnded) reject(new Error(`${step.method} ${step.path} was closed by the server before its end`));
        });
      });
    },
    async close() {
      for (const session of open) session.destroy();
    },
  };
}
