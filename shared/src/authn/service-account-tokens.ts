import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { ServiceAccountOptions } from '../config/options.ts';
import { unauthorized } from '../kube/errors.ts';
import type { Identity } from './identity.ts';
import { isTokenFault, unverified } from './jwt.ts';
import { createReviewCache, type Reviewed } from './review-cache.ts';
import {
  boundClaims,
  LEGACY_ISSUER,
  legacyClaims,
  type ServiceAccountClaims,
  serviceAccountUser,
} from './service-account-claims.ts';
import type { ServiceAccountLookup } from './service-account-lookup.ts';
import type { SigningKey, SigningKeys } from './signing-keys.ts';
import type { TokenAuthenticator } from './token-authenticator.ts';

/** Seconds by which clocks of shards may differ from ours; go-jose's leeway, which Kubernetes uses. */
const CLOCK_TOLERANCE = 60;
/** Seconds that a signature is believed without another look; whether the account still is there is looked up on its own. */
const BELIEVED_FOR = 10;

export interface ServiceAccountTokensOptions {
  readonly accounts: Pick<ServiceAccountOptions, 'issuers' | 'audiences'>;
  readonly keys: Pick<SigningKeys, 'of'>;
  readonly lookup: ServiceAccountLookup;
  /** Milliseconds of a clock that never goes back, for what is remembered; tests set it. */
  readonly clock?: () => number;
}

interface Verified {
  readonly claims: ServiceAccountClaims;
  readonly user: Identity;
}

/**
 * Service accounts by their tokens, bound ones and those of Secrets. A token counts as long as its account lives, and the Secret or pod it
 * is bound to: its signature says that it was given out, not that it has not been taken back.
 */
export function createServiceAccountTokens({ accounts, keys, lookup, clock }: ServiceAccountTokensOptions): TokenAuthenticator {
  const audience = [...accounts.audiences];
  const issuers = new Set(accounts.issuers);
  const cache = createReviewCache<Verified>({ ...(clock && { clock }) });

  async function read(token: string, candidates: readonly SigningKey[], isLegacy: boolean): Promise<Reviewed<Verified>> {
    const rules = isLegacy ? { issuer: LEGACY_ISSUER } : { issuer: [...issuers], audience, requiredClaims: ['exp'] };
    const payload = await verify(token, candidates, rules);
    // A legacy token is for API servers, and says nothing of it; one that does has to be for us.
    if (isLegacy && payload.aud !== undefined && ![payload.aud].flat().some(name => audience.includes(name)))
      throw unauthorized();
    const claims = isLegacy ? legacyClaims(payload) : boundClaims(payload);
    const end = payload.exp === undefined ? BELIEVED_FOR : payload.exp - Date.now() / 1000;
    return { answer: { claims, user: serviceAccountUser(claims) }, ttl: Math.min(BELIEVED_FOR, end) };
  }

  return {
    async authenticate(token) {
      const said = unverified(token);
      if (said === undefined) return undefined;
      const isLegacy = said.issuer === LEGACY_ISSUER;
      if (!isLegacy && !issuers.has(said.issuer)) return undefined;
      // Of a shard whose key we were not given: all of them may have the same issuer, and a reviewer may know it.
      const candidates = keys.of(said.keyID);
      if (candidates.length === 0) return undefined;
      const { claims, user } = await cache.get(token, () => read(token, candidates, isLegacy));
      await lookup.check(claims, token);
      return user;
    },
  };
}

/** What a token says, when one of the keys has signed it and it is valid now. Throws a StatusError 401. */
async function verify(token: string, candidates: readonly SigningKey[], rules: JWTVerifyOptions): Promise<JWTPayload> {
  for (const { key, algorithm } of candidates) {
    try {
      const verified = await jwtVerify(token, key, { ...rules, algorithms: [algorithm], clockTolerance: CLOCK_TOLERANCE });
      return verified.payload;
    } catch (error) {
      const isOtherKey = error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed;
      if (isOtherKey) continue;
      throw isTokenFault(error) ? unauthorized() : error;
    }
  }
  throw unauthorized();
}
