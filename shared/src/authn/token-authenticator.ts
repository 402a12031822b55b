import { unauthorized } from '../kube/errors.ts';
import type { Identity } from './identity.ts';

/** Bytes of a bearer token; Kubernetes' own are under 4 KiB, those of identity providers with many groups longer. */
export const MAX_TOKEN_BYTES = 64 * 1024;

/** One way to tell whose a bearer token is. */
export interface TokenAuthenticator {
  /**
   * The token's user; undefined when the token is none of this authenticator's, and the next one may know it. Throws a StatusError: 401 for
   * a token that is its own and does not validate, 503 when that cannot be told now. None of them holds the token.
   */
  authenticate(token: string): Promise<Identity | undefined>;
}

/**
 * RFC 6750 §2.1 allows less than visible ASCII; anything else would be changed by being sent on as JSON. Throws a StatusError 401.
 */
export function checkToken(token: string): void {
  if (token.length > MAX_TOKEN_BYTES || !/^[\x21-\x7e]+$/.test(token)) throw unauthorized();
}

/**
 * The user of a token, as the first authenticator has it whose token it is. A refusal is final: what is left of the others might believe
 * less carefully. Throws a StatusError 401 when nobody knows the token, and for a user without a name, who would be sent on as nobody.
 */
export function firstToKnow(authenticators: readonly TokenAuthenticator[]): (token: string) => Promise<Identity> {
  return async token => {
    checkToken(token);
    for (const authenticator of authenticators) {
      const who = await authenticator.authenticate(token);
      if (who === undefined) continue;
      if (who.name === '') throw unauthorized();
      return who;
    }
    throw unauthorized();
  };
}
