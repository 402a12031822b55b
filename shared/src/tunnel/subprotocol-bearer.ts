import { unauthorized } from '../kube/errors.ts';
import { HeaderNames, headerValues, type RawHeaders, withoutNames } from '../listener/headers.ts';

const PROTOCOL = 'sec-websocket-protocol';
const PROTOCOL_NAMES = new HeaderNames([PROTOCOL]);
const AUTHORIZATION = new HeaderNames(['authorization']);

/** A browser cannot set headers of a WebSocket. Kubernetes takes its token as a subprotocol, base64url without padding. */
const PREFIX = 'base64url.bearer.authorization.k8s.io.';

const BASE64URL = /^[A-Za-z0-9_-]+$/;
/** What a header can carry unchanged, and a reader of `Bearer <token>` takes as one word. */
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * The headers of a WebSocket request with the token among its subprotocols as `Authorization: Bearer`, unless there is a bearer token already,
 * and without it where it was: a backend would log it, or choose it and so send it back.
 *
 * Kubernetes' rules (`ProtocolAuthenticator` of k8s.io/apiserver): one such subprotocol, well encoded, and another one beside it that can be
 * chosen. Throws a StatusError 401 where they are broken, whatever other credentials there are.
 */
export function bearerFromSubprotocols(headers: RawHeaders): RawHeaders {
  const offered = headerValues(headers, PROTOCOL).flatMap(value => value.split(',').map(name => name.trim()));
  const encoded = offered.filter(name => name.startsWith(PREFIX)).map(name => name.slice(PREFIX.length));
  const [token] = encoded;
  if (token === undefined) return headers;

  const others = offered.filter(name => name !== '' && !name.startsWith(PREFIX));
  if (encoded.length > 1) throw unauthorized();
  const kept = [
    ...withoutNames(headers, PROTOCOL_NAMES),
    // One header with all of them is the same as several (RFC 6455 11.3.4).
    ...(others.length > 0 ? [PROTOCOL, others.join(', ')] : []),
  ];
  // An empty one is no credential.
  if (token === '') return kept;
  if (others.length === 0) throw unauthorized();
  const bearer = decoded(token);
  if (hasBearer(headers)) return kept;
  return [...withoutNames(kept, AUTHORIZATION), 'authorization', `Bearer ${bearer}`];
}

function decoded(token: string): string {
  // Node skips what is not base64url, and another token would come out.
  if (!BASE64URL.test(token) || token.length % 4 === 1) throw unauthorized();
  const text = Buffer.from(token, 'base64url').toString('latin1');
  if (!TOKEN.test(text)) throw unauthorized();
  return text;
}

/** Kubernetes looks at `Authorization` first; another scheme there is no credential to it. */
const hasBearer = (headers: RawHeaders): boolean =>
  headerValues(headers, 'authorization').some(value => /^bearer \S/i.test(value.trim()));
