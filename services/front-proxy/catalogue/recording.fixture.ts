/** A server that keeps what it is sent, byte for byte, and answers as a test says: a shard, a service, or who reviews tokens. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { KeyPair } from '@kcp-vw/pki/pki.ts';
import { callerFromFrontProxy } from '@kcp-vw/shared/authn/request-headers.ts';
import { toUserInfo } from '@kcp-vw/shared/authn/user-info.ts';
import { resourceNotServed } from '@kcp-vw/shared/kube/errors.ts';
import { headerValues, type RawHeaders } from '@kcp-vw/shared/listener/headers.ts';
import { onCleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { REVIEW_PATH, SELF_TEST_PATH } from '@kcp-vw/shared/view/self-test-probe.ts';

export interface Recorded {
  readonly httpVersion: string;
  readonly method: string;
  readonly url: string;
  /** As they came, pseudo-headers included. */
  readonly headers: RawHeaders;
  /** Of its bytes one character each; grows while the body comes. */
  body: string;
  trailers: RawHeaders;
}

export type Respond = (request: Recorded, response: ServerResponse) => void;

export const respondWith =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Respond =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const CONFIG_MAP = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'x', namespace: 'default' } };
const answerAnObject = respondWith(200, CONFIG_MAP);

/** A watch that says one event and stays open. */
export const quietWatch: Respond = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(`${JSON.stringify({ type: 'ADDED', object: CONFIG_MAP })}\n`);
};

export class RecordingServer {
  /** Without questions about health. */
  readonly requests: Recorded[] = [];
  readonly #bytes: Buffer[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #initial: Respond;
  readonly #server: Server;
  readonly url: string;
  respond: Respond;
  /** Requests that are not answered completely. */
  open = 0;

  private constructor(server: Server, respond: Respond, url: string) {
    this.#server = server;
    this.#initial = respond;
    this.respond = respond;
    this.url = url;
    server.on('connection', socket => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** On a Unix socket, or with a certificate on the loopback address, where it speaks HTTP/2 as well. */
  static async start(where: { readonly socketPath: string } | { readonly pair: KeyPair }, respond = answerAnObject) {
    const handle = (request: IncomingMessage, response: ServerResponse): void => recording.#take(request, response);
    const server: Server =
      'socketPath' in where
        ? createServer(handle)
        : (createSecureServer(
            { cert: where.pair.certPem, key: where.pair.keyPem, allowHTTP1: true, settings: { maxConcurrentStreams: 2_000 } },
            handle as never,
          ) as Server);
    // After Node's own listener: the parser then shares the bytes instead of taking them from the kernel itself.
    server.on('socketPath' in where ? 'connection' : 'secureConnection', (socket: TLSSocket) => {
      socket.on('error', () => {});
      if (socket.alpnProtocol !== 'h2') socket.on('data', (chunk: Buffer) => void recording.#bytes.push(chunk));
    });
    server.on('session', session => session.on('error', () => {}));
    server.listen('socketPath' in where ? where.socketPath : { port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const bound = server.address() as AddressInfo | string;
    const recording = new RecordingServer(server, respond, typeof bound === 'string' ? '' : `https://127.0.0.1:${bound.port}`);
    onCleanUp(async () => {
      const closed = new Promise(resolve => server.close(resolve));
      recording.breakConnections();
      await closed;
    });
    return recording;
  }

  /** Everything that came over HTTP/1.1, questions about health included, and self-tests left out. */
  get bytes(): string {
    return Buffer.concat(this.#bytes).toString('latin1').replace(SELF_TESTS, '');
  }

  /** All that anybody said here, over either protocol. */
  get everything(): string {
    return this.bytes + JSON.stringify(this.requests);
  }

  get last(): Recorded {
    const last = this.requests.at(-1);
    if (last === undefined) throw new Error('nothing has come here');
    return last;
  }

  forget(): void {
    this.requests.length = 0;
    this.#bytes.length = 0;
    this.respond = this.#initial;
    this.#server.removeAllListeners('upgrade');
  }

  /** From now on it leaves HTTP where it is asked to, and says back what it hears. Otherwise it answers as to any other request. */
  acceptUpgrades(): void {
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const recorded = this.#record(request);
      recorded.body = head.toString('latin1');
      socket.once('close', () => this.open--);
      socket.on('data', (chunk: Buffer) => {
        recorded.body += chunk.toString('latin1');
        socket.write(chunk);
      });
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`);
      socket.write(head);
    });
  }

  breakConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => {});
    response.on('error', () => {});
    if (/^\/(?:live|ready|health)z/.test(request.url ?? '')) {
      response.end('ok');
      return;
    }
    const tested = selfTested(request);
    if (tested) {
      response.writeHead(tested.status, { 'content-type': 'application/json' }).end(JSON.stringify(tested.body));
      return;
    }
    const recorded = this.#record(request);
    response.once('close', () => this.open--);
    request.on('data', (chunk: Buffer) => {
      recorded.body += chunk.toString('latin1');
    });
    request.once('end', () => {
      recorded.trailers = [...request.rawTrailers];
      this.respond(recorded, response);
    });
  }

  #record({ httpVersion, method = '', url = '', rawHeaders }: IncomingMessage): Recorded {
    const recorded: Recorded = { httpVersion, method, url, headers: [...rawHeaders], body: '', trailers: [] };
    this.requests.push(recorded);
    this.open++;
    return recorded;
  }
}

const SELF_TESTS = new RegExp(
  `GET ${SELF_TEST_PATH} HTTP/1\\.1\\r\\n(?:.+\\r\\n)*\\r\\n|POST ${REVIEW_PATH} HTTP/1\\.1\\r\\n(?:.+\\r\\n)*\\r\\n\\{[^}]*\\}`,
  'g',
);

/** Where it stands for a service, it has to tell who comes; where it stands for a shard, it does not know of reviews. */
function selfTested({ url, rawHeaders }: IncomingMessage): { readonly status: number; readonly body: object } | undefined {
  if (url === REVIEW_PATH) return { status: 404, body: resourceNotServed().status };
  if (url !== SELF_TEST_PATH) return undefined;
  const caller = callerFromFrontProxy(rawHeaders);
  return { status: 200, body: { received: { ...toUserInfo(caller), method: caller.method }, reviewed: 404 } };
}

export const valuesOf = ({ headers }: Recorded, name: string): readonly string[] => headerValues(headers, name);

/** The headers of which somebody behind could believe that they say who asks, sorted, `name: value`. */
export function identityOf({ headers }: Recorded): string[] {
  const pairs: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (/remote|impersonate|kcp-vw|^authorization$|custom/.test(name)) pairs.push(`${name}: ${headers[i + 1]}`);
  }
  return pairs.sort();
}
