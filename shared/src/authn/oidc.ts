import { X509Certificate } from 'node:crypto';
import { type CryptoKey, errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import { type FileContents, watchFiles } from '../config/files.ts';
import type { OidcOptions } from '../config/options.ts';
import { internalError, StatusError, unauthorized } from '../kube/errors.ts';
import type { Identity } from './identity.ts';
import { fetchDocument } from './issuer-fetch.ts';
import { isTokenFault, unverified } from './jwt.ts';
import { userOfClaims } from './oidc-claims.ts';
import { createIssuerKeys } from './oidc-keys.ts';
import { createReviewCache } from './review-cache.ts';
import type { TokenAuthenticator } from './token-authenticator.ts';

/** Seconds by which the issuer's clock may differ from ours. */
const CLOCK_TOLERANCE = 10;
/** Seconds that a verified token is believed without another look at its signature; its end counts all the same. */
const BELIEVED_FOR = 10;
/** Keys tried for a token that does not say which one has signed it. */
const MAX_KEYS_TRIED = 8;

export interface OidcAuthenticatorOptions {
  readonly oidc: OidcOptions;
  /** The issuer is out of reach or publishes nonsense, or the file with its authority cannot be used. */
  readonly onError: (error: Error) => void;
  /** Milliseconds of a clock that never goes back, for the keys; tests set it. */
  readonly clock?: () => number;
}

export interface OidcAuthenticator extends TokenAuthenticator {
  close(): void;
}

/** Users by their ID tokens (OpenID Connect Core 1.0 §3.1.3.7), named as Kubernetes' `--oidc-*` flags name them. */
export function createOidcAuthenticator({ oidc, onError, clock }: OidcAuthenticatorOptions): OidcAuthenticator {
  const { issuerUrl, clientID, signingAlgorithms, caFile } = oidc;
  const authority = caFile === undefined ? undefined : followAuthority(caFile, onError);
  const keyOf = createIssuerKeys({
    issuer: issuerUrl,
    fetchKeys: () => fetchKeys(issuerUrl, authority?.ca()),
    onError,
    ...(clock && { clock }),
  });
  const rules: JWTVerifyOptions = {
    // Named one by one: what a token says of its own algorithm decides nothing (`alg: none`, a public key taken for a shared secret).
    algorithms: [...signingAlgorithms],
    issuer: issuerUrl,
    audience: clientID,
    requiredClaims: ['exp'],
    clockTolerance: CLOCK_TOLERANCE,
  };
  const cache = createReviewCache<Identity>({});

  return {
    async authenticate(token) {
      if (unverified(token)?.issuer !== issuerUrl) return undefined;
      return cache.get(token, async () => {
        const claims = await claimsOf(token, keyOf, rules).catch(error => {
          if (error instanceof StatusError) throw error;
          onError(new Error(`a key of ${issuerUrl} cannot be used`, { cause: error }));
          throw internalError(`a key of ${issuerUrl} cannot be used`, error);
        });
        return { answer: userOfClaims(claims, oidc), ttl: Math.min(BELIEVED_FOR, (claims.exp ?? 0) - Date.now() / 1000) };
      });
    },
    close: () => authority?.close(),
  };
}

/** The file with the issuer's authority. Throws when it cannot be used; a later one that cannot be used leaves the last one in force. */
function followAuthority(file: string, onError: (error: Error) => void): { ca(): Buffer | undefined; close(): void } {
  const check = (contents: FileContents): void => {
    try {
      // Node ignores authorities that it cannot parse, and would trust nobody without saying so.
      new X509Certificate(contents.get(file) ?? '');
    } catch (cause) {
      throw new Error(`${file} cannot be used: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  };
  const watch = watchFiles([file], check, { onError });
  try {
    check(watch.contents);
  } catch (error) {
    watch.close();
    throw error;
  }
  return { ca: () => watch.contents.get(file), close: () => watch.close() };
}

/** OpenID Connect Discovery 1.0 §4: the document has to be about the issuer that was asked, or it is another one's. */
async function fetchKeys(issuerUrl: string, ca: Buffer | undefined): Promise<unknown> {
  const about = await fetchDocument(new URL(`${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`), { ca });
  if (about.issuer !== issuerUrl) throw new Error(`its document is about another issuer, ${JSON.stringify(about.issuer)}`);
  const keys = typeof about.jwks_uri === 'string' ? URL.parse(about.jwks_uri) : null;
  if (keys === null) throw new Error('its document names no jwks_uri');
  return fetchDocument(keys, { ca });
}

/** The claims of a token that is valid now. Throws a StatusError 401, or 503 when there are no keys. */
async function claimsOf(token: string, keyOf: JWTVerifyGetKey<CryptoKey>, rules: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keyOf, rules)).payload;
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return claimsByAnyKey(token, error, rules);
    throw isTokenFault(error) ? unauthorized() : error;
  }
}

/** A token without `kid`, of an issuer with several keys: as Kubernetes does, the first key that fits has signed it. */
async function claimsByAnyKey(token: string, keys: AsyncIterable<CryptoKey>, rules: JWTVerifyOptions): Promise<JWTPayload> {
  let tried = 0;
  for await (const key of keys) {
    if (++tried > MAX_KEYS_TRIED) break;
    try {
      return (await jwtVerify(token, key, rules)).payload;
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue;
      throw isTokenFault(error) ? unauthorized() : error;
    }
  }
  throw unauthorized();
}
