/** Sends one request byte for byte and reads what comes back, for a bounded time. */
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders as Http2Headers } from 'node:http2';
import { Agent, request } from 'node:https';
import type { Readable } from 'node:stream';
import type { Credentials } from '../support/client.ts';

export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
  readonly http2: boolean;
  /** Milliseconds after which reading ends. */
  readonly readFor: number;
}

/** How the answer ended: by itself, by a cut, or not within the time. */
export type End = 'complete' | 'cut' | 'open';

export interface Incoming {
  readonly status: number;
  readonly headers: IncomingHttpHeaders | Http2Headers;
  readonly body: Buffer;
  readonly end: End;
}

/** Milliseconds in which an answer that is no watch has to be complete. */
export const COMPLETE_WITHIN = 60_000;

/** Connections of one identity to one server. */
export class Connection {
  readonly #url: URL;
  readonly #tls: { readonly ca: string; readonly cert?: string; readonly key?: string };
  readonly #agent: Agent;

  constructor(url: string, authority: string, { keyPair }: Credentials) {
    this.#url = new URL(url);
    this.#tls = { ca: authority, ...(keyPair !== undefined && { cert: keyPair.certificate, key: keyPair.key }) };
    this.#agent = new Agent({ keepAlive: true, ...this.#tls });
  }

  /** Throws when no answer begins in time, or the connection fails before one does. */
  send(outgoing: Outgoing): Promise<Incoming> {
    return outgoing.http2 ? this.#sendHttp2(outgoing) : this.#sendHttp1(outgoing);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #sendHttp1({ method, path, headers, body, readFor }: Outgoing): Promise<Incoming> {
    const { hostname, port } = this.#url;
    const lines = framed(headers, body) as Record<string, string | string[]>;
    const outgoing = request({ ...this.#tls, agent: this.#agent, host: hostname, port, method, path, headers: lines });
    const limit = setTimeout(() => outgoing.destroy(new Error('no answer')), COMPLETE_WITHIN);
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response').finally(() => clearTimeout(limit))) as [IncomingMessage];
    // An answer that is cut, by us or by them, is reported by the request as well.
    outgoing.on('error', () => response.destroy());
    const read = await readAll(response, readFor);
    outgoing.destroy();
    return { status: response.statusCode ?? 0, headers: response.headers, ...read };
  }

  async #sendHttp2({ method, path, headers, body, readFor }: Outgoing): Promise<Incoming> {
    const session: ClientHttp2Session = connect(this.#url.origin, this.#tls);
    try {
      await once(session, 'connect');
      session.on('error', () => session.destroy());
      const lines = Object.entries(framed(headers, body)).map(([name, value]) => [name.toLowerCase(), value]);
      const stream = session.request(
        { ...Object.fromEntries(lines), ':method': method, ':path': path },
        { endStream: body.length === 0 },
      );
      if (body.length > 0) stream.end(body);
      const limit = setTimeout(() => stream.destroy(new Error('no answer')), COMPLETE_WITHIN);
      const [head] = (await once(stream, 'response').finally(() => clearTimeout(limit))) as [Http2Headers];
      stream.on('error', () => stream.destroy());
      const { ':status': status, ...rest } = head;
      return { status: Number(status), headers: rest, ...(await readAll(stream, readFor)) };
    } finally {
      session.destroy();
    }
  }
}

/** Node frames the bodies of some methods only; of the others it would send the bytes as the beginning of the next request. */
const framed = (headers: Outgoing['headers'], body: Buffer): Outgoing['headers'] =>
  body.length === 0 ? headers : { ...headers, 'Content-Length': String(body.length) };

function readAll(stream: Readable, readFor: number): Promise<{ body: Buffer; end: End }> {
  return new Promise(resolve => {
    const chunks: Buffer[] = [];
    const finish = (end: End): void => {
      clearTimeout(limit);
      resolve({ body: Buffer.concat(chunks), end });
    };
    const limit = setTimeout(() => finish('open'), readFor);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', () => finish('complete'));
    // `end` comes first when the answer was complete.
    stream.once('error', () => finish('cut'));
    stream.once('close', () => finish('cut'));
  });
}
