import type { LookupFunction } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';

/** Where a server listens: a URL whose path is not used, or the path of a Unix socket (always without TLS). */
export type UpstreamOrigin = URL | { readonly socketPath: string };

/** PEM. Verification is never off: without `ca` the system's roots decide. */
export interface TlsMaterial {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** The name that the certificate must carry and that is sent as SNI; default: the URL's host. */
  readonly servername?: string;
}

/** An origin, ready to be dialled: the TLS context is built once, not per connection. */
export interface Endpoint {
  /** `https://host:port`, without a path. */
  readonly origin: string;
  /** Value of `host` and `:authority`. */
  readonly authority: string;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  /** Finds the addresses of `host`: what it gives is dialled, and nothing else. Absent: the system's. An IP address is not looked up. */
  readonly lookup?: LookupFunction;
  readonly tls?: { readonly context: SecureContext; readonly servername?: string };
}

/** Throws when the TLS material cannot be used, so that a bad rotation is noticed before a connection needs it. */
export function endpointOf(origin: UpstreamOrigin, tls: TlsMaterial = {}, lookup?: LookupFunction): Endpoint {
  if (!(origin instanceof URL)) {
    return { origin: 'http://localhost', authority: 'localhost', host: 'localhost', port: 80, socketPath: origin.socketPath };
  }
  const secure = origin.protocol === 'https:';
  if (!secure && origin.protocol !== 'http:') throw new Error(`${origin.origin} is neither http nor https`);
  const { ca, cert, key, servername } = tls;
  return {
    origin: origin.origin,
    authority: origin.host,
    host: origin.hostname.replace(/^\[|\]$/g, ''),
    port: Number(origin.port) || (secure ? 443 : 80),
    ...(lookup && { lookup }),
    ...(secure && {
      tls: {
        context: createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }),
        ...(servername && { servername }),
      },
    }),
  };
}

/** The path of a server URL, as a prefix for request paths: `` or `/clusters/root`, never with a slash at its end. */
export function basePathOf(origin: UpstreamOrigin): string {
  return origin instanceof URL ? origin.pathname.replace(/\/+$/, '') : '';
}
