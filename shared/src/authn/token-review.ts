import { internalError, unauthorized } from '../kube/errors.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Identity } from './identity.ts';
import { createReviewCache, type ReviewCacheOptions, type ReviewCacheStats, type Reviewed } from './review-cache.ts';
import { requestReview, reviewStatus } from './review-request.ts';
import { checkToken } from './token-authenticator.ts';
import { fromUserInfo } from './user-info.ts';

export interface TokenReviewerOptions extends ReviewCacheOptions {
  readonly upstream: Upstream;
  /** Before `/apis`: the path of the reviewer's kubeconfig server, or `/clusters/root`. */
  readonly basePath: string;
  /** How long a user is believed, seconds. */
  readonly successTTL?: number;
  /** How long a refusal is believed, seconds. */
  readonly failureTTL?: number;
}

export interface TokenReviewer {
  /**
   * The user of a bearer token, as the reviewer has it. Throws a StatusError: 401 for a token that does not validate, 503 when it
   * could not be reviewed, 500 when our own access to the reviewer is wrong. None of them holds the token.
   */
  review(token: string): Promise<Identity>;
  stats(): ReviewCacheStats;
}

export function createTokenReviewer(options: TokenReviewerOptions): TokenReviewer {
  const { upstream, basePath, successTTL = 10, failureTTL = 5 } = options;
  const path = `${basePath.replace(/\/+$/, '')}/apis/authentication.k8s.io/v1/tokenreviews`;
  /** Undefined: the token does not validate. */
  const cache = createReviewCache<Identity | undefined>(options);

  async function ask(token: string): Promise<Reviewed<Identity | undefined>> {
    const body = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token } };
    const response = await requestReview({ upstream, path, body });
    if (response.status === 401 || response.status === 403) {
      throw internalError(`the token reviewer does not accept this server's credentials (${response.status})`);
    }
    const status = reviewStatus(response);
    if (!status) throw internalError(`the token reviewer answered ${response.status} without a review`);
    // Nothing but a literal true: a user beside `authenticated: false` is no user (CVE-2023-48312).
    if (status.authenticated !== true) return { answer: undefined, ttl: failureTTL };
    const user = fromUserInfo(status.user);
    if (!user) throw internalError('the token reviewer answered with a malformed user');
    // A user without a name would be sent on as nobody, and run as ourselves (GHSA-4xh5-jcj2-ch8q).
    return user.name === '' ? { answer: undefined, ttl: failureTTL } : { answer: user, ttl: successTTL };
  }

  return {
    async review(token) {
      checkToken(token);
      const user = await cache.get(token, () => ask(token));
      if (!user) throw unauthorized();
      return user;
    },
    stats: () => cache.stats(),
  };
}
