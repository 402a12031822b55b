/** The serving certificate, the authorities of clients, and what a connection's certificate is worth. */
import { constants, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { type FileContents, watchFiles } from '../config/files.ts';
import { chainValidUntil } from './chain.ts';
import type { Peer } from './exchange.ts';

/** What the serving side of TLS is configured with: files, and choices of the protocol. */
export interface TlsFiles {
  /** The serving certificate with its intermediates, PEM. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities whose certificates authenticate their subject. Intermediate ones must be among them. */
  readonly clientCAFile?: string;
  /** Authorities whose certificates may speak for others with `X-Remote-*`. */
  readonly requestHeaderCAFile?: string;
  /** As in `config/options.ts`; absent: Node's defaults, TLS 1.2 and later. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
  readonly ecdhCurve?: string;
  /** False: HTTP/1.1 only. */
  readonly http2?: boolean;
}

export interface ServingTlsOptions {
  /** Milliseconds between two looks at the files. */
  readonly intervalMs?: number;
  /** A changed file is broken; what was read before stays in use. */
  readonly onError: (error: Error) => void;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What the listener needs of the certificate files. They are re-read while the process runs. */
export interface ServingTls {
  /** For `tls.createServer` and `server.setSecureContext`. */
  readonly context: SecureContextOptions;
  /** Clients are asked for a certificate. */
  readonly requestCert: boolean;
  /** HTTP/2 is offered. */
  readonly http2: boolean;
  /** Returns how to take it back. */
  onChange(listener: (context: SecureContextOptions) => void): () => void;
  /**
   * Who is at the other end. Verified once per connection, and again when the authorities change or a certificate of the chain ends,
   * as an API server does.
   */
  verifyPeer(socket: TLSSocket): Peer;
  /** Looks at the files now. */
  check(): Promise<void>;
  close(): void;
}

/** Throws with a message that names the file if one is missing or broken. */
export function loadServingTls(files: TlsFiles, { env = process.env, intervalMs, onError }: ServingTlsOptions): ServingTls {
  refuseDisabledVerification(env);
  const paths = [files.certFile, files.keyFile, files.clientCAFile, files.requestHeaderCAFile].filter(path => path !== undefined);
  const listeners = new Set<(context: SecureContextOptions) => void>();
  const peers = new WeakMap<TLSSocket, VerifiedPeer>();

  const watch = watchFiles(
    paths,
    contents => {
      loaded = load(files, contents);
      for (const listener of listeners) listener(loaded.context);
    },
    { ...(intervalMs !== undefined && { intervalMs }), onError },
  );
  let loaded: Loaded;
  try {
    loaded = load(files, watch.contents);
  } catch (error) {
    watch.close();
    throw error;
  }

  return {
    get context() {
      return loaded.context;
    },
    requestCert: files.clientCAFile !== undefined || files.requestHeaderCAFile !== undefined,
    http2: files.http2 !== false,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    verifyPeer(socket) {
      const now = Date.now();
      const known = peers.get(socket);
      if (known?.authorities === loaded && now <= known.validUntil) return known.peer;
      const verified = verify(known ?? presented(socket), loaded, now);
      peers.set(socket, verified);
      return verified.peer;
    },
    check: () => watch.check(),
    close: () => watch.close(),
  };
}

/** One environment variable turns off every certificate check of Node's clients: nobody who sets it means this process. */
export function refuseDisabledVerification(env: Readonly<Record<string, string | undefined>> = process.env): void {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    throw new Error('NODE_TLS_REJECT_UNAUTHORIZED=0 would turn off the verification of certificates: unset it');
  }
}

interface Loaded {
  readonly context: SecureContextOptions;
  readonly client: readonly X509Certificate[];
  readonly requestHeader: readonly X509Certificate[];
}

function load(files: TlsFiles, contents: FileContents): Loaded {
  const read = (path: string): Buffer => contents.get(path) ?? Buffer.alloc(0);
  const authorities = (path: string | undefined): X509Certificate[] => (path === undefined ? [] : certificates(path, read(path)));
  const client = authorities(files.clientCAFile);
  const requestHeader = authorities(files.requestHeaderCAFile);
  certificates(files.certFile, read(files.certFile));

  const context: SecureContextOptions = {
    cert: read(files.certFile),
    key: read(files.keyFile),
    // Both are advertised: a Go client sends its certificate only if its issuer is among the names. An empty list is no authority
    // at all, while no list would be the public ones of Node.
    ca: [...client, ...requestHeader].map(certificate => certificate.toString()),
    minVersion: files.minVersion ?? 'TLSv1.2',
    ...(files.ciphers && { ciphers: files.ciphers }),
    ...(files.ecdhCurve && { ecdhCurve: files.ecdhCurve }),
    // Connections are few and long, so that resumed sessions gain nothing, and their keys would undo forward secrecy.
    // A renegotiation could change the certificate under a verified connection.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
  try {
    createSecureContext(context);
  } catch (error) {
    throw new Error(`certificate ${files.certFile} and key ${files.keyFile} cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return { context, client, requestHeader };
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificates(path: string, content: Buffer): X509Certificate[] {
  const found = content.toString('latin1').match(PEM_CERTIFICATE) ?? [];
  if (found.length === 0) throw new Error(`${path} holds no PEM certificate`);
  try {
    return found.map(pem => new X509Certificate(pem));
  } catch (error) {
    throw new Error(`${path} holds a broken certificate: ${messageOf(error)}`, { cause: error });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What the client sent in the handshake. */
interface Presented extends Pick<Peer, 'address' | 'serverName' | 'localPort'> {
  readonly leaf: X509Certificate | undefined;
  readonly intermediates: readonly X509Certificate[];
}

interface VerifiedPeer extends Presented {
  readonly peer: Peer;
  readonly authorities: Loaded;
  readonly validUntil: number;
}

/** A client may send as many certificates as fit into a handshake. */
const MAX_PRESENTED = 10;

/**
 * Node 24 knows the certificates that a client sends with its own, but does not show them to a server: `issuerCertificate` is there on
 * the client's side only. So an intermediate authority has to be in the CA file, where it is as good as its root.
 */
function presented(socket: TLSSocket): Presented {
  const leaf = socket.getPeerX509Certificate();
  const intermediates: X509Certificate[] = [];
  for (let next = leaf?.issuerCertificate; next && intermediates.length < MAX_PRESENTED; next = next.issuerCertificate) {
    intermediates.push(next);
  }
  const { remoteAddress: address = '', localPort } = socket;
  // Node's types do not know it: on a server's side it is the name in the client's hello, or false.
  const { servername } = socket as { readonly servername?: string | false | null };
  return {
    address,
    ...(servername && { serverName: servername.toLowerCase() }),
    ...(localPort !== undefined && { localPort }),
    leaf,
    intermediates,
  };
}

function verify(shown: Presented, authorities: Loaded, now: number): VerifiedPeer {
  const { address, serverName, localPort, leaf, intermediates } = shown;
  const until = (anchors: readonly X509Certificate[]): number | undefined =>
    leaf && chainValidUntil(leaf, intermediates, anchors, now);
  const client = until(authorities.client);
  const requestHeader = until(authorities.requestHeader);
  const peer: Peer = Object.freeze({
    address,
    ...(serverName !== undefined && { serverName }),
    ...(localPort !== undefined && { localPort }),
    ...(leaf && client !== undefined && { clientCertificate: leaf }),
    ...(leaf && requestHeader !== undefined && { requestHeaderCertificate: leaf }),
  });
  const validUntil = Math.min(client ?? Number.POSITIVE_INFINITY, requestHeader ?? Number.POSITIVE_INFINITY);
  return { ...shown, peer, authorities, validUntil };
}
