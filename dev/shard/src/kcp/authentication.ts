import { createHash, timingSafeEqual } from 'node:crypto';
import { certificateIdentity, commonName } from '@kcp-vw/shared/authn/certificate.ts';
import { readExtraHeaders } from '@kcp-vw/shared/authn/extra-headers.ts';
import { decodeHeaderText } from '@kcp-vw/shared/authn/header-text.ts';
import { ANONYMOUS, type Identity } from '@kcp-vw/shared/authn/identity.ts';
import { unauthorized } from '@kcp-vw/shared/kube/errors.ts';
import type { Peer } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue, headerValues, type RawHeaders } from '@kcp-vw/shared/listener/headers.ts';
import { shardIdentity } from './identity.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

/** A line of a token file: who comes with the token. */
export interface TokenUser {
  readonly token: string;
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
}

const NOBODY = shardIdentity(ANONYMOUS, []);

/** Bearer tokens: those of a token file, which never end, and those of service accounts. */
export class Tokens {
  readonly #users = new Map<string, Identity>();

  readonly serviceAccounts: ServiceAccountTokens;

  constructor(users: readonly TokenUser[], serviceAccounts: ServiceAccountTokens) {
    this.serviceAccounts = serviceAccounts;
    for (const { token, name, uid, groups } of users) this.#users.set(digest(token), shardIdentity(name, groups, uid));
  }

  /** Undefined for a token that nobody has been given. */
  identity(token: string): Identity | undefined {
    const wanted = Buffer.from(digest(token));
    for (const [known, identity] of this.#users) if (timingSafeEqual(Buffer.from(known), wanted)) return identity;
    return this.serviceAccounts.identity(token);
  }
}

const digest = (token: string): string => createHash('sha256').update(token).digest('hex');

/**
 * Who sent a request to a shard: requestheader certificate, client certificate, token, nobody; the first that counts. Throws a
 * StatusError 401 for a token that is unknown when nothing else identifies the caller.
 */
export function authenticate(headers: RawHeaders, peer: Peer, tokens: Tokens): Identity {
  const vouchedFor = peer.requestHeaderCertificate && remoteUser(headers);
  if (vouchedFor) return vouchedFor;
  const certified = certifiedUser(peer);
  if (certified) return certified;
  const token = bearerToken(headers);
  if (token === undefined) return NOBODY;
  const known = tokens.identity(token);
  if (!known) throw unauthorized();
  return known;
}

/** Whom the client's own certificate names. */
export function certifiedUser({ clientCertificate }: Peer): Identity | undefined {
  if (!clientCertificate || commonName(clientCertificate) === '') return undefined;
  const { subject } = clientCertificate.toLegacyObject();
  const organizations: string | readonly string[] = subject?.O ?? [];
  const groups = typeof organizations === 'string' ? [organizations] : organizations;
  // The fleet's reader knows everything but lifecycle groups, which a shard takes from a certificate, too.
  const { name = '', extra = {} } = certificateIdentity(clientCertificate) ?? {};
  return shardIdentity(name, groups, '', extra);
}

/** Whom a proxy vouches for with `X-Remote-*`. */
function remoteUser(headers: RawHeaders): Identity | undefined {
  const name = decodeHeaderText(headerValue(headers, 'x-remote-user') ?? '', 'X-Remote-User');
  if (name === '') return undefined;
  const groups = headerValues(headers, 'x-remote-group').map(value => decodeHeaderText(value, 'X-Remote-Group'));
  return shardIdentity(name, groups, '', readExtraHeaders(headers, ['x-remote-extra-']));
}

function bearerToken(headers: RawHeaders): string | undefined {
  const [scheme = '', token = ''] = (headerValue(headers, 'authorization') ?? '').trim().split(' ', 3);
  return scheme.toLowerCase() === 'bearer' && token !== '' ? token : undefined;
}
