/** Tunnels over real sockets: a TLS listener, and behind it a backend that says exactly what a test wants to be said. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Exchange, Handler } from '../listener/exchange.ts';
import type { UpgradeRequest } from '../listener/front.ts';
import { onCleanUp, type Served, type ServeOptions, serveTls } from '../listener/listener.fixture.ts';
import { createUpstream, type ManagedUpstream } from '../upstream/pool.ts';
import { type TunnelOptions, type TunnelOutcome, tunnel } from './tunnel.ts';
import { upgradesTo } from './upgrades.ts';

/** A connection that the backend has taken. */
export interface Taken {
  readonly socket: Socket;
  /** All bytes so far, one character each. */
  received: string;
  /** The other side has ended it; this one does nothing of the kind by itself. */
  isClosed: boolean;
}

export interface Backend {
  readonly port: number;
  readonly taken: Taken[];
}

/** Calls `onRequest` for each head that comes, so that a second request on a connection would be noticed. */
export async function serveBackend(onRequest: (taken: Taken, requests: number) => void, tls?: TlsOptions): Promise<Backend> {
  const taken: Taken[] = [];
  const accept = (socket: Socket): void => {
    const one: Taken = { socket, received: '', isClosed: false };
    taken.push(one);
    let requests = 0;
    socket.on('data', chunk => {
      one.received += chunk.toString('latin1');
      if (one.received.split('\r\n\r\n').length - 1 <= requests) return;
      requests++;
      onRequest(one, requests);
    });
    socket.on('error', () => socket.destroy());
    const closed = (): void => {
      one.isClosed = true;
    };
    socket.once('end', closed).once('close', closed);
  };
  const options = { allowHalfOpen: true };
  const server: Server = tls ? createTlsServer({ ...options, ...tls }, accept) : createServer(options, accept);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onCleanUp(() => {
    for (const { socket } of taken) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, taken };
}

export const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
export const SPDY_SWITCHED = SWITCHED.replace('websocket', 'SPDY/3.1');

/** A backend that switches, and sends back what it gets. */
export const echo = ({ socket }: Taken): void => {
  socket.write(`${SWITCHED}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n`);
  socket.on('data', chunk => socket.write(chunk));
};

export function upstreamTo({ port }: Pick<Backend, 'port'>): ManagedUpstream {
  const upstream = createUpstream({
    origin: new URL(`http://127.0.0.1:${port}`),
    limits: { watchStreams: 10_000 },
    name: 'backend',
  });
  onCleanUp(() => upstream.close());
  return upstream;
}

export interface Tunnels {
  readonly handler: Handler;
  readonly onUpgrade: (request: UpgradeRequest) => void;
  readonly exchanges: Exchange[];
  readonly outcomes: TunnelOutcome[];
  readonly errors: unknown[];
  readonly upstream: ManagedUpstream;
}

/** All upgrades go to the backend, with nothing of the caller's headers but what an upgrade needs. */
export function tunnelsTo(backend: Pick<Backend, 'port'>, options: TunnelOptions = {}): Tunnels {
  const upstream = upstreamTo(backend);
  const exchanges: Exchange[] = [];
  const outcomes: TunnelOutcome[] = [];
  const errors: unknown[] = [];
  const handler: Handler = async exchange => {
    exchanges.push(exchange);
    const { method, url: path } = exchange;
    const headers = ['x-remote-user', 'alice', 'x-remote-group', 'a,b', 'x-remote-group', 'c'];
    outcomes.push(await tunnel(exchange, upstream, { method, path, headers, body: null, longRunning: true }, options));
  };
  const onUpgrade = upgradesTo({ handler, onError: error => void errors.push(error) });
  return { handler, onUpgrade, exchanges, outcomes, errors, upstream };
}

/** A TLS listener with such upgrades. */
export async function serveTunnels(
  backend: Pick<Backend, 'port'>,
  options: TunnelOptions = {},
  serve: ServeOptions = {},
): Promise<Served & Tunnels> {
  const tunnels = tunnelsTo(backend, options);
  const { handler, onUpgrade } = tunnels;
  return { ...(await serveTls(handler, { ...serve, onUpgrade })), ...tunnels };
}

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** A request to open a WebSocket; `headers` are lines with their ends. */
export const webSocket = (path = '/watch?a=1', headers = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: front\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`;

export const spdy = (path = '/exec', headers = '', method = 'POST'): string =>
  `${method} ${path} HTTP/1.1\r\nHost: front\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n${headers}\r\n`;

/** The header lines of a request that a backend has received, in lower case, in order. */
export const headerLines = ({ received }: Pick<Taken, 'received'>): string[] =>
  (received.split('\r\n\r\n')[0] ?? '')
    .split('\r\n')
    .slice(1)
    .map(line => line.replace(/[A-Z]/g, letter => letter.toLowerCase()));
