import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { Agent, request } from 'node:https';
import type { KeyPair } from './certificates.ts';
import { Reply } from './reply.ts';
import { Watch } from './watch.ts';

/** Who a client is: a certificate, a bearer token, both, or neither (anonymous). */
export interface Credentials {
  readonly name: string;
  readonly keyPair?: KeyPair;
  readonly token?: string;
}

export interface RequestOptions {
  /** Header values may be arrays: then the line is sent once per value. */
  readonly headers?: OutgoingHttpHeaders;
  /** Sent as it is when it is a string, else as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
}

/** One identity at one base URL. Paths are appended to the base as they are, never normalised. */
export class Client {
  readonly base: URL;
  readonly credentials: Credentials;
  readonly #authority: string;
  readonly #agent: Agent;

  constructor(base: string, authority: string, credentials: Credentials, agent?: Agent) {
    this.base = new URL(base);
    this.credentials = credentials;
    this.#authority = authority;
    this.#agent = agent ?? new Agent({ keepAlive: true, ...this.#tls() });
  }

  /** The same identity and connections, further down the path. */
  at(path: string): Client {
    return new Client(this.base.href.replace(/\/$/, '') + path, this.#authority, this.credentials, this.#agent);
  }

  get(path: string, headers?: OutgoingHttpHeaders): Promise<Reply> {
    return this.send('GET', path, headers === undefined ? {} : { headers });
  }

  post(path: string, body: unknown): Promise<Reply> {
    return this.send('POST', path, { body });
  }

  put(path: string, body: unknown): Promise<Reply> {
    return this.send('PUT', path, { body });
  }

  delete(path: string): Promise<Reply> {
    return this.send('DELETE', path);
  }

  mergePatch(path: string, body: unknown): Promise<Reply> {
    return this.send('PATCH', path, { body, contentType: 'application/merge-patch+json' });
  }

  jsonPatch(path: string, body: unknown): Promise<Reply> {
    return this.send('PATCH', path, { body, contentType: 'application/json-patch+json' });
  }

  /** A server-side apply; JSON is YAML. */
  apply(path: string, fieldManager: string, body: unknown): Promise<Reply> {
    const query = `${path.includes('?') ? '&' : '?'}force=true&fieldManager=${fieldManager}`;
    return this.send('PATCH', path + query, { body, contentType: 'application/apply-patch+yaml' });
  }

  async send(method: string, path: string, options: RequestOptions = {}): Promise<Reply> {
    const { response } = await this.#open(method, path, options, 60_000);
    response.setEncoding('utf8');
    let text = '';
    for await (const chunk of response) text += chunk;
    return new Reply(this.#describe(method, path), response.statusCode ?? 0, response.headers, text);
  }

  /** Opens a watch; `path` holds the resource and the query without `watch=true`. Throws when the answer is not 200. */
  async watch(path: string, headers: OutgoingHttpHeaders = {}): Promise<Watch> {
    const target = `${path}${path.includes('?') ? '&' : '?'}watch=true`;
    const { outgoing, response } = await this.#open('GET', target, { headers }, 0);
    const label = this.#describe('GET', target);
    if (response.statusCode !== 200) {
      response.setEncoding('utf8');
      let text = '';
      for await (const chunk of response) text += chunk;
      new Reply(label, response.statusCode ?? 0, response.headers, text).expect(200);
    }
    // Closing a watch destroys its request, which reports that as an error.
    outgoing.on('error', () => response.destroy());
    return new Watch(label, outgoing, response);
  }

  /** One request over a fresh HTTP/2 session. */
  async sendHttp2(method: string, path: string, options: RequestOptions = {}): Promise<Reply> {
    const session: ClientHttp2Session = connect(this.base.origin, { ca: this.#authority, ...this.#tls() });
    try {
      await once(session, 'connect');
      const headers = lowerCased(this.#headers(options));
      const body = encode(options.body);
      const stream = session.request({ ...headers, ':method': method, ':path': this.#path(path) }, { endStream: body === '' });
      if (body !== '') stream.end(body);
      const [answer] = (await once(stream, 'response')) as [
        Record<string, string | string[] | undefined> & { ':status'?: number },
      ];
      stream.setEncoding('utf8');
      let text = '';
      for await (const chunk of stream) text += chunk;
      const { ':status': status, ...rest } = answer;
      return new Reply(`${this.#describe(method, path)} over HTTP/2`, status ?? 0, rest, text);
    } finally {
      session.destroy();
    }
  }

  async #open(method: string, path: string, options: RequestOptions, timeout: number) {
    const { hostname, port } = this.base;
    const outgoing = request({
      agent: this.#agent,
      ca: this.#authority,
      headers: this.#headers(options),
      host: hostname,
      method,
      path: this.#path(path),
      port,
      ...this.#tls(),
      ...(timeout === 0 ? {} : { signal: AbortSignal.timeout(timeout) }),
    });
    outgoing.end(encode(options.body));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { outgoing, response };
  }

  #tls() {
    const { keyPair } = this.credentials;
    return keyPair === undefined ? {} : { cert: keyPair.certificate, key: keyPair.key };
  }

  #headers(options: RequestOptions): OutgoingHttpHeaders {
    return {
      Accept: 'application/json',
      ...(this.credentials.token === undefined ? {} : { Authorization: `Bearer ${this.credentials.token}` }),
      ...(options.body === undefined ? {} : { 'Content-Type': options.contentType ?? 'application/json' }),
      ...options.headers,
    };
  }

  #path(path: string): string {
    return this.base.pathname.replace(/\/$/, '') + path;
  }

  #describe(method: string, path: string): string {
    return `${method} ${this.base.origin}${this.#path(path)} as ${this.credentials.name}`;
  }
}

function encode(body: unknown): string {
  if (body === undefined) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function lowerCased(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
