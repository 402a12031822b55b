/** Servers and handlers for the tests of this folder and of `answer/relay`. */
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { constants, createSecureServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { type Authority, createAuthority } from '@kcp-vw/pki/pki.ts';
import type { RawHeaders } from '../listener/headers.ts';
import type { TlsMaterial } from './endpoint.ts';
import { createUpstream, type ManagedUpstream, type UpstreamOptions } from './pool.ts';
import type { Upstream, UpstreamCall, UpstreamError, UpstreamRequest } from './upstream.ts';

const closers: (() => Promise<unknown>)[] = [];

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** Closed with the test. */
export function track<T extends { close(): Promise<unknown> }>(resource: T): T {
  closers.push(() => resource.close());
  return resource;
}

let authority: Authority | undefined;
/** One authority for all tests of a file: making keys takes time. */
export const testAuthority = (): Authority => {
  authority ??= createAuthority({ commonName: 'test CA' });
  return authority;
};

export const serverTls = (sans = ['IP:127.0.0.1', 'DNS:localhost']): { cert: string; key: string } => {
  const { certPem, keyPem } = testAuthority().issue({ commonName: 'server', sans, usage: 'server' });
  return { cert: certPem, key: keyPem };
};

export const trust = (): TlsMaterial => ({ ca: testAuthority().certPem });

async function listen<S extends Server>(server: S, socketPath?: string): Promise<S> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  if (socketPath) server.listen(socketPath);
  else server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    const closed = new Promise(resolve => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return server;
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port;

export async function httpServer(handler: RequestListener, socketPath?: string): Promise<URL> {
  const server = await listen(createHttpServer(handler), socketPath);
  return socketPath ? new URL('http://localhost') : new URL(`http://127.0.0.1:${portOf(server)}`);
}

export async function rawServer(server: Server): Promise<number> {
  return portOf(await listen(server));
}

/** Speaks HTTP/1.1 only. */
export async function httpsServer(handler: RequestListener, tls = serverTls(), clientCa?: string): Promise<URL> {
  const client = clientCa ? { ca: clientCa, requestCert: true, rejectUnauthorized: false } : {};
  const server = await listen(createHttpsServer({ ...tls, ...client }, handler));
  return new URL(`https://127.0.0.1:${portOf(server)}`);
}

export interface Http2TestServer {
  readonly url: URL;
  readonly sessions: Set<Http2Session>;
  /** Open now. */
  readonly streams: Set<ServerHttp2Stream>;
}

export type StreamListener = (stream: ServerHttp2Stream, path: string) => void;

/** HTTP/2 for `onStream`, and HTTP/1.1 for `onRequest`, on one port as a shard has it. */
export async function shardServer(
  onStream: StreamListener,
  { maxConcurrentStreams = 100, onRequest, tls = serverTls() }: ShardOptions = {},
): Promise<Http2TestServer> {
  const sessions = new Set<Http2Session>();
  const streams = new Set<ServerHttp2Stream>();
  const server = createSecureServer({ ...tls, allowHTTP1: true, settings: { maxConcurrentStreams } });
  server.on('session', session => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    streams.add(stream);
    stream.on('error', () => undefined);
    stream.once('close', () => streams.delete(stream));
    onStream(stream, headers[':path'] ?? '');
  });
  server.on('request', (request, response) => {
    if (request.httpVersion === '1.1') onRequest?.(request as never, response as never);
  });
  await listen(server);
  return { url: new URL(`https://127.0.0.1:${portOf(server)}`), sessions, streams };
}

interface ShardOptions {
  readonly maxConcurrentStreams?: number;
  readonly onRequest?: RequestListener;
  readonly tls?: { cert: string; key: string };
}

/** A watch that says one line and stays open. */
export const quietWatch: StreamListener = stream => {
  stream.respond({ ':status': 200, 'content-type': 'application/json' });
  stream.write('{"type":"ADDED"}\n');
};

export const upstreamTo = (origin: UpstreamOptions['origin'], options: Partial<UpstreamOptions> = {}): ManagedUpstream =>
  track(createUpstream({ name: 'shard', origin, tls: trust(), limits: { watchStreams: 1_000 }, ...options }));

/** One call, and what its handler was told. */
export class Recorder {
  readonly call: UpstreamCall;
  status = 0;
  headers: RawHeaders = [];
  bytes = 0;
  readonly chunks: Buffer[] = [];
  error: UpstreamError | undefined;
  /** Settles with the call: true when it ended well. */
  readonly done: Promise<boolean>;
  readonly head: Promise<number>;
  readonly firstData: Promise<void>;
  /** What `onData` returns. */
  accept = true;

  constructor(upstream: Upstream, request: Partial<UpstreamRequest>) {
    const done = Promise.withResolvers<boolean>();
    const head = Promise.withResolvers<number>();
    const firstData = Promise.withResolvers<void>();
    this.done = done.promise;
    this.head = head.promise;
    this.firstData = firstData.promise;
    this.call = upstream.dispatch(
      { method: 'GET', path: '/', headers: [], body: null, longRunning: false, ...request },
      {
        onHead: (status, headers) => {
          this.status = status;
          this.headers = headers;
          head.resolve(status);
        },
        onData: chunk => {
          this.bytes += chunk.length;
          this.chunks.push(Buffer.from(chunk));
          firstData.resolve();
          return this.accept;
        },
        onEnd: () => done.resolve(true),
        onError: error => {
          this.error = error;
          done.resolve(false);
        },
      },
    );
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

export const get = (upstream: Upstream, path = '/', request: Partial<UpstreamRequest> = {}): Recorder =>
  new Recorder(upstream, { path, ...request });

export const watch = (upstream: Upstream, path = '/watch'): Recorder => new Recorder(upstream, { path, longRunning: true });

/** Waits until it is true; the test's own timeout is the limit. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
}

export const pause = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds));

export const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;
