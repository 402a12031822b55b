import type { RequestHeaderOptions } from '../config/options.ts';
import { badRequest, unauthorized } from '../kube/errors.ts';
import type { Peer } from '../listener/exchange.ts';
import { headerValues, type RawHeaders } from '../listener/headers.ts';
import { certificateIdentity, commonName } from './certificate.ts';
import { checkCarriable } from './header-text.ts';
import { ANONYMOUS, asCaller, type Caller, type Identity, identity, withSystemGroup } from './identity.ts';
import { impersonate } from './impersonation.ts';
import { perObject } from './per-object.ts';
import { createRequestHeaderReader } from './request-headers.ts';
import type { TokenReviewer } from './token-review.ts';

export interface AuthenticatorOptions {
  readonly requestHeader: RequestHeaderOptions;
  /** Absent: no bearer token validates. */
  readonly tokenReviewer?: Pick<TokenReviewer, 'review'>;
}

/** Who sent a request over this connection. Rejects with a StatusError: 401, 403 or 400 for impersonation, 503 without reviewer. */
export type Authenticate = (headers: RawHeaders, peer: Peer) => Promise<Caller>;

const NOBODY = identity(ANONYMOUS, []);

/**
 * The chain of kcp's binary, first success wins: request headers, client certificate, bearer token, anonymous; then impersonation.
 *
 * The order is load-bearing: the apibinder sends a shard's certificate together with a token that no reviewer knows. A credential
 * behind the first that counts is never looked at. `?access_token` and WebSocket subprotocols are no credentials here.
 */
export function createAuthenticator({ requestHeader, tokenReviewer }: AuthenticatorOptions): Authenticate {
  const readRequestHeaders = createRequestHeaderReader(requestHeader);
  const { allowedNames } = requestHeader;

  async function authenticate(headers: RawHeaders, peer: Peer): Promise<Caller> {
    const { requestHeaderCertificate: proxy, clientCertificate } = peer;
    const proxyAllowed = proxy && (allowedNames.length === 0 || allowedNames.includes(commonName(proxy)));
    const vouchedFor = proxyAllowed ? readRequestHeaders(headers) : undefined;
    if (vouchedFor) return caller(vouchedFor, 'request-header');

    const owner = clientCertificate && certificateIdentity(clientCertificate);
    if (owner) return CALLERS.certificate(owner);

    if (proxy && !proxyAllowed) throw unauthorized();
    const token = bearerToken(headers);
    if (token !== undefined) {
      if (!tokenReviewer) throw unauthorized();
      return CALLERS.token(await tokenReviewer.review(token));
    }

    // A proxy that speaks for nobody: the user's name got lost on the way, and nobody must not become somebody.
    if (proxy) throw unauthorized();
    return caller(NOBODY, 'anonymous');
  }

  return async (headers, peer) => impersonate(await authenticate(headers, peer), headers);
}

/** A connection's certificate and a token that is believed for a while give one identity object for many requests. */
const CALLERS = {
  certificate: perObject((who: Identity) => caller(who, 'certificate')),
  token: perObject((who: Identity) => caller(who, 'token')),
};

function caller(who: Identity, method: Caller['method']): Caller {
  // Here and not only where it is sent on: who cannot be named upstream must not be answered from here either.
  checkCarriable(who);
  return asCaller(identity(who.name, withSystemGroup(who.name, who.groups), who.uid, who.extra), method);
}

/**
 * The token of `Authorization: Bearer <token>`. Another scheme or an empty token is no credential, as in Kubernetes, so the request
 * is anonymous.
 */
function bearerToken(headers: RawHeaders): string | undefined {
  const values = headerValues(headers, 'authorization');
  // Which one counts differs from server to server; the next hop might pick the other.
  if (values.length > 1) throw badRequest('header Authorization is given more than once');
  const [scheme = '', token = ''] = (values[0] ?? '').trim().split(' ', 3);
  return scheme.toLowerCase() === 'bearer' && token !== '' ? token : undefined;
}
