/**
 * The first stage: sockets in, exchanges out. HTTP/2 and HTTP/1.1 over TLS, or HTTP/1.1 on a Unix socket.
 */
import { createServer } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Limits } from '../config/options.ts';
import { Connections } from './connections.ts';
import type { Handler, Peer } from './exchange.ts';
import { DEFAULT_TIMEOUTS, type Front, type StreamResets, type Timeouts, type UpgradeRequest } from './front.ts';
import { http1Options, serveHttp1 } from './http1.ts';
import { http2Options, serveHttp2 } from './http2.ts';
import { BACKLOG, listenPrivately, removeStaleSocket } from './socket-file.ts';
import { refuseDisabledVerification, type ServingTls } from './tls.ts';

export type ListenAddress = { readonly host: string; readonly port: number } | { readonly socketPath: string };

export interface ListenerOptions {
  /** Port 0: any free one. */
  readonly address: ListenAddress;
  /** Ports to listen on besides, at the same host. An exchange's peer tells which one a connection came in on. */
  readonly furtherPorts?: readonly number[];
  /** Needed for any address but a Unix socket and the loopback. Stays the caller's: it is not closed with the listener. */
  readonly tls?: ServingTls;
  readonly limits: Limits;
  readonly handler: Handler;
  /** Takes the requests to leave HTTP/1.1 for another protocol; without it they are refused. */
  readonly onUpgrade?: (request: UpgradeRequest) => void;
  /** A bug of ours: a handler or a listener has thrown. */
  readonly onError: (error: unknown) => void;
  /** A client's mistake below the level of requests: a broken handshake, a parse error, a flood. */
  readonly onClientError?: (error: Error, address: string) => void;
  readonly timeouts?: Partial<Timeouts>;
  /** Absent: those of a client. */
  readonly streamResets?: StreamResets;
}

export interface ListenerStats {
  /** Open connections, idle ones too. */
  readonly connections: number;
  /** Requests that are not answered completely, watches and tunnels too. */
  readonly exchanges: number;
}

export interface Listener {
  address(): ListenAddress;
  /** The same, and those of the further ports in their order. */
  addresses(): readonly ListenAddress[];
  readonly stats: ListenerStats;
  /** Called when the process begins to drain, at once if it does already: the signal to end watches. Returns how to take it back. */
  onDrain(listener: () => void): () => void;
  /** Accepts nothing new, lets running requests end for `limits.drain` milliseconds, cuts the rest, and closes. */
  drain(): Promise<void>;
  /** Cuts everything. */
  close(): Promise<void>;
}

/** How long connections may take to say goodbye when nothing runs any more, milliseconds. */
const GOODBYE = 1_000;

/** Listens everywhere, or rejects with a message that names the address that cannot be had. */
export async function createListener(options: ListenerOptions): Promise<Listener> {
  const { address, tls } = options;
  refuseDisabledVerification();
  refuseUnprotected(address, tls);

  const connections = new Connections();
  let draining: Promise<void> | undefined;
  const front: Front = {
    limits: options.limits,
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    ...(options.streamResets && { streamResets: options.streamResets }),
    handler: options.handler,
    connections,
    ...(options.onUpgrade && { onUpgrade: options.onUpgrade }),
    takesFrames: 'socketPath' in address,
    onError: options.onError,
    onClientError: options.onClientError ?? (() => {}),
    isDraining: () => draining !== undefined,
    peerOf: tls ? socket => tls.verifyPeer(socket as TLSSocket) : socket => plainPeer(socket),
  };
  const servers = new Map<Server, ListenAddress>();
  try {
    for (const one of addressesOf(options)) {
      const server = tls ? secureServer(tls, front) : plainServer(front);
      server.on('connection', (socket: Socket) => connections.accepted(socket));
      await listen(server, one);
      // A connection that cannot be accepted, for want of file descriptors: the next one may be.
      server.on('error', options.onError);
      servers.set(server, one);
    }
  } catch (error) {
    for (const server of servers.keys()) server.close();
    connections.destroyAll();
    throw error;
  }
  const stopReloading = tls?.onChange(context => {
    for (const server of servers.keys()) (server as Http2SecureServer).setSecureContext(context);
  });

  const closed = Promise.all([...servers.keys()].map(server => new Promise<void>(resolve => server.once('close', resolve))));
  const drainListeners = new Set<() => void>();
  const stopAccepting = (): void => {
    for (const server of servers.keys()) server.close();
  };
  const addresses = (): ListenAddress[] => [...servers].map(([server, asked]) => addressOf(server, asked));

  const drain = async (): Promise<void> => {
    stopAccepting();
    connections.drainSessions();
    for (const listener of drainListeners) {
      try {
        listener();
      } catch (error) {
        options.onError(error);
      }
    }
    await settledWithin(connections.idle(), options.limits.drain);
    await settledWithin(closed, GOODBYE);
    await close();
  };

  const close = async (): Promise<void> => {
    stopReloading?.();
    stopAccepting();
    connections.destroyAll();
    // The server is closed a moment before its last sockets are, and they before the exchanges that ran over them.
    await Promise.all([closed, connections.gone(), connections.idle()]);
  };

  return {
    address: () => addresses()[0] ?? address,
    addresses,
    get stats() {
      return { connections: connections.open, exchanges: connections.active };
    },
    onDrain(listener) {
      if (draining) listener();
      else drainListeners.add(listener);
      return () => void drainListeners.delete(listener);
    },
    drain() {
      // Set before anything happens: exchanges ask for it in the same tick.
      draining ??= Promise.resolve().then(drain);
      return draining;
    },
    close,
  };
}

function refuseUnprotected(address: ListenAddress, tls: ServingTls | undefined): void {
  if ('socketPath' in address || tls) return;
  const isLoopback = address.host === 'localhost' || address.host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address.host);
  if (!isLoopback) throw new Error(`listening on ${address.host} needs a serving certificate`);
}

function addressesOf({ address, furtherPorts = [] }: ListenerOptions): ListenAddress[] {
  if ('socketPath' in address) return [address];
  return [address, ...furtherPorts.map(port => ({ host: address.host, port }))];
}

const plainPeer = ({ remoteAddress = 'unix', localPort }: Socket): Peer => ({
  address: remoteAddress,
  ...(localPort !== undefined && { localPort }),
});

/** Sockets that die silently are found by the kernel: a watch sends nothing for hours. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelay: 30_000, noDelay: true };

function plainServer(front: Front): Server {
  const server = createServer({ ...http1Options(front), ...KEEP_ALIVE });
  server.on('connection', socket => front.connections.established(socket));
  serveHttp1(server, front);
  return server;
}

function secureServer(tls: ServingTls, front: Front): Server {
  const server = createSecureServer({
    ...http1Options(front),
    ...http2Options(front),
    ...KEEP_ALIVE,
    ...tls.context,
    allowHTTP1: true,
    ...(!tls.http2 && { ALPNCallback: onlyHttp1 }),
    requestCert: tls.requestCert,
    // A certificate of neither authority makes an anonymous client, not a failed handshake; `verifyPeer` decides what it is worth.
    rejectUnauthorized: false,
    handshakeTimeout: front.timeouts.handshake,
  });
  // Node reacts to the first 'request' listener by making request and response objects for HTTP/2 too. Ours are for HTTP/1.1 only.
  server.removeAllListeners('newListener');
  server.prependListener('secureConnection', socket => front.connections.established(socket));
  serveHttp1(server, front);
  serveHttp2(server, front);
  return server;
}

const onlyHttp1 = ({ protocols }: { protocols: string[] }): string | undefined => protocols.find(name => name === 'http/1.1');

async function listen(server: Server, address: ListenAddress): Promise<void> {
  if ('socketPath' in address) await removeStaleSocket(address.socketPath);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const reason = error.code === 'EADDRINUSE' ? 'the address is already in use' : error.message;
      reject(new Error(`cannot listen on ${formatListenAddress(address)}: ${reason}`, { cause: error }));
    };
    server.once('error', fail);
    server.once('listening', () => {
      server.off('error', fail);
      resolve();
    });
    if ('socketPath' in address) listenPrivately(server, address.socketPath);
    else server.listen({ ...address, backlog: BACKLOG });
  });
}

/** A socket's path, or `host:port`. */
export const formatListenAddress = (address: ListenAddress): string =>
  'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`;

function addressOf(server: Server, asked: ListenAddress): ListenAddress {
  if ('socketPath' in asked) return asked;
  const bound = server.address() as AddressInfo | null;
  return { host: asked.host, port: bound?.port ?? asked.port };
}

/** Waits for `work`, but not longer than that. */
async function settledWithin(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>(resolve => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
