/** A listener with certificates in a temporary folder, and clients that say exactly what a test wants to be said. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { createAuthority, type KeyPair } from '@kcp-vw/pki/pki.ts';
import { DEFAULT_LIMITS, type Limits } from '../config/options.ts';
import type { Exchange, Handler } from './exchange.ts';
import { createListener, type Listener, type ListenerOptions } from './listener.ts';
import { loadServingTls, type ServingTls, type TlsFiles } from './tls.ts';

export const serverCA = createAuthority({ commonName: 'server-ca' });
export const clientCA = createAuthority({ commonName: 'client-ca' });
export const requestHeaderCA = createAuthority({ commonName: 'requestheader-ca' });

export const servingPair = (commonName = 'localhost'): KeyPair =>
  serverCA.issue({ commonName, usage: 'server', sans: ['DNS:localhost', 'IP:127.0.0.1'] });

const defaultServingPair = servingPair();

/** The files a listener is configured with, in `folder`. */
export function writeTlsFiles(
  folder: string,
  pair = defaultServingPair,
): Required<Pick<TlsFiles, 'certFile' | 'keyFile' | 'clientCAFile' | 'requestHeaderCAFile'>> {
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  return {
    certFile: file('tls.crt', pair.certPem),
    keyFile: file('tls.key', pair.keyPem),
    clientCAFile: file('client-ca.crt', clientCA.certPem),
    requestHeaderCAFile: file('requestheader-ca.crt', requestHeaderCA.certPem),
  };
}

export interface Served {
  readonly listener: Listener;
  readonly port: number;
  readonly folder: string;
  readonly tls: ServingTls;
  /** What `onError` was called with. */
  readonly errors: unknown[];
  readonly clientErrors: Error[];
}

const cleanups: (() => void | Promise<void>)[] = [];

export const onCleanUp = (clean: () => void | Promise<void>): void => void cleanups.push(clean);

/** For `afterEach`: closes whatever this file has opened. */
export async function cleanUp(): Promise<void> {
  for (const clean of cleanups.splice(0).reverse()) await clean();
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'listener-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export type ServeOptions = Partial<Omit<ListenerOptions, 'limits'>> & {
  readonly limits?: Partial<Limits>;
  readonly choices?: Pick<TlsFiles, 'minVersion' | 'ciphers' | 'ecdhCurve' | 'http2'>;
};

/** A TLS listener on a free port. */
export async function serveTls(handler: Handler, { limits, choices = {}, ...options }: ServeOptions = {}): Promise<Served> {
  const folder = temporaryFolder();
  const errors: unknown[] = [];
  const clientErrors: Error[] = [];
  const tls = loadServingTls(
    { ...writeTlsFiles(folder), ...choices },
    { intervalMs: 60_000, onError: error => void errors.push(error) },
  );
  const listener = await createListener({
    address: { host: '127.0.0.1', port: 0 },
    tls,
    handler,
    limits: { ...DEFAULT_LIMITS, ...limits },
    onError: error => void errors.push(error),
    onClientError: error => void clientErrors.push(error),
    ...options,
  });
  cleanups.push(async () => {
    await listener.close();
    tls.close();
  });
  const bound = listener.address();
  return { listener, port: 'port' in bound ? bound.port : 0, folder, tls, errors, clientErrors };
}

/** A finished TLS handshake for HTTP/1.1. */
export function connectRaw(
  port: number,
  options: ConnectionOptions = {},
  transport = connectPlain(port, '127.0.0.1'),
): Promise<TLSSocket> {
  const socket = connectTls({
    socket: transport,
    host: '127.0.0.1',
    ca: serverCA.certPem,
    ALPNProtocols: ['http/1.1'],
    ...options,
  });
  transports.set(socket, transport);
  cleanups.push(() => void socket.destroy());
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      // A connection that the server resets is what many tests are about.
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

const transports = new WeakMap<TLSSocket, Socket>();

/** Leaves without a goodbye: a TCP reset. */
export const resetConnection = (socket: TLSSocket): void => void transports.get(socket)?.resetAndDestroy();

export const connectUnix = (path: string): Socket => {
  const socket = connectPlain(path);
  cleanups.push(() => void socket.destroy());
  socket.on('error', () => {});
  return socket;
};

/** Everything the server says until it closes the connection. */
export function untilClosed(socket: Socket): Promise<string> {
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  return new Promise(resolve => socket.once('close', () => resolve(received)));
}

/** Everything the server says until it contains `text`. */
export function until(socket: Socket, text: string): Promise<string> {
  let received = '';
  return new Promise((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      if (!received.includes(text)) return;
      socket.off('data', take);
      resolve(received);
    };
    socket.on('data', take);
    socket.once('close', () => reject(new Error(`closed after ${JSON.stringify(received)}`)));
  });
}

/** Sends bytes over a new TLS connection; everything the server says until it closes. */
export async function exchangeRaw(port: number, bytes: string): Promise<string> {
  const socket = await connectRaw(port);
  const received = untilClosed(socket);
  socket.write(Buffer.from(bytes, 'latin1'));
  return received;
}

/** Parses what `exchangeRaw` returns, chunks left as they are. */
export function parseRaw(received: string): { status: number; head: string; body: string } {
  const [head = '', ...rest] = received.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1] ?? 0), head, body: rest.join('\r\n\r\n') };
}

export const answer = (exchange: Exchange, body: string, status = 200): void => {
  exchange.writeHead(status, ['content-type', 'text/plain', 'content-length', String(Buffer.byteLength(body))]);
  exchange.end(body);
};

/** Answers with what was received, as JSON. */
export const echo: Handler = async exchange => {
  const chunks: Buffer[] = [];
  for await (const chunk of exchange.body ?? []) chunks.push(chunk as Buffer);
  const { httpVersion, method, url, headers } = exchange;
  answer(exchange, JSON.stringify({ httpVersion, method, url, headers, body: Buffer.concat(chunks).toString('latin1') }));
};

/** A promise and how to fulfil it. */
export function deferred<Value>(): { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>(fulfil => {
    resolve = fulfil;
  });
  return { promise, resolve };
}

/** Waits for a condition that nobody announces. The test's own timeout is the deadline. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
}
