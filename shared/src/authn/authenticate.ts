import type { PublicFaceOptions, RequestHeaderOptions } from '../config/options.ts';
import { badRequest, unauthorized } from '../kube/errors.ts';
import type { Peer } from '../listener/exchange.ts';
import { headerValues, type RawHeaders } from '../listener/headers.ts';
import { certificateIdentity, commonName } from './certificate.ts';
import { type Admit, admitAsPublic, admitAsServices } from './faces.ts';
import { checkCarriable } from './header-text.ts';
import { ANONYMOUS, asCaller, type Caller, type Identity, identity, withSystemGroup } from './identity.ts';
import {
  type ImpersonationRule,
  impersonate,
  MASTERS_IMPERSONATE,
  NOBODY_IMPERSONATES,
  shardsImpersonate,
} from './impersonation.ts';
import { perObject } from './per-object.ts';
import { createRequestHeaderReader } from './request-headers.ts';
import { firstToKnow, type TokenAuthenticator } from './token-authenticator.ts';
import type { TokenReviewer } from './token-review.ts';

export interface AuthenticatorOptions {
  readonly requestHeader: RequestHeaderOptions;
  /** Asked in this order, before the reviewer. */
  readonly tokenAuthenticators?: readonly TokenAuthenticator[];
  /** Absent: a bearer token that no authenticator knows does not validate. */
  readonly tokenReviewer?: Pick<TokenReviewer, 'review'>;
  /** As in `config/options.ts`; absent: `services`. */
  readonly face?: 'services' | 'public';
  /** For a public face. */
  readonly groups?: Pick<PublicFaceOptions, 'dropGroups' | 'passOnGroups'>;
  /** Common names of certificates that may send `Impersonate-*`; empty or absent: those of all masters. */
  readonly shardClientNames?: readonly string[];
}

/** Who sent a request over this connection. Rejects with a StatusError: 401, 403 or 400 for impersonation, 503 without reviewer. */
export type Authenticate = (headers: RawHeaders, peer: Peer) => Promise<Caller>;

const NOBODY = identity(ANONYMOUS, []);

/** Who an identity is as a caller, by the way it came to be known. */
type Callers = Readonly<Record<'certificate' | 'vouched' | 'token' | 'anonymous', (who: Identity) => Caller>>;

/**
 * The chain of kcp's binary, first success wins: request headers, client certificate, bearer token, anonymous; then impersonation.
 *
 * The order is load-bearing: the apibinder sends a shard's certificate together with a token that no reviewer knows. A credential
 * behind the first that counts is never looked at. `?access_token` is no credential here; a token in a WebSocket
 * subprotocol has become an `Authorization` header before (`tunnel/subprotocol-bearer.ts`).
 *
 * On a public face a client certificate comes before request headers: one authority for clients and proxies would let a user choose the
 * name of a proxy.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const { requestHeader, face = 'services', tokenAuthenticators = [], tokenReviewer } = options;
  const { allowedNames } = requestHeader;
  const readRequestHeaders = createRequestHeaderReader(requestHeader);
  const callers = callersOf(admitOf(options));
  const rule = impersonationRuleOf(options);
  const userOfToken = firstToKnow([
    ...tokenAuthenticators,
    ...(tokenReviewer ? [{ authenticate: (token: string) => tokenReviewer.review(token) }] : []),
  ]);

  const byCertificate = ({ clientCertificate }: Peer): Caller | undefined => {
    const owner = clientCertificate && certificateIdentity(clientCertificate);
    return owner && callers.certificate(owner);
  };
  const byRequestHeaders = (headers: RawHeaders, { requestHeaderCertificate: proxy }: Peer): Caller | undefined => {
    if (!proxy || !isAllowed(commonName(proxy))) return undefined;
    const vouchedFor = readRequestHeaders(headers);
    return vouchedFor && callers.vouched(vouchedFor);
  };
  const isAllowed = (name: string): boolean => allowedNames.length === 0 || allowedNames.includes(name);

  async function authenticate(headers: RawHeaders, peer: Peer): Promise<Caller> {
    const known =
      face === 'public'
        ? (byCertificate(peer) ?? byRequestHeaders(headers, peer))
        : (byRequestHeaders(headers, peer) ?? byCertificate(peer));
    if (known) return known;

    const { requestHeaderCertificate: proxy } = peer;
    if (proxy && !isAllowed(commonName(proxy))) throw unauthorized();
    const token = bearerToken(headers);
    if (token !== undefined) return callers.token(await userOfToken(token));

    // A proxy that speaks for nobody: the user's name got lost on the way, and nobody must not become somebody.
    if (proxy) throw unauthorized();
    return callers.anonymous(NOBODY);
  }

  return async (headers, peer) => {
    const caller = impersonate(await authenticate(headers, peer), headers, rule);
    // Whom a shard speaks for is checked as whoever comes himself.
    if (caller.impersonator) admitAsServices(caller, caller.method);
    return caller;
  };
}

const admitOf = ({ face, groups = { dropGroups: [], passOnGroups: [] } }: AuthenticatorOptions): Admit =>
  face === 'public' ? admitAsPublic(groups) : admitAsServices;

function impersonationRuleOf({ face, shardClientNames = [] }: AuthenticatorOptions): ImpersonationRule {
  if (face === 'public') return NOBODY_IMPERSONATES;
  return shardClientNames.length > 0 ? shardsImpersonate(shardClientNames) : MASTERS_IMPERSONATE;
}

/** A connection's certificate and a token that is believed for a while give one identity object for many requests. */
function callersOf(admit: Admit): Callers {
  const caller = (method: Caller['method']) => (who: Identity) => callerOf(admit(who, method), method);
  return {
    certificate: perObject(caller('certificate')),
    vouched: caller('request-header'),
    token: perObject(caller('token')),
    anonymous: perObject(caller('anonymous')),
  };
}

function callerOf(who: Identity, method: Caller['method']): Caller {
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
